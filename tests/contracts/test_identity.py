"""The program's codec of identities and the compiled contract, on a devnet: what one sends the other takes."""

from __future__ import annotations

import pytest

from ledger.encoding import from_hex
from ledger.entries import verify_history
from ledger.registers.identity import ACTIVE, RECOVERING, REGISTER, SUSPENDED
from tests.contracts.identities import DELAY, Identities, record, status
from tests.contracts.offices import Office, address_of

# Action, the key that the record names, the key in force that signs, the status it leaves, as a verifier sees it.
LIFE = [
    ("rotate", "second", "first", ACTIVE, "valid"),
    ("renew", "second", "", ACTIVE, "valid"),
    ("suspend", "second", "", SUSPENDED, "invalid"),
    ("reinstate", "second", "", ACTIVE, "valid"),
    ("recover", "third", "", RECOVERING, "unknown"),
    ("veto", "third", "second", ACTIVE, "valid"),
    ("recover", "third", "", RECOVERING, "unknown"),
    ("confirm", "third", "", ACTIVE, "valid"),
    ("revoke", "third", "", 3, "invalid"),
]


@pytest.fixture(scope="module")
def identities(office: Office) -> Identities:
    return Identities(office).deploy()


def test_every_change_of_a_life_is_taken_and_read_back(identities: Identities) -> None:
    first = record(1, address_of("first"))
    record_id = from_hex(first["recordId"], 32)
    identities.issue([first])
    for action, named, holder, left, seen in LIFE:
        identities.office.time += DELAY if action == "confirm" else 1
        ours = record(1, address_of(named), "2127-11-30" if action == "renew" else "2126-11-30")
        identities.change(action, ours, holder=holder, recipient=named)
        entry = identities.entries[record_id][-1]
        assert identities.head(record_id) == entry.head, action
        assert (REGISTER.actions[entry.action], entry.status) == (action, left)
        assert status(entry, identities.office.time) == seen
    history = identities.entries[record_id]
    verify_history(history)
    assert len(history) == len(LIFE) + 1
    controllers = [entry.controller for entry in history]
    names = ["first", "second", "second", "second", "second", "third", "second", "third", "third", "third"]
    assert controllers == [address_of(name) for name in names]


def test_a_batch_is_taken_and_read_back(identities: Identities) -> None:
    records = [record(number, address_of(f"controller {number}")) for number in range(10, 15)]
    identities.issue(records)
    for ours in records:
        (entry,) = identities.entries[from_hex(ours["recordId"], 32)]
        assert identities.head(from_hex(ours["recordId"], 32)) == entry.head
        assert (entry.controller, str(entry.validUntil)) == (ours["controller"], ours["validUntil"])


@pytest.mark.parametrize(("holder", "recipient"), [("stranger", "second"), ("first", "stranger")])
def test_a_rotation_that_another_signs_is_not_taken(identities: Identities, holder: str, recipient: str) -> None:
    ours = record(20 + len(holder), address_of("first"))
    identities.issue([ours])
    with pytest.raises(AssertionError, match=r"InvalidSignature|reverted"):
        identities.change("rotate", {**ours, "controller": address_of("second")}, holder=holder, recipient=recipient)
