"""FAULTS 17: finality is stuck for an hour. It is shown with its age, and issuing goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ledger.follower import Lag, lag
from ledger.model import Block
from tests.fakes import FakeClock
from tests.faults.proxy import proxied
from tests.forks import start_anvil
from tests.office import TestOffice, office_at, record_of

HOUR = 3600


class Stuck:
    """A node that goes on and calls no later block final."""

    def __init__(self) -> None:
        self.final: Any = None

    def __call__(self, request: dict[str, Any], forward: Any) -> Any:
        if self.final is not None and request["params"][:1] == ["finalized"]:
            return {"jsonrpc": "2.0", "id": request["id"], "result": self.final}
        return forward()


def test_fault_17_stuck_finality_is_shown_with_its_age_and_issuing_goes_on(tmp_path: Path) -> None:
    node = Stuck()
    with (
        start_anvil("--slots-in-an-epoch", "1") as chain,
        proxied(chain.url, node) as proxy,
        office_at(chain.url, tmp_path, through=proxy.url) as desk,
    ):
        chain.rpc("anvil_mine", "0x4")
        desk.office.run_once()
        node.final = chain.rpc("eth_getBlockByNumber", "finalized", False)
        chain.rpc("evm_increaseTime", HOUR)
        chain.rpc("anvil_mine", "0x8")
        clock = FakeClock(desk.office.chain.block("latest").time)
        application = desk.approve(desk.issue(desk.request()))
        for _ in range(3):
            desk.office.run_once()
            chain.rpc("anvil_mine", "0x4")
        assert desk.office.store.application(application.id).state == "included"
        assert desk.office.store.history(str(desk.trusted().name), record_of(application)) == []
        shown = shown_lag(desk, clock)
        assert shown.final == shown.followed == int(node.final["number"], 16) < shown.head - 8
        assert shown.final_age is not None and HOUR <= shown.final_age < HOUR + 60
        node.final = None
        assert desk.certify(application.id).state == "certified"
        assert (shown_lag(desk, clock).final_age or 0) < HOUR


def shown_lag(desk: TestOffice, clock: FakeClock) -> Lag:
    chain, followed = desk.office.chain, desk.office.store.cursor(str(desk.trusted().name))
    return lag(chain.block("latest"), chain.block("finalized"), followed, clock.now())


def test_fault_17_a_chain_without_a_final_block_has_no_age() -> None:
    head, final = Block(9, bytes(32), 1000, b""), Block(7, bytes(32), 900, b"")
    assert lag(head, None, None, 2000) == Lag(9, None, None, None)
    assert lag(head, final, 6, 2000) == Lag(9, 7, 6, 1100)
    assert lag(head, final, 6, 890) == Lag(9, 7, 6, 0)  # a clock that is behind the chain's
