"""Forged files that checks 6 to 9 must refuse: entries, content or evidence that the head does not commit to."""

from __future__ import annotations

from tests.builders import address
from tests.vectors.forged_blocks import BATCH, CHECKPOINT, LAND, MENDED
from tests.vectors.genuine import certificate, mandatory, records
from tests.vectors.tamper import Forgery, Tamper, change, drop, every, last_digit, put, swap

SOLD, LIENS = "land-transfer", "land-encumber"
WORD = "0x" + "1a" * 32
LIEN = {"rank": 1, "creditor": address("bank 9"), "claim": WORD}
FIELDS, NIB_PATH = "/content/fields", "/content/fields/nib/path"


def newest_entries() -> list[Forgery]:
    """For check 6."""
    sold, other = certificate(SOLD), certificate("land-amend")
    return [
        Forgery("area", LAND, put("/entries/-1/area", "99999")),
        Forgery("holder", SOLD, put("/entries/-1/holder", address("thief"))),
        Forgery("status", "land-freeze", put("/entries/-1/status", 1)),
        Forgery("status-of-a-retired-parcel", "land-split", put("/entries/-1/status", 1)),
        Forgery("lien-hidden", LIENS, put("/entries/-1/liens", 1)),
        Forgery("digest", LAND, put("/entries/-1/digest", WORD)),
        Forgery("approvals", LAND, put("/entries/-1/approvals", WORD)),
        Forgery("action", LAND, put("/entries/-1/action", 2)),
        Forgery("newest-entry-dropped", SOLD, every(drop("/entries/-1"), drop("/approvers/-1"))),
        Forgery("entry-added", LAND, every(put("/entries", sold["entries"]), put("/approvers", sold["approvers"]))),
        Forgery("entries-in-reverse", SOLD, change("/entries", lambda v: v[::-1])),
        Forgery("entries-of-another-title", SOLD, put("/entries", other["entries"])),
        Forgery("freeze-dropped", "land-freeze", every(drop("/entries/-1"), drop("/approvers/-1"))),
        Forgery("controller", "identity-rotate", put("/entries/-1/controller", address("thief"))),
        Forgery("identity-end", "identity-expired", put("/entries/-1/validUntil", 4_000_000_000)),
        Forgery("recovery-hidden", "identity-recover", every(drop("/entries/-1"), drop("/approvers/-1"))),
        Forgery("batch-root", BATCH, put("/entries/-1/root", WORD)),
        Forgery("batch-of-no-leaves", BATCH, put("/entries/-1/count", "0")),
    ]


def histories() -> list[Forgery]:
    """For check 7."""
    return [
        Forgery("first-entry-dropped", SOLD, every(drop("/entries/0"), drop("/approvers/0"))),
        Forgery("middle-entry-dropped", "land-many-entries", every(drop("/entries/4"), drop("/approvers/4"))),
        Forgery("entries-swapped", "land-many-entries", swap("/entries/3", "/entries/4")),
        Forgery("entry-twice", SOLD, every(_first_twice("/entries"), _first_twice("/approvers"))),
        Forgery("first-holder", SOLD, put("/entries/0/holder", address("thief"))),
        Forgery("first-time", SOLD, put("/entries/0/time", 1)),
        Forgery("first-previous", SOLD, put("/entries/0/previous", WORD)),
        Forgery("freeze-hidden-in-the-past", "land-unfreeze", put("/entries/1/status", 1)),
        Forgery("recovery-hidden-in-the-past", "identity-confirm", put("/entries/1/status", 1)),
        Forgery("first-correction-dropped", MENDED, drop("/evidence/corrections/0")),
        Forgery("first-correction-changed", MENDED, put("/evidence/corrections/0/entry/digest", WORD)),
    ]


