"""What the axes of a verdict say about a true certificate: suspect approvers, withheld fields, document, status."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.encoding import keccak256
from ledger.land_entry import Lien, lien_root, parents_of
from ledger.registers.land import TitleEvidence
from ledger.verdict import Verdict
from ledger.verifier import verify
from tests.builders import (
    DOCUMENT,
    ISSUED_AT,
    REGISTRARS,
    TRANSFERRED_AT,
    World,
    address,
    as_bytes,
    content,
    entries_of,
    trust_root,
)

WORLD = World()
VALID = WORLD.certificate().as_json()
MANDATORY = ("area", "nib", "right", "schema", "validity")


def states(verdict: Verdict) -> tuple[str, ...]:
    return tuple(verdict.axes[name].state for name in ("integrity", "status", "issuer"))


def refused_by(verdict: Verdict) -> int:
    assert not verdict.valid
    assert verdict.refusal is not None
    return verdict.refusal.number


@pytest.mark.parametrize(
    ("since", "expected"),
    [(0, "valid"), (TRANSFERRED_AT + 1, "valid"), (TRANSFERRED_AT, "unknown"), (ISSUED_AT, "unknown"), (1, "unknown")],
)
def test_an_approver_suspect_since_before_an_entry_clouds_the_issuer(since: int, expected: str) -> None:
    world = World(suspect_since={REGISTRARS[1]: since} if since else {})
    verdict = verify(as_bytes(world.certificate()), trust_root())
    assert states(verdict) == ("valid", "valid", expected)
    assert verdict.valid is (expected == "valid")
    if expected != "valid":
        assert refused_by(verdict) == 10
        assert REGISTRARS[1] in verdict.axes["issuer"].reason


@pytest.mark.parametrize(("threshold", "expected"), [(1, "valid"), (2, "valid"), (3, "invalid")])
def test_fewer_approvers_than_the_reader_asks_for_are_refused(threshold: int, expected: str) -> None:
    trust = trust_root(registers=tuple(replace(r, threshold=threshold) for r in trust_root().registers))
    verdict = verify(as_bytes(WORLD.certificate()), trust)
    assert verdict.axes["issuer"].state == expected
    assert expected == "valid" or refused_by(verdict) == 10


def test_that_a_key_is_suspect_cannot_be_hidden() -> None:
    suspected, before = World(suspect_since={REGISTRARS[0]: 1}).certificate().as_json(), VALID
    suspected["state"]["authority"] = before["state"]["authority"]
    assert refused_by(verify(as_bytes(suspected), trust_root())) == 10


@pytest.mark.parametrize("name", MANDATORY)
def test_no_mandatory_field_can_be_withheld(name: str) -> None:
    verdict = verify(as_bytes(WORLD.certificate([n for n in MANDATORY if n != name])), trust_root())
    assert refused_by(verdict) == 8
    assert name in verdict.axes["integrity"].reason


def test_every_other_field_can_be_withheld() -> None:
    verdict = verify(as_bytes(WORLD.certificate(MANDATORY)), trust_root())
    assert verdict.valid
    assert next(c for c in verdict.checks if c.number == 8).detail == "5 fields shown, others withheld"


def test_the_document_is_compared_with_the_recorded_one() -> None:
    wrong = verify(as_bytes(VALID), trust_root(), document=DOCUMENT + b" ")
    assert (refused_by(wrong), states(wrong)) == (11, ("invalid", "unknown", "unknown"))
    assert refused_by(verify(as_bytes(VALID), trust_root(), document=b"")) == 11
    hidden = verify(as_bytes(WORLD.certificate(MANDATORY)), trust_root(), document=DOCUMENT)
    assert (refused_by(hidden), states(hidden)[0]) == (11, "unknown")
    assert verify(as_bytes(WORLD.certificate(MANDATORY)), trust_root()).valid


def test_a_right_ends_with_the_last_day_of_its_validity() -> None:
    last_day = "2025-10-09"  # of BLOCK_TIME, in UTC
    for validity, expected in ((last_day, "valid"), ("2025-10-10", "valid"), ("2025-10-08", "invalid")):
        verdict = verify(as_bytes(World(record=content(validity=validity)).certificate()), trust_root())
        assert states(verdict) == ("valid", expected, "valid")
        if expected == "invalid":
            assert refused_by(verdict) == 12


def test_a_title_that_is_not_active_has_no_valid_status() -> None:
    record = content()
    entries = entries_of(record)
    retired = (*entries[:-1], replace(entries[-1], status=2))
    verdict = verify(as_bytes(World(record=record, entries=retired).certificate()), trust_root())
    assert (refused_by(verdict), states(verdict)) == (12, ("valid", "invalid", "valid"))


def test_liens_are_told() -> None:
    record = content()
    liens = (Lien(1, address("bank"), bytes(32)), Lien(2, address("uncle"), bytes(32)))
    entry = replace(entries_of(record, count=1)[0], liens=2, lienRoot=lien_root(liens))
    made = World(record=record, entries=(entry,)).certificate()
    verdict = verify(as_bytes(replace(made, evidence=TitleEvidence(liens))), trust_root())
    assert verdict.valid
    assert "2 lien" in verdict.axes["status"].reason
    for shown in (liens[:1], liens[::-1], (), (liens[0], replace(liens[1], creditor=address("friend")))):
        assert refused_by(verify(as_bytes(replace(made, evidence=TitleEvidence(shown))), trust_root())) == 9


def test_the_parcels_that_a_parcel_was_made_from_are_told() -> None:
    record, heads = content(), (keccak256(b"one parent"), keccak256(b"another"))
    entry = replace(entries_of(record, count=1)[0], parents=parents_of(heads))
    made = World(record=record, entries=(entry,)).certificate()
    shown = replace(made, evidence=TitleEvidence(parents=heads))
    assert verify(as_bytes(shown), trust_root()).valid
    for wrong in (heads[:1], (), (*heads, heads[0]), (heads[0], bytes(32))):
        assert refused_by(verify(as_bytes(replace(made, evidence=TitleEvidence(parents=wrong))), trust_root())) == 9
