"""FAULTS row 8: somebody else spends a relayer's nonce. It is noticed, told, and the application goes on the next."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from ledger.errors import ChainUnreachable
from tests.fakes import FaultyChain
from tests.publishing import Desk


def test_fault_08_a_nonce_that_another_spent_is_given_up_and_the_next_is_used(desk: Desk) -> None:
    application = desk.approved()
    desk.publisher.chain = FaultyChain(desk.office.chain, before={"send"})
    with pytest.raises(ChainUnreachable):
        desk.publisher.run_once()
    first = desk.transaction(application)
    assert first.nonce == 0
    desk.spend(0)
    with capture_logs() as logs:
        assert desk.settle(application) == ["certified"]
    second = desk.transaction(application)
    assert (second.nonce, second.state, desk.recorded(application)) == (1, "final", 1)
    (lost,) = desk.office.store.transactions("lost")
    assert [attempt.raw for attempt in lost.attempts] == [first.newest.raw]
    assert any(entry["log_level"] == "error" and entry["event"] == "nonce spent by another" for entry in logs)
    (told,) = desk.publisher.obstacles()
    assert f"Nonce 0 of relayer {desk.relayer.address} was spent by another transaction" in told


def test_fault_08_what_may_still_be_undone_is_not_given_up(forkable: Desk) -> None:
    application = forkable.approved()
    forkable.publisher.chain = FaultyChain(forkable.office.chain, before={"send"})
    with pytest.raises(ChainUnreachable):
        forkable.publisher.run_once()
    forkable.spend(0)
    forkable.publisher.run_once()
    assert (forkable.state(application), forkable.transaction(application).state) == ("signed", "signed")
    forkable.mine(3)
    forkable.publisher.run_once()
    assert forkable.transaction(application).nonce == 1
    assert forkable.settle(application) == ["certified"]


def test_fault_08_a_nonce_spent_while_nothing_waits_stops_the_key_until_all_is_read(desk: Desk) -> None:
    desk.spend(0)
    application = desk.approved()
    desk.publisher.run_once()
    assert desk.state(application) == "approved"
    assert any("transactions of it that this database lacks" in told for told in desk.publisher.obstacles())
    assert desk.settle(application) == ["certified"]
    assert desk.transaction(application).nonce == 1
