from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from scripts.devnet import start_hardhat
from tests.api.conftest import Applicant, applicant, base_url, http, parts, problem
from tests.databases import open_store, store, url
from tests.faults.served import Served, served
from tests.forks import start_anvil
from tests.kubo import Daemon, ipfs_or_skip, start_kubo
from tests.office import TestOffice, office_at, running_office
from tests.publishing import Desk, desk_at

__all__ = ["applicant", "base_url", "http", "open_store", "parts", "problem", "store", "url"]


@pytest.fixture(scope="package")
def desk_of_the_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture(scope="package")
def house(desk_of_the_house: TestOffice) -> Iterator[Served]:
    """An office that a process of its own serves."""
    with served(desk_of_the_house.office.settings) as process:
        yield process


@pytest.fixture
def house_guest(house: Served, desk_of_the_house: TestOffice) -> Iterator[Applicant]:
    """Who uses that process over HTTP."""
    with httpx.Client(base_url=house.url, timeout=60) as http:
        yield Applicant(http, desk_of_the_house)


@pytest.fixture(scope="package")
def daemons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Daemon]]:
    """Two IPFS nodes, each of which knows nothing of the other."""
    repos = [tmp_path_factory.mktemp(f"kubo-{number}") for number in (1, 2)]
    with ExitStack() as running:
        yield [Daemon(running.enter_context(start_kubo(ipfs_or_skip(), repo)), repo) for repo in repos]


@pytest.fixture(scope="package")
def at_hardhat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    """Registers on hardhat, strict about fees and nonces, that all tests of this folder share."""
    with start_hardhat() as node, office_at(node, tmp_path_factory.mktemp("hardhat")) as office:
        yield office


@pytest.fixture(scope="package")
def at_anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    """Registers on anvil, whose blocks are reorganised and stopped."""
    with (
        start_anvil("--slots-in-an-epoch", "1") as node,
        office_at(node.url, tmp_path_factory.mktemp("anvil")) as office,
    ):
        yield office


@pytest.fixture
def desk(at_hardhat: TestOffice, tmp_path: Path) -> Iterator[Desk]:
    with desk_at(at_hardhat, tmp_path) as office:
        yield office


@pytest.fixture
def forkable(at_anvil: TestOffice, tmp_path: Path) -> Iterator[Desk]:
    with desk_at(at_anvil, tmp_path) as office:
        yield office
