"""FAULTS 16: a reorganisation behind the newest final block. The follower stops, and nothing is rewritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import ChainForked
from ledger.model import Followed
from tests.forks import start_anvil
from tests.office import TestOffice, office_at, record_of


def test_fault_16_a_final_block_that_is_another_one_now_stops_the_follower(tmp_path: Path) -> None:
    with start_anvil("--slots-in-an-epoch", "1") as chain, office_at(chain.url, tmp_path) as desk:
        store, name = desk.office.store, str(desk.trusted().name)
        application = desk.approve(desk.issue(desk.request()))
        for _ in range(3):
            desk.office.run_once()
            chain.rpc("anvil_mine", "0x4")
        desk.office.run_once()
        record_id = record_of(application)
        history, followed = store.history(name, record_id), store.followed(name)
        assert len(history) == 1 and followed
        assert followed == Followed(followed.number, desk.office.chain.block(followed.number).hash)

        chain.rpc("anvil_reorg", 12, [])
        chain.rpc("anvil_mine", "0x20")
        now = desk.office.chain.block(followed.number).hash
        for _ in range(2):
            with pytest.raises(ChainForked, match=f"{followed.hash.hex()}; now it is 0x{now.hex()}"):  # type: ignore[union-attr]
                follow(desk)
        assert (store.history(name, record_id), store.followed(name)) == (history, followed)
        # What was proved before is given to callers, and nothing is proved anew.
        with pytest.raises(ChainForked):
            desk.office.certifier.newest(desk.trusted(), record_id)
        assert desk.office.store.certificate(name, record_id)


def follow(desk: TestOffice) -> None:
    for follower in desk.office.followers:
        follower.run_once()
