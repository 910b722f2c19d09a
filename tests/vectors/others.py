"""Identities, public transactions and diplomas of the golden vectors: one for each action, and what is special."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ledger import identity_entry as identity
from ledger import merkle
from ledger.batch_entry import (
    ACTIVE,
    AMEND,
    AMENDED,
    APPEND,
    APPEND_LEAVES,
    NOTHING,
    VOID,
    VOIDED,
    BatchEntry,
    batch_id,
)
from ledger.content import Content
from ledger.encoding import ZERO32, keccak256, to_hex
from ledger.entries import approvals_hash
from ledger.registers import REGISTERS
from ledger.registers.base import Claim
from ledger.registers.evidence import NoEvidence
from ledger.registers.leaf import Leaf
from ledger.registers.schema import end_of_day
from tests.builders import address
from tests.vectors.chain import NAMES, REGISTRARS, START, fixed_content
from tests.vectors.history import SEALED, Record, Step, claim, history, step

OLD, NEW = address("old key"), address("new key")
PERSON = {"name": "Siti Rahmawati", "birthDate": "1979-03-14", "birthPlace": "Sleman", "nationality": "Indonesia"}
SPENT = {"date": "2026-11-03", "period": "2026-11", "supplier": "PT Contoh Jaya", "currency": "IDR"}
GRADUATE = {"programme": "Ilmu Hukum", "name": "Siti Rahmawati", "birthDate": "2001-03-14", "graduated": "2026-08-31"}

_ISSUE = step(identity.ISSUE)
_RECOVER = step(identity.RECOVER, status=identity.RECOVERING, controller=NEW)
_SUSPEND = step(identity.SUSPEND, status=identity.SUSPENDED)
IDENTITIES: Mapping[str, Sequence[Step]] = {
    "issue": [_ISSUE],
    "renew": [_ISSUE, step(identity.RENEW)],
    "rotate": [_ISSUE, step(identity.ROTATE, controller=NEW)],
    "recover": [_ISSUE, _RECOVER],
    "confirm": [_ISSUE, _RECOVER, step(identity.CONFIRM, (), status=identity.ACTIVE)],
    "veto": [_ISSUE, _RECOVER, step(identity.VETO, (), status=identity.ACTIVE, controller=OLD)],
    "suspend": [_ISSUE, _SUSPEND],
    "reinstate": [_ISSUE, _SUSPEND, step(identity.REINSTATE, status=identity.ACTIVE)],
    "revoke": [_ISSUE, step(identity.REVOKE, status=identity.REVOKED)],
    "expired": [_ISSUE],
}
# How a batch was appended, its size, the place of the record in it, and the record's corrections.
PAYMENTS: Mapping[str, tuple[int, int, int, Sequence[int]]] = {
    "append": (APPEND, 11, 6, []),
    "append-last-leaf": (APPEND, 11, 10, []),
    "append-one-leaf": (APPEND, 1, 0, []),
    "appendLeaves": (APPEND_LEAVES, 8, 0, []),
    "amend": (APPEND, 11, 6, [AMEND, AMEND]),
    "void": (APPEND, 11, 6, [AMEND, VOID]),
}


def identities() -> Mapping[str, Record]:
    return {name: _identity(name, steps) for name, steps in IDENTITIES.items()}


def payments() -> Mapping[str, Record]:
    made = {}
    for name, (action, size, index, corrections) in PAYMENTS.items():
        fields = {"schema": "public-transaction@1", "buyer": f"id-{name.lower()}", "amount": "1250000.00", **SPENT}
        contents = [fixed_content(f"{name}/{n}", {**fields, "id": f"2026-11/{n:04}"}) for n in range(size)]
        made[name] = _leaf("transactions", contents, index, action, corrections)
    return made


def diplomas() -> Mapping[str, Record]:
    fields = {"schema": "diploma@1", "institution": "id-ui", "year": "2026", "degree": "Sarjana Hukum", **GRADUATE}
    numbers = [fields | {"number": f"UI-{n}", "document": SEALED} for n in range(5)]
    return {"append": _leaf("diplomas", [fixed_content(f["number"], f) for f in numbers], 3, APPEND, [])}  # type: ignore[arg-type]


def erasures() -> Mapping[str, Record]:
    fields = {
        "schema": "erasure@1",
        "register": str(NAMES["land"]).lower(),
        "erased": to_hex(keccak256(b"erased")),
        "ground": "court-order",
        "date": "2026-11-03",
    }
    return {"appendLeaves": _leaf("erasures", [fixed_content("erasure", fields)], 0, APPEND_LEAVES, [])}


def _identity(name: str, steps: Sequence[Step]) -> Record:
    record_id, validity = keccak256(f"identity {name}".encode()), "2025-10-08" if name == "expired" else "2035-06-30"
    fields = {"schema": "identity@1", "recordId": to_hex(record_id), "kind": "citizen", "validity": validity}
    content = fixed_content(f"identity/{name}", fields | PERSON | {"document": SEALED})
    words = (ZERO32, 0, 0, 0, identity.ACTIVE, content.digest, ZERO32, OLD, end_of_day(validity))
    made = claim(record_id, identity.IdentityEntry(*words), steps, NoEvidence())
    return Record("identity", made, content, content, {record_id: made.entries[-1].head})


def _leaf(kind: str, contents: Sequence[Content], index: int, action: int, corrections: Sequence[int]) -> Record:
    """The record at `index` of batch 3 of a series. Each AMEND of `corrections` brings a content of its own."""
    first = contents[index]
    values = first.disclose().values
    series, content = REGISTERS[kind].record_id(values), first
    leaves = [merkle.leaf_hash(one.digest) for one in contents]
    manifest = ZERO32 if action == APPEND_LEAVES else keccak256(b"manifest")
    sizes: tuple[Any, ...] = (merkle.root(leaves), len(leaves), len(leaves) + 40, manifest)
    batch = BatchEntry(keccak256(b"batch 2"), 3, START, action, ACTIVE, ZERO32, approvals_hash(REGISTRARS), *sizes)
    steps = []
    for number, correction in enumerate(corrections, 1):
        if correction == AMEND:
            content = fixed_content(f"{values['id']}/right {number}", values | {"amount": f"{number}.00"})
            steps.append(step(AMEND, digest=content.digest, status=AMENDED, manifest=keccak256(b"reason")))
        else:
            steps.append(step(VOID, digest=ZERO32, status=VOIDED))
    corrected = tuple((entry, REGISTRARS) for entry in history(NOTHING, steps))
    evidence = Leaf(first.digest, index, tuple(merkle.inclusion_path(leaves, index)), corrected)
    heads = {batch_id(series, 3): batch.head} | ({leaves[index]: corrected[-1][0].head} if corrected else {})
    return Record(kind, Claim(series, (batch,), (REGISTRARS,), evidence), content, first, heads)
