"""Land titles of the golden vectors: one for each action, which is that of its newest entry, and what is special."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ledger.content import Content
from ledger.encoding import ZERO32, keccak256
from ledger.land_entry import (
    ACTIVE,
    AMEND,
    ASSIGN,
    COMPLETE,
    ENCUMBER,
    FREEZE,
    FROZEN,
    ISSUE,
    MERGE,
    OBJECT,
    PENDING,
    RELEASE,
    RETIRE,
    RETIRED,
    SPLIT,
    TRANSFER,
    UNFREEZE,
    WITHDRAW,
    LandEntry,
    Lien,
    lien_root,
    parents_of,
)
from ledger.registers.land import REGISTER, TitleEvidence
from tests.builders import address
from tests.vectors.chain import COURT, REGISTRARS, SUSPECT, fixed_content
from tests.vectors.history import SEALED, Record, Step, claim, step

BOTH = tuple(sorted(REGISTRARS + COURT, key=str.lower))
WITH_SUSPECT = tuple(sorted((*REGISTRARS, SUSPECT), key=str.lower))
BANKS = tuple(Lien(rank, address(f"bank {rank}"), keccak256(f"claim {rank}".encode())) for rank in (1, 2))
TITLE = {"schema": "land-title@1", "right": "Hak Milik", "area": "412.50", "validity": "unlimited"}
PERSON = {"location": "Jl. Kenanga 7, Sleman", "holder": "Siti Rahmawati binti Hasan", "holderBirth": "1979-03-14"}
BUYER = {"location": "Jl. Kenanga 7", "holder": "Bùi Şükrü \U0001d49c"}

_ISSUE = step(ISSUE)
_FREEZE = step(FREEZE, COURT, status=FROZEN)
_WAIT = {"holder": address("buyer"), "status": PENDING}
_LIENS = [{"liens": count, "lienRoot": lien_root(BANKS[:count])} for count in (0, 1, 2)]

# A step with digest=None brings the second content of the parcel.
HISTORIES: Mapping[str, Sequence[Step]] = {
    "issue": [_ISSUE],
    "amend": [_ISSUE, step(AMEND, digest=None)],
    "transfer": [_ISSUE, step(TRANSFER, holder=address("buyer"), digest=None)],
    "transfer-pending": [_ISSUE, step(TRANSFER, digest=None, **_WAIT)],
    "encumber": [_ISSUE, step(ENCUMBER, **_LIENS[1]), step(ENCUMBER, **_LIENS[2])],
    "release": [_ISSUE, step(ENCUMBER, **_LIENS[1]), step(RELEASE, **_LIENS[0])],
    "freeze": [_ISSUE, _FREEZE],
    "unfreeze": [_ISSUE, _FREEZE, step(UNFREEZE, COURT, status=ACTIVE)],
    "assign": [_ISSUE, step(ASSIGN, BOTH, digest=None, **_WAIT)],
    "complete": [
        _ISSUE,
        step(TRANSFER, digest=None, **_WAIT),
        step(COMPLETE, status=ACTIVE),
        step(ASSIGN, BOTH, **_WAIT),
        step(COMPLETE, BOTH, status=ACTIVE),
    ],
    "withdraw": [_ISSUE, step(ASSIGN, BOTH, digest=None, **_WAIT), step(WITHDRAW, COURT, undo=True)],
    "object": [_ISSUE, step(TRANSFER, digest=None, **_WAIT), step(OBJECT, (), undo=True)],
    "retire": [_ISSUE, step(RETIRE, status=RETIRED)],
    "split": [_ISSUE, step(SPLIT, status=RETIRED)],
    "merge": [_ISSUE, step(MERGE, status=RETIRED)],
    "merge-other": [_ISSUE, step(ENCUMBER, **_LIENS[1]), step(MERGE, status=RETIRED)],
    "expired": [_ISSUE],
    "last-day": [_ISSUE],
    "suspect-approver": [step(ISSUE, WITH_SUSPECT), step(AMEND), step(AMEND, WITH_SUSPECT)],
    "approved-before-suspicion": [step(ISSUE, WITH_SUSPECT), step(AMEND, WITH_SUSPECT), step(AMEND)],
    "many-entries": [_ISSUE, *[step(AMEND)] * 9],
}
VALIDITY = {"expired": "2025-10-08", "last-day": "2025-10-09"}
EVIDENCE = {"encumber": TitleEvidence(BANKS), "merge-other": TitleEvidence(BANKS[:1])}


def titles() -> Mapping[str, Record]:
    made = {name: _title(name, number, HISTORIES[name]) for number, name in enumerate(HISTORIES, 1)}
    parents = {name: made[name].claim.entries[-2].head for name in ("split", "merge", "merge-other")}
    split, merged = (parents["split"],), tuple(sorted((parents["merge"], parents["merge-other"])))
    child = step(SPLIT, parents=parents_of(split))
    made["split-child"] = _title("split-child", 51, [child], TitleEvidence((), split))
    child = step(MERGE, parents=parents_of(merged), **_LIENS[1])
    made["merge-child"] = _title("merge-child", 52, [child], TitleEvidence(BANKS[:1], merged))
    return made


def _title(name: str, number: int, steps: Sequence[Step], evidence: TitleEvidence | None = None) -> Record:
    nib = f"10.15.22.05.{number:05}"
    fields = {**TITLE, "nib": nib, "validity": VALIDITY.get(name, "unlimited"), "document": SEALED}
    first, second = fixed_content(f"{nib}/1", fields | PERSON), fixed_content(f"{nib}/2", fields | BUYER)
    words = (ZERO32, 0, 0, 0, ACTIVE, first.digest, ZERO32, address(f"holder {number}"), 41250, 0, ZERO32, ZERO32)
    steps = [replace(one, changes=_with_digest(one.changes, second)) for one in steps]
    made = claim(REGISTER.record_id(fields), LandEntry(*words), steps, evidence or EVIDENCE.get(name, TitleEvidence()))
    content = second if made.digest == second.digest else first
    return Record("land", made, content, first, {made.record_id: made.entries[-1].head})


def _with_digest(changes: Mapping[str, Any], content: Content) -> Mapping[str, Any]:
    return {**changes, "digest": content.digest} if "digest" in changes else changes
