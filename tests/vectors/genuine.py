"""Genuine files: what an office hands out, of every register and action, in every way that it may be handed out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ledger.encoding import keccak256, to_hex
from ledger.registers import REGISTERS
from tests.builders import BLOCK_NUMBER, BLOCK_TIME, address
from tests.vectors.chain import NAMES, SUSPECT, SUSPECT_SINCE, Chain
from tests.vectors.history import Record
from tests.vectors.others import diplomas, erasures, identities, payments
from tests.vectors.titles import titles

_ADDRESS = re.compile(r'(?<=")0x[0-9a-fA-F]{40}"(?!:)')  # a value, not a key

States = tuple[str, str, str]
VALID: States = ("valid", "valid", "valid")
UNKNOWN: States = ("unknown", "unknown", "unknown")
ENDED: States = ("valid", "invalid", "valid")
# Genuine records that are not valid, with what refuses them.
NOT_VALID: Mapping[str, tuple[States, int, str]] = {
    **dict.fromkeys(
        [
            *("land-transfer-pending", "land-freeze", "land-assign", "land-retire", "land-split", "land-merge"),
            *("land-merge-other", "land-expired", "identity-suspend", "identity-revoke", "identity-expired"),
            "transactions-void",
        ],
        (ENDED, 12, "failed"),
    ),
    "identity-recover": (("valid", "unknown", "valid"), 12, "unknown"),
    "land-suspect-approver": (("valid", "valid", "unknown"), 10, "unknown"),
}
SUBJECTS = {
    "land": {"nib": "10.15.22.05.00999"},
    "identity": {"recordId": to_hex(keccak256(b"never drawn"))},
    "transactions": {"buyer": "id-contoh", "period": "2026-10"},
    "diplomas": {"institution": "id-ui", "year": "2027"},
}


@dataclass(frozen=True)
class Vector:
    """A file and what a verifier answers to it. `refusal`: number and outcome of the check that refuses it. `trust` is
    the name of a trust root or None; `document` the name of the document that is given; `block_hashes` the hashes that
    the caller believes."""

    name: str
    data: bytes
    states: States = VALID
    refusal: tuple[int, str] | None = None
    trust: str | None = "trust"
    document: str | None = None
    block_hashes: Mapping[int, bytes] | None = None


def compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@cache
def records() -> Mapping[str, Record]:
    kinds = {"land": titles, "identity": identities, "transactions": payments, "diplomas": diplomas}
    return {f"{kind}-{name}": record for kind, make in kinds.items() for name, record in make().items()}


def chain_of(all_records: Mapping[str, Record], **changes: Any) -> Chain:
    heads: dict[str, dict[bytes, bytes]] = {}
    for record in all_records.values():
        heads.setdefault(record.kind, {}).update(record.heads)
    others = {address(f"other clerk {i}"): BLOCK_TIME for i in range(3)}
    return Chain(heads, **{"suspects": {SUSPECT: SUSPECT_SINCE, **others}} | changes)


@cache
def chain() -> Chain:
    return chain_of(records())


@cache
def quiet_chain() -> Chain:
    """A later block with the header of Cancun, one title, and no suspicion ever recorded."""
    more = (keccak256(b"withdrawals"), 0, 0, keccak256(b"beacon root"))
    one = {"land-issue": records()["land-issue"]}
    return chain_of(one, suspects={}, number=BLOCK_NUMBER + 1, time=BLOCK_TIME + 12, more_header=more)


def certificate(name: str, shown: list[str] | None = None, on: Chain | None = None) -> dict[str, Any]:
    """The certificate of a record as JSON, with the fields `shown`, or all."""
    record = records()[name]
    return (on or chain()).certificate(record.kind, record.claim, record.content, shown).as_json()


def mandatory(name: str) -> list[str]:
    return sorted(REGISTERS[records()[name].kind].schema.mandatory)


def witnessed(*names: str, name: str = "land-issue") -> dict[str, Any]:
    """A certificate whose block these witnesses signed."""
    value = certificate(name)
    value["state"]["checkpoint"] = chain().checkpoint(names)
    return value


def genuine() -> list[Vector]:
    made = []
    for name in records():
        states, *refusal = NOT_VALID.get(name, (VALID,))
        made.append(Vector(name, compact(certificate(name)), states, tuple(refusal) or None))  # type: ignore[arg-type]
    absences = {kind: compact(chain().absence(kind, subject).as_json()) for kind, subject in SUBJECTS.items()}
    made += [Vector(f"absence-{kind}", data) for kind, data in absences.items()]
    for name in ("land-issue", "land-encumber", "identity-confirm", "transactions-amend", "diplomas-append"):
        made.append(Vector(f"{name}-withheld", compact(certificate(name, mandatory(name)))))
    for name in ("land-transfer", "identity-issue", "diplomas-append"):
        made.append(Vector(f"{name}-with-document", compact(certificate(name)), document="document.pdf"))
    return [*made, *_believed_otherwise(), *_written_otherwise(), *_at_another_block(), *_of_a_later_register()]


def _believed_otherwise() -> list[Vector]:
    hashes = {BLOCK_NUMBER: keccak256(chain().header)}
    unsigned, nobody = compact(witnessed()), "trust-without-witnesses"
    absence = chain().absence("land", SUBJECTS["land"]).as_json()
    return [
        *(Vector(f"witnesses-{'-'.join(names)}", compact(witnessed(*names))) for names in ("bc", "ca", "abc")),
        Vector("hash-supplied", unsigned, block_hashes=hashes),
        Vector("hash-supplied-and-no-witness-trusted", unsigned, trust=nobody, block_hashes=hashes),
        Vector("no-trust-root", unsigned, ("valid", "valid", "unknown"), (2, "unknown"), None, None, hashes),
        Vector("absence-no-trust-root", compact(absence), UNKNOWN, (2, "unknown"), None),
        Vector(
            "document-withheld",
            compact(certificate("land-issue", mandatory("land-issue"))),
            ("unknown", "valid", "valid"),
            (11, "unknown"),
            document="document.pdf",
        ),
    ]


def _written_otherwise() -> list[Vector]:
    value = certificate("land-transfer")
    return [
        Vector("indented", json.dumps(value, indent=2).encode()),
        Vector("keys-sorted", json.dumps(value, sort_keys=True).encode()),
        Vector("addresses-in-lower-case", _ADDRESS.sub(lambda match: match[0].lower(), json.dumps(value)).encode()),
        Vector("hex-in-upper-case", compact(_upper(value))),
    ]


def _upper(value: Any) -> Any:
    """All hex but that of addresses, whose case is a checksum, and that in the values of fields, which are hashed."""
    if isinstance(value, dict):
        return {key: item if key == "value" else _upper(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_upper(item) for item in value]
    is_hex = isinstance(value, str) and value.startswith("0x") and len(value) >= 66
    return "0x" + value[2:].upper() if is_hex else value


def _at_another_block() -> list[Vector]:
    value = certificate("land-issue", on=quiet_chain())
    listed = json.loads(compact(value))
    for nodes in listed["state"]["authority"]["slots"].values():
        nodes[:] = [] if nodes else ["0x80"]
    none = quiet_chain().absence("identity", SUBJECTS["identity"]).as_json()
    return [
        Vector("cancun-header", compact(value)),
        Vector("one-title", compact(certificate("land-issue", [*mandatory("land-issue"), "document"], quiet_chain()))),
        Vector("empty-storage-in-its-other-form", compact(listed)),
        Vector("absence-in-an-empty-register", compact(none)),
    ]


def _of_a_later_register() -> list[Vector]:
    made = {f"erasures-{name}": record for name, record in erasures().items()}
    later = chain_of({**records(), **made}, number=BLOCK_NUMBER + 2, time=BLOCK_TIME + 24, kinds=tuple(REGISTERS))
    certificates = {
        name: later.certificate(record.kind, record.claim, record.content).as_json() for name, record in made.items()
    }
    subject = {"register": str(NAMES["land"]).lower(), "erased": to_hex(keccak256(b"never erased"))}
    absence = later.absence("erasures", subject).as_json()
    return [
        Vector(name, compact(value), trust="trust-later")
        for name, value in {**certificates, "absence-erasures": absence}.items()
    ]