def contents() -> list[Forgery]:
    """For check 8."""
    return [
        *(_withheld(LAND, field) for field in mandatory(LAND)),
        *(_withheld("identity-issue", field) for field in mandatory("identity-issue")),
        *(_withheld(BATCH, field) for field in ("id", "amount", "supplier")),
        _withheld("diplomas-append", "degree"),
        Forgery("no-fields", LAND, put("/content/fields", [])),
        Forgery("right", LAND, put("/content/fields/right/value", "Hak Pakai")),
        Forgery("holder-in-content", LAND, put("/content/fields/holder/value", "Budi Santoso")),
        Forgery("area-in-content", LAND, put("/content/fields/area/value", "999.99")),
        Forgery("nib-in-content", LAND, put("/content/fields/nib/value", "10.15.22.05.00999")),
        Forgery("document-in-content", LAND, put("/content/fields/document/value/sha256", WORD)),
        Forgery("document-member-added", LAND, put("/content/fields/document/value/more", "1")),
        Forgery("salt", LAND, put("/content/fields/nib/salt", "A" * 22)),
        Forgery("name-of-a-field", LAND, put("/content/fields/holderBirth/name", "holderBorn")),
        Forgery("values-swapped", LAND, swap("/content/fields/holder/value", "/content/fields/location/value")),
        Forgery("path-short", LAND, drop("/content/fields/nib/path/-1")),
        Forgery("path-long", LAND, change("/content/fields/nib/path", lambda v: [*v, WORD])),
        Forgery("path-in-reverse", LAND, change("/content/fields/nib/path", lambda v: v[::-1])),
        Forgery("path-node", LAND, change("/content/fields/nib/path/0", last_digit)),
        Forgery("size-smaller", LAND, put("/content/size", 7)),
        Forgery("size-larger", LAND, put("/content/size", 17)),
        Forgery("size-zero", LAND, put("/content/size", 0)),
        Forgery("size-of-a-tree-one-level-higher", BATCH, put("/content/size", 16)),
        Forgery("last-index-duplicated", LAND, put("/content/fields/validity/index", 9)),
        Forgery("content-of-another-title", LAND, put("/content", certificate("land-freeze")["content"])),
        Forgery("content-before-the-transfer", SOLD, put("/content", certificate(LAND)["content"])),
        Forgery("content-before-the-correction", MENDED, put("/content", _first(MENDED))),
        Forgery(
            "right-in-a-block-that-nobody-signed",
            LAND,
            every(put(CHECKPOINT, ""), put("/content/fields/right/value", "Hak Pakai")),
        ),
    ]


def evidence() -> list[Forgery]:
    """For check 9."""
    return [
        Forgery("lien-added", LAND, change("/evidence/liens", lambda v: [LIEN])),
        Forgery("liens-left-out", LIENS, put("/evidence/liens", [])),
        Forgery("last-lien-left-out", LIENS, drop("/evidence/liens/-1")),
        Forgery("liens-swapped", LIENS, swap("/evidence/liens/0", "/evidence/liens/1")),
        Forgery("lien-rank", LIENS, put("/evidence/liens/0/rank", 3)),
        Forgery("lien-creditor", LIENS, put("/evidence/liens/0/creditor", address("thief"))),
        Forgery("lien-claim", LIENS, put("/evidence/liens/0/claim", WORD)),
        Forgery("parent-added", LAND, put("/evidence/parents", [WORD])),
        Forgery("parents-left-out", "land-merge-child", put("/evidence/parents", [])),
        Forgery("one-parent-left-out", "land-merge-child", drop("/evidence/parents/0")),
        Forgery("parent-twice", "land-merge-child", change("/evidence/parents", lambda v: [*v, v[-1]])),
        Forgery("leaf-index", BATCH, put("/evidence/index", "5")),
        Forgery("leaf-index-of-a-duplicated-last-leaf", "transactions-append-last-leaf", put("/evidence/index", "11")),
        Forgery("leaf-path-short", BATCH, drop("/evidence/path/-1")),
        Forgery("leaf-path-long", BATCH, change("/evidence/path", lambda v: [*v, WORD])),
        Forgery("leaf-path-for-a-batch-of-one", "transactions-append-one-leaf", put("/evidence/path", [WORD])),
        Forgery("leaf-path-node", BATCH, change("/evidence/path/0", last_digit)),
        Forgery("last-correction-left-out", "transactions-void", drop("/evidence/corrections/-1")),
        Forgery("two-batches", BATCH, every(_first_twice("/entries"), _first_twice("/approvers"))),
    ]


def _withheld(name: str, field: str) -> Forgery:
    return Forgery(f"{name}-without-{field.lower()}", name, drop(f"/content/fields/{field}"))


def _first(name: str) -> object:
    """The content that a record had at first."""
    return records()[name].first.disclose().as_json()


def _first_twice(pointer: str) -> Tamper:
    return change(pointer, lambda items: [items[0], *items])
