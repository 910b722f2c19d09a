"""FAULTS 15: a reorganisation of one to three blocks. What was in them was never shown as final, and comes again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.forks import Anvil, start_anvil
from tests.office import TestOffice, office_at, record_of

LAG = 4  # blocks that anvil has behind the newest final one with two slots an epoch


@pytest.fixture(scope="module")
def chain() -> Iterator[Anvil]:
    with start_anvil("--slots-in-an-epoch", "2") as node:
        yield node


@pytest.fixture(scope="module")
def desk(chain: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with office_at(chain.url, tmp_path_factory.mktemp("office")) as office:
        yield office


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_fault_15_what_a_reorganisation_takes_away_was_never_final_and_comes_again(
    desk: TestOffice, chain: Anvil, depth: int
) -> None:
    store, name = desk.office.store, str(desk.trusted().name)
    application = desk.approve(desk.issue(desk.request()))
    desk.office.run_once()
    chain.rpc("anvil_mine", hex(depth - 1))
    desk.office.run_once()
    assert store.application(application.id).state == "included"
    assert store.history(name, record_of(application)) == []
    taken = store.transaction_of(application.id)
    kept = store.entries(name)

    chain.rpc("anvil_reorg", depth, [])
    desk.office.run_once()
    assert store.application(application.id).state in ("sent", "included")
    assert (store.history(name, record_of(application)), store.entries(name)) == ([], kept)

    for _ in range(4):
        desk.office.run_once()
        chain.rpc("anvil_mine", hex(LAG))
    desk.office.run_once()
    again = store.transaction_of(application.id)
    assert taken and again and (again.hash, again.newest.raw) == (taken.hash, taken.newest.raw)
    assert again.leading.block_hash != taken.leading.block_hash
    (entry,) = store.history(name, record_of(application))
    assert entry.block_number <= desk.office.chain.block("finalized").number
    assert store.application(application.id).state == "certified"
    assert desk.verdict("land", record_of(application)).valid
