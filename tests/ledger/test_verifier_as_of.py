"""What a certificate tells of an earlier time: its history is complete up to its block."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.registers.land import FROZEN
from ledger.verdict import Verdict
from ledger.verifier import verify
from tests.builders import (
    BLOCK_NUMBER,
    BLOCK_TIME,
    ISSUED_AT,
    TRANSFERRED_AT,
    World,
    as_bytes,
    content,
    entries_of,
    trust_root,
)
from tests.ledger.test_verifier_batch import TRUST as BATCHES
from tests.ledger.test_verifier_batch import VOID

RECORD = content()
HISTORY = entries_of(RECORD)


def status(verdict: Verdict) -> tuple[str, str]:
    assert verdict.axes["integrity"].state == "valid"
    return verdict.axes["status"].state, verdict.axes["status"].reason


def at(time: int, world: World | None = None) -> tuple[str, str]:
    return status(verify(as_bytes((world or World(record=RECORD)).certificate()), trust_root(), as_of=time))


def test_before_the_first_entry_nothing_was_recorded() -> None:
    assert at(ISSUED_AT - 1) == ("invalid", "nothing had been recorded by then")


def test_the_content_of_an_earlier_time_is_not_guessed() -> None:
    for time in (ISSUED_AT, TRANSFERRED_AT - 1):
        assert at(time)[0] == "unknown" and "another then" in at(time)[1]


def test_from_the_newest_entry_to_the_block_the_answer_is_that_of_now() -> None:
    for time in (TRANSFERRED_AT, BLOCK_TIME):
        assert at(time) == ("valid", "active, no lien")


def test_after_the_block_the_file_cannot_tell() -> None:
    assert at(BLOCK_TIME + 1) == ("unknown", f"the file tells nothing after block {BLOCK_NUMBER}: ask for a newer one")


def test_a_title_that_was_frozen_then_was_not_valid_then() -> None:
    first, second = HISTORY
    frozen = replace(first, status=FROZEN)
    world = World(record=RECORD, entries=(frozen, replace(second, previous=frozen.head)))
    assert at(ISSUED_AT, world)[0] == "invalid"
    assert at(TRANSFERRED_AT, world)[0] == "valid"


def test_a_right_that_has_ended_was_valid_before() -> None:
    record = content(validity="2025-09-30")  # the block is of October 9
    world = World(record=record, entries=entries_of(record, count=1))
    assert at(BLOCK_TIME, world)[0] == "invalid"
    assert at(ISSUED_AT, world)[0] == "valid"


@pytest.mark.parametrize(("seconds", "state"), [(0, "unknown"), (1, "valid"), (2, "invalid")])
def test_a_record_of_a_batch_was_what_its_corrections_had_made_of_it(seconds: int, state: str) -> None:
    # Appended, amended a second later, declared void another second later.
    verdict = verify(as_bytes(VOID.certificate()), BATCHES, as_of=BLOCK_TIME - 900 + seconds)
    assert status(verdict)[0] == state


def test_what_was_never_recorded_was_not_recorded_before() -> None:
    absence = as_bytes(World().absence())
    assert verify(absence, trust_root(), as_of=1).valid
    assert verify(absence, trust_root(), as_of=BLOCK_TIME).valid
    assert verify(absence, trust_root(), as_of=BLOCK_TIME + 1).axes["status"].state == "unknown"
