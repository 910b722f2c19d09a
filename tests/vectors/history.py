"""Histories of records, made from a list of steps as the contracts make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from ledger.content import Content
from ledger.encoding import ZERO32, to_hex
from ledger.entries import Entry, approvals_hash
from ledger.registers.base import Claim
from tests.builders import DOCUMENT
from tests.vectors.chain import REGISTRARS, START, STEP

SEALED = {
    "sha256": to_hex(sha256(DOCUMENT).digest()),
    "size": str(len(DOCUMENT)),
    "mediaType": "application/pdf",
    "cid": "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy",
    "sealed": "true",
}


@dataclass(frozen=True)
class Record:
    """A record with the content that counts now and the one it had first, and the heads that its register holds of it,
    by record id."""

    kind: str
    claim: Claim
    content: Content
    first: Content
    heads: Mapping[bytes, bytes]


@dataclass(frozen=True)
class Step:
    """An entry, made from the one before by `changes`; `undo`: from the one before that, as if that had never been."""

    action: int
    approvers: Sequence[str]
    changes: Mapping[str, Any]
    undo: bool = False


def step(action: int, approvers: Sequence[str] = REGISTRARS, undo: bool = False, **changes: Any) -> Step:
    return Step(action, approvers, changes, undo)


def history(template: Entry, steps: Sequence[Step]) -> tuple[Any, ...]:
    """The entries of one record, `STEP` seconds apart. `template` is what the first one changes."""
    entries: list[Any] = []
    for number, one in enumerate(steps, 1):
        base = (template, *entries)[-2 if one.undo else -1]
        entry = replace(
            base,
            previous=entries[-1].head if entries else ZERO32,
            sequence=number,
            time=START + number * STEP,
            action=one.action,
            approvals=approvals_hash(one.approvers),
            **one.changes,
        )
        entries.append(entry)
    return tuple(entries)


def claim(record_id: bytes, template: Entry, steps: Sequence[Step], evidence: Any) -> Claim:
    """What is claimed of a record that has all its entries to itself."""
    return Claim(record_id, history(template, steps), tuple(tuple(one.approvers) for one in steps), evidence)
