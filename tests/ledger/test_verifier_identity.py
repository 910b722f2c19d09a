"""What a verifier says of an identity: its recoveries, and the entries that no registrar approves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.certificate import Absence, Certificate
from ledger.content import Content
from ledger.encoding import ZERO32, keccak256, to_hex
from ledger.entries import approvals_hash
from ledger.registers.evidence import NoEvidence
from ledger.registers.identity import REGISTER, IdentityEntry
from ledger.verdict import Verdict
from ledger.verifier import verify
from tests.builders import BLOCK_TIME, NAME, REGISTRARS, World, address, as_bytes, trust_root

RECORD_ID = keccak256(b"32 random bytes")
FIELDS = {
    "schema": "identity@1",
    "recordId": to_hex(RECORD_ID),
    "kind": "citizen",
    "validity": "2035-06-30",
    "name": "Siti Rahmawati binti Hasan",
    "birthDate": "1979-03-14",
    "birthPlace": "Sleman",
}
END = 2_066_860_800  # 2035-07-01T00:00:00Z
TRUST = trust_root(registers=(replace(trust_root().registers[0], kind="identity"),))
RECOVERY = [("issue", 1, "old"), ("recover", 4, "new")]
CONFIRMED = [*RECOVERY, ("confirm", 1, "new")]


def history(record: Content, changes: list[tuple[str, int, str]]) -> tuple[IdentityEntry, ...]:
    """`changes` are action, status and controller's name, oldest first."""
    made: list[IdentityEntry] = []
    numbers = {name: number for number, name in REGISTER.actions.items()}
    for sequence, (action, status, controller) in enumerate(changes, 1):
        approvals = approvals_hash(() if action in ("confirm", "veto") else REGISTRARS)
        previous = made[-1].head if made else ZERO32
        words = (previous, sequence, BLOCK_TIME - 1000 + sequence, numbers[action], status, record.digest, approvals)
        made.append(IdentityEntry(*words, address(controller), END))
    return tuple(made)


def certificate(changes: list[tuple[str, int, str]], withheld: tuple[str, ...] = (), **world: Any) -> Certificate:
    record = Content.salted(FIELDS)
    entries: Any = history(record, changes)
    shown = [name for name in FIELDS if name not in withheld]
    made = World(record=record, entries=entries, record_id=RECORD_ID, **world).certificate(shown)
    approvers = tuple(() if e.approvals == approvals_hash(()) else REGISTRARS for e in entries)
    return replace(made, kind="identity", approvers=approvers, evidence=NoEvidence())


def states(verdict: Verdict) -> tuple[str, ...]:
    return tuple(verdict.axes[name].state for name in ("integrity", "status", "issuer"))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        (RECOVERY[:1], "valid"),
        (RECOVERY, "unknown"),
        (CONFIRMED, "valid"),
        ([*RECOVERY, ("veto", 1, "old")], "valid"),
        ([*RECOVERY[:1], ("suspend", 2, "old")], "invalid"),
        ([*CONFIRMED, ("revoke", 3, "new")], "invalid"),
    ],
)
def test_the_verdict_is_on_the_newest_entry(changes: list[tuple[str, int, str]], status: str) -> None:
    assert states(verify(as_bytes(certificate(changes)), TRUST)) == ("valid", status, "valid")


def test_an_identity_has_expired_from_the_second_after_its_last_day() -> None:
    for time, status in [(END - 1, "valid"), (END, "invalid")]:
        verdict = verify(as_bytes(certificate(CONFIRMED, time=time)), TRUST)
        assert states(verdict) == ("valid", status, "valid")


def test_all_that_is_about_the_person_may_be_withheld_and_no_more() -> None:
    personal = ("name", "birthDate", "birthPlace")
    assert verify(as_bytes(certificate(CONFIRMED, personal)), TRUST).valid
    for name in ("schema", "recordId", "kind", "validity"):
        verdict = verify(as_bytes(certificate(CONFIRMED, (name,))), TRUST)
        assert verdict.refusal is not None and verdict.refusal.number == 8


@pytest.mark.parametrize("number", [0, 1, 2])
def test_nobody_may_be_added_to_or_left_out_of_the_approvers_of_an_entry(number: int) -> None:
    made = certificate(CONFIRMED)
    approvers = list(made.approvers)
    approvers[number] = () if approvers[number] else REGISTRARS
    verdict = verify(as_bytes(replace(made, approvers=tuple(approvers))), TRUST)
    assert verdict.refusal is not None and verdict.refusal.number == 10


def test_a_confirmation_does_not_hide_that_an_approver_of_the_recovery_was_suspect() -> None:
    suspect = {REGISTRARS[0]: BLOCK_TIME - 998}
    assert states(verify(as_bytes(certificate(CONFIRMED, suspect_since=suspect)), TRUST))[2] == "unknown"
    after = {REGISTRARS[0]: BLOCK_TIME - 997}
    assert states(verify(as_bytes(certificate(CONFIRMED, suspect_since=after)), TRUST))[2] == "valid"


def test_an_id_that_was_never_issued_is_proved_absent() -> None:
    other = keccak256(b"never drawn")
    state = World().state({"head": other}, with_authority=False)
    absence = Absence(NAME, "identity", {"recordId": to_hex(other)}, state)
    verdict = verify(as_bytes(absence), TRUST)
    assert verdict.valid and verdict.axes["status"].reason == "never issued"
