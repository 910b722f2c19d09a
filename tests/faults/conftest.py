from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.api.conftest import applicant, base_url, http, parts, problem
from tests.databases import open_store, store, url
from tests.kubo import Daemon, ipfs_or_skip, start_kubo

__all__ = ["applicant", "base_url", "http", "open_store", "parts", "problem", "store", "url"]


@pytest.fixture(scope="session")
def daemons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Daemon]]:
    """Two IPFS nodes, each of which knows nothing of the other."""
    repos = [tmp_path_factory.mktemp(f"kubo-{number}") for number in (1, 2)]
    with ExitStack() as running:
        yield [Daemon(running.enter_context(start_kubo(ipfs_or_skip(), repo)), repo) for repo in repos]
