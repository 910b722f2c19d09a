"""FAULTS row 9: a nonce is missing in the node's pool. The lowest missing goes first; nothing is stuck behind it."""

from __future__ import annotations

from tests.publishing import Desk


def test_fault_09_the_node_forgets_the_first_of_three_and_gets_it_again_before_all_others(forkable: Desk) -> None:
    forkable.publisher.contract = None
    forkable.rpc("evm_setAutomine", False)
    try:
        applications = [forkable.approved() for _ in range(3)]
        forkable.publisher.run_once()
        assert [forkable.transaction(item).nonce for item in applications] == [0, 1, 2]
        forkable.rpc("anvil_dropTransaction", "0x" + forkable.transaction(applications[0]).hash.hex())
        forkable.mine()
        assert [forkable.recorded(item) for item in applications] == [0, 0, 0]
        forkable.publisher.run_once()
        forkable.mine()
        assert [forkable.recorded(item) for item in applications] == [1, 1, 1]
    finally:
        forkable.rpc("evm_setAutomine", True)
    assert forkable.settle(*applications) == ["certified"] * 3
    assert [len(forkable.attempts(item)) for item in applications] == [1, 1, 1]
