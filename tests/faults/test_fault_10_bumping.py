"""FAULTS row 10: mining stops. Both fees rise by at least an eighth, one attempt wins, the others are replaced."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from ledger.errors import ChainUnreachable
from ledger.fees import Limits
from tests.fakes import FaultyChain
from tests.publishing import BUMP_SECONDS, Desk


@pytest.fixture
def stopped(forkable: Desk) -> Iterator[Desk]:
    forkable.rpc("evm_setAutomine", False)
    yield forkable
    forkable.rpc("evm_setAutomine", True)


def test_fault_10_each_attempt_offers_an_eighth_more_and_the_one_that_is_mined_replaces_the_rest(stopped: Desk) -> None:
    application = stopped.approved()
    stopped.publisher.run_once()
    stopped.publisher.run_once()
    assert len(stopped.attempts(application)) == 1
    for _ in range(2):
        stopped.clock.time += BUMP_SECONDS
        stopped.publisher.run_once()
    attempts = stopped.attempts(application)
    assert [attempt.state for attempt in attempts] == ["sent"] * 3
    for before, after in pairwise(attempts):
        assert 8 * after.max_fee >= 9 * before.max_fee and 8 * after.priority_fee >= 9 * before.priority_fee
    stopped.mine()
    assert stopped.settle(application) == ["certified"]
    assert [attempt.state for attempt in stopped.attempts(application)] == ["replaced", "replaced", "final"]
    assert stopped.transaction(application).hash == attempts[-1].hash
    assert stopped.recorded(application) == 1


def test_fault_10_an_earlier_attempt_that_is_mined_all_the_same_is_found(stopped: Desk) -> None:
    application = stopped.approved()
    stopped.publisher.run_once()
    stopped.clock.time += BUMP_SECONDS
    stopped.publisher.chain = FaultyChain(stopped.office.chain, before={"send"})
    with pytest.raises(ChainUnreachable):
        stopped.publisher.run_once()
    assert [attempt.state for attempt in stopped.attempts(application)] == ["sent", "signed"]
    stopped.mine()
    assert stopped.settle(application) == ["certified"]
    assert [attempt.state for attempt in stopped.attempts(application)] == ["final", "replaced"]
    assert stopped.recorded(application) == 1


def test_fault_10_no_more_than_the_cap_is_offered_and_that_is_told(stopped: Desk) -> None:
    application = stopped.approved()
    stopped.publisher.run_once()
    (first,) = stopped.attempts(application)
    stopped.publisher.limits = Limits(first.max_fee + first.max_fee // 16, BUMP_SECONDS, 0)
    stopped.clock.time += BUMP_SECONDS
    stopped.publisher.run_once()
    assert stopped.attempts(application) == (first,)
    assert any("may offer no more than the cap" in told for told in stopped.publisher.obstacles())
    stopped.mine()
    assert stopped.settle(application) == ["certified"]
