"""What no office should have recorded: the proofs hold, and what they prove cannot be. It is refused too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ledger import merkle
from ledger.batch_entry import batch_id
from ledger.content import Content
from ledger.encoding import ZERO32, keccak256
from ledger.entries import approvals_hash
from ledger.registers.base import Claim
from ledger.registers.leaf import Leaf
from tests.builders import REGISTRARS
from tests.vectors.chain import fixed_content
from tests.vectors.genuine import Vector, chain_of, compact, records
from tests.vectors.history import Record

# By the base: what the content holds instead; None leaves the field out.
CONTENTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "land-issue": {
        "nib-of-another-parcel": {"nib": "10.15.22.05.00999"},
        "nib-is-no-parcel-number": {"nib": "10.15.22.05.00001."},
        "area-is-another": {"area": "413.50"},
        "area-with-one-decimal": {"area": "412.5"},
        "schema-of-a-later-version": {"schema": "land-title@2"},
        "validity-no-date": {"validity": "for ever"},
        "validity-no-day-of-the-calendar": {"validity": "2030-02-29"},
        "validity-in-another-form": {"validity": "20300228"},
        "holder-with-override": {"holder": "\u202eitiS"},
        "holder-not-in-nfc": {"holder": "Bu\u0300i"},
        "holder-with-unassigned-character": {"holder": "Siti \u0378"},
        "holder-too-long": {"holder": "S" * 201},
        "holder-of-spaces": {"holder": "  "},
        "holder-an-object": {"holder": {"name": "Siti"}},
        "unknown-field": {"colour": "red"},
        "no-nib-at-all": {"nib": None},
    },
    "identity-issue": {
        "record-id-is-another": {"recordId": "0x" + "1a" * 32},
        "validity-not-that-of-the-entry": {"validity": "2035-07-01"},
        "birth-date-no-date": {"birthDate": "14-03-1979"},
    },
    "transactions-append-one-leaf": {
        "date-not-in-the-month": {"date": "2026-12-01"},
        "buyer-of-another-series": {"buyer": "id-other"},
        "amount-minus-zero": {"amount": "-0.00"},
        "currency-in-lower-case": {"currency": "idr"},
    },
}


def careless() -> list[tuple[int, Vector]]:
    """Each with the number of the check that must refuse it."""
    made = []
    for base, all_changes in CONTENTS.items():
        for name, changes in all_changes.items():
            made.append((8, _vector(f"08-{base}-{name}", _with_content(records()[base], changes))))
    entries: Mapping[str, Callable[[list[Any]], list[Any]]] = {
        "sequence-left-out": lambda e: [e[0], replace(e[1], sequence=3)],
        "sequence-begins-at-2": lambda e: [replace(e[0], sequence=2), replace(e[1], sequence=3)],
        "older-than-the-entry-before": lambda e: [e[0], replace(e[1], time=e[0].time - 1)],
        "first-entry-follows-another": lambda e: [replace(e[0], previous=keccak256(b"before")), e[1]],
    }
    for name, change in entries.items():
        made.append((7, _vector(f"07-recorded-{name}", _with_entries(records()["land-transfer"], change))))
    late = _with_entries(records()["land-assign"], lambda e: [e[0], replace(e[1], time=(1 << 40) - 1)])
    made.append((7, _vector("07-recorded-at-a-time-without-a-date", late)))
    made.append((9, _vector("09-recorded-batch-of-no-leaves", _empty_batch(records()["transactions-append-one-leaf"]))))
    alone = _with_entries(records()["land-transfer"], lambda e: [e[0], replace(e[1], approvals=approvals_hash(()))])
    alone = replace(alone, claim=replace(alone.claim, approvers=(REGISTRARS, ())))
    return [*made, (10, _vector("10-recorded-without-approvers", alone))]


def _vector(name: str, record: Record) -> Vector:
    certificate = chain_of({"": record}, suspects={}).certificate(record.kind, record.claim, record.content)
    return Vector(name, compact(certificate.as_json()))


def _with_content(record: Record, changes: Mapping[str, Any]) -> Record:
    values = record.content.disclose().values | changes
    content = fixed_content("careless", {name: value for name, value in values.items() if value is not None})
    if record.kind == "transactions":
        return _with_leaf(record, content)
    return replace(_with_entries(record, lambda e: [replace(e[0], digest=content.digest)]), content=content)


def _with_leaf(record: Record, content: Content) -> Record:
    """A batch of this one content."""
    leaf = merkle.leaf_hash(content.digest)
    batch = replace(record.claim.entries[0], root=leaf)  # type: ignore[call-arg]
    claim = replace(record.claim, entries=(batch,), evidence=Leaf(content.digest, 0, ()))
    return Record(record.kind, claim, content, content, {batch_id(claim.record_id, 3): batch.head})


def _with_entries(record: Record, change: Callable[[list[Any]], list[Any]]) -> Record:
    """The same record with changed entries, each of which follows the one before."""
    entries: list[Any] = []
    for entry in change(list(record.claim.entries)):
        entries.append(replace(entry, previous=entries[-1].head) if entries else entry)
    claim: Claim = replace(record.claim, entries=tuple(entries))
    return replace(record, claim=claim, heads={claim.record_id: entries[-1].head})


def _empty_batch(record: Record) -> Record:
    batch = replace(record.claim.entries[0], root=merkle.root([]), count=0, digest=ZERO32)  # type: ignore[call-arg]
    claim = replace(record.claim, entries=(batch,))
    return replace(record, claim=claim, heads={batch_id(claim.record_id, 3): batch.head})
