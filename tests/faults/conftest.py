from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.api.conftest import Applicant, applicant, base_url, http, parts, problem
from tests.databases import open_store, store, url
from tests.faults.served import Served, served
from tests.kubo import Daemon, ipfs_or_skip, start_kubo
from tests.office import TestOffice, running_office

__all__ = ["applicant", "base_url", "http", "open_store", "parts", "problem", "store", "url"]


@pytest.fixture(scope="session")
def desk_of_the_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture(scope="session")
def house(desk_of_the_house: TestOffice) -> Iterator[Served]:
    """An office that a process of its own serves."""
    with served(desk_of_the_house.office.settings) as process:
        yield process


@pytest.fixture
def house_guest(house: Served, desk_of_the_house: TestOffice) -> Iterator[Applicant]:
    """Who uses that process over HTTP."""
    with httpx.Client(base_url=house.url, timeout=60) as http:
        yield Applicant(http, desk_of_the_house)


@pytest.fixture(scope="session")
def daemons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Daemon]]:
    """Two IPFS nodes, each of which knows nothing of the other."""
    repos = [tmp_path_factory.mktemp(f"kubo-{number}") for number in (1, 2)]
    with ExitStack() as running:
        yield [Daemon(running.enter_context(start_kubo(ipfs_or_skip(), repo)), repo) for repo in repos]
