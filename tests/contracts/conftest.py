from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.devnet import free_port, start_hardhat
from tests.contracts.offices import Office


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    """Our contracts on a fresh devnet, so that their addresses are always the same."""
    with start_hardhat(free_port()) as url:
        yield Office(url).deploy()
