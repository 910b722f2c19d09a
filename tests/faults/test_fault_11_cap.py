"""FAULTS row 11: the base fee is above the cap. Everything waits and says so; nothing is spent."""

from __future__ import annotations

from ledger.fees import GWEI
from tests.publishing import LIMITS, Desk


def test_fault_11_above_the_cap_nothing_is_signed_and_below_it_everything_goes_on(desk: Desk) -> None:
    application = desk.approved()
    desk.rpc("hardhat_setNextBlockBaseFeePerGas", hex(LIMITS.max_fee + GWEI))
    desk.publisher.run_once()
    assert (desk.state(application), desk.office.chain.next_nonce(desk.relayer.address)) == ("approved", 0)
    (told,) = desk.publisher.obstacles()
    assert "The base fee is 101.000 gwei and the cap 100.000: everything waits" in told
    desk.rpc("hardhat_setNextBlockBaseFeePerGas", hex(LIMITS.max_fee // 2))
    assert desk.publisher.obstacles() == []
    assert desk.settle(application) == ["certified"]
    assert desk.attempts(application)[0].max_fee == LIMITS.max_fee
    desk.rpc("hardhat_setNextBlockBaseFeePerGas", hex(GWEI))
    desk.mine()
