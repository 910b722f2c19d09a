"""What a reader typed: the code of a record, a parcel number, or what else a register names its records by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal
from urllib.parse import urlencode

from api.pages.i18n import mark
from ledger.bootstrap import Office
from ledger.encoding import ZERO32, to_hex
from ledger.errors import BadInput, Unavailable
from ledger.model import Block
from ledger.registers import register_of_kind
from ledger.trust import TrustedRegister

MAX_TYPED = 200


class Mistake(Enum):
    """What is wrong with the input: the id of the field, and the message."""

    NO_FILE = ("certificate", mark("Choose the certificate's file"))
    NOTHING_TYPED = ("typed", mark("Enter a code or a parcel number"))
    WRONG_LENGTH = ("typed", mark("The code must be 64 digits and letters a to f, after 0x"))
    NOT_A_CODE = ("typed", mark("Enter a code of 64 digits and letters, or a parcel number of digits and dots"))

    @property
    def field(self) -> str:
        return self.value[0]

    @property
    def message(self) -> str:
        return self.value[1]


@dataclass(frozen=True)
class Hit:
    kind: str
    record_id: str


@dataclass(frozen=True)
class Missing:
    """Nothing was ever recorded, as of a block. `proof` is where the proof of that is, empty where none can be made:
    only a subject's absence can be proved, not a code's. `asked`: whether the chain was asked for anything newer."""

    block: int
    proof: str
    asked: bool


def look_up(office: Office, typed: str) -> Hit | Missing | Mistake:
    """Raises Unavailable."""
    text = typed[: MAX_TYPED + 1].strip()
    if not text:
        return Mistake.NOTHING_TYPED
    if code := re.fullmatch(r"(?:0[xX])?([0-9a-fA-F]{64})", text):
        record_id = bytes.fromhex(code[1])
        return _first_hit(office, [(trusted, record_id, "") for trusted in office.trust.registers])
    if re.fullmatch(r"0[xX].*|[0-9a-fA-F]{25,}", text):
        return Mistake.WRONG_LENGTH
    named = [(trusted, subject) for trusted in office.trust.registers if (subject := _subject(trusted, text))]
    if not named:
        return Mistake.NOT_A_CODE
    return _first_hit(office, [(t, register_of_kind(t.kind).record_id(s), _proof(t, s)) for t, s in named])


def _first_hit(office: Office, candidates: list[tuple[TrustedRegister, bytes, str]]) -> Hit | Missing:
    block = min(office.state(trusted).followed() for trusted, _, _ in candidates)
    for trusted, record_id, _ in candidates:
        if register_of_kind(trusted.kind).history(record_id, office.state(trusted)):
            return Hit(trusted.kind, to_hex(record_id))
    asked = True
    for trusted, record_id, _ in candidates:
        found = newer(office, trusted, record_id)
        if isinstance(found, Block):
            return Hit(trusted.kind, to_hex(record_id))
        asked &= found is None
    return Missing(block, candidates[0][2], asked)


def _subject(trusted: TrustedRegister, text: str) -> Mapping[str, str] | None:
    """The fields that the register's record ids are made of, typed one after the other with slashes between."""
    register, parts = register_of_kind(trusted.kind), [part.strip() for part in text.split("/")]
    if len(parts) != len(register.subject_fields):
        return None
    subject = dict(zip(register.subject_fields, parts, strict=True))
    try:
        register.schema.validate_disclosed(subject)
    except BadInput:
        return None
    return subject


def _proof(trusted: TrustedRegister, subject: Mapping[str, str]) -> str:
    return f"/v1/{trusted.kind}/absence?{urlencode(subject)}"


def newer(office: Office, trusted: TrustedRegister, record_id: bytes) -> Block | Literal["unknown"] | None:
    """The newest block, when it holds a change of the record that is not final yet; None when there is none."""
    state = office.state(trusted)
    history = state.history(record_id)
    head = state.entry.from_json(history[-1].entry).head if history else ZERO32
    try:
        return office.chain.block("latest") if state.head(record_id) != head else None
    except Unavailable:
        return "unknown"
