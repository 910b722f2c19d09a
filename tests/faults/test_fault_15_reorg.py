"""FAULTS row 15: a reorganisation of depth 1 to 3 takes a transaction away. The same bytes go out again."""

from __future__ import annotations

import pytest

from tests.publishing import Desk


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_fault_15_what_a_reorganisation_took_away_is_sent_again_and_recorded_once(forkable: Desk, depth: int) -> None:
    application = forkable.approved()
    forkable.publisher.run_once()
    forkable.mine(depth - 1)
    included = forkable.transaction(application)
    assert (forkable.state(application), included.state) == ("included", "included")
    forkable.rpc("anvil_reorg", depth, [])
    assert forkable.recorded(application) == 0
    forkable.publisher.run_once()
    assert (forkable.state(application), forkable.transaction(application).state) == ("sent", "sent")
    forkable.publisher.run_once()
    assert forkable.recorded(application) == 1
    assert forkable.settle(application) == ["certified"]
    again = forkable.transaction(application)
    assert [attempt.raw for attempt in again.attempts] == [attempt.raw for attempt in included.attempts]
    assert again.leading.block_hash != included.leading.block_hash


def test_fault_15_a_revert_that_is_undone_was_none(forkable: Desk) -> None:
    """Not final, a revert is no verdict: mined again in another block, the same bytes may succeed."""
    application = forkable.approved()
    forkable.publisher.run_once()
    transaction = forkable.transaction(application)
    assert forkable.state(application) == "included"
    forkable.rpc("anvil_reorg", 1, [])
    for _ in range(2):
        forkable.publisher.run_once()
    assert forkable.transaction(application).nonce == transaction.nonce
    assert forkable.settle(application) == ["certified"]
