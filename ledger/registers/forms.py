"""What an applicant gives for a change of a register, and what the office knows when it drafts the payload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ledger.encoding import ZERO32, exact_list, parse_address, to_hex
from ledger.entries import Entry
from ledger.errors import AlreadyRecorded, BadInput, NotFound
from ledger.model import Application, RecordedEntry
from ledger.registers.schema import Check, pattern

Bounds = tuple[int, int]
NONE, ONE = (0, 0), (1, 1)
MAX_RECORDS = 10_000
MAX_DOCUMENTS = 400  # records whose documents come with them; as many fit into one transaction (EIP-7825)


@dataclass(frozen=True)
class RecordRequest:
    """The content of one record: the schema's fields, the holder's address where one is asked for, the PDF's bytes, and
    where the holder wants to open it without the office his X25519 public key in hex, `reader`."""

    fields: Mapping[str, str]
    holder: str = ""
    document: bytes = b""
    reader: str = ""


@dataclass(frozen=True)
class Change:
    """What is applied for. `subjects` name existing records by the fields that their ids are made of, `records` bring
    content, `details` hold the strings that the action's form asks for."""

    action: str
    records: Sequence[RecordRequest] = ()
    subjects: Sequence[Mapping[str, str]] = ()
    details: Mapping[str, str] = field(default_factory=dict)


def parse_change(action: str, value: object, documents: Sequence[bytes]) -> Change:
    """Read the JSON form of a change: {"records": [{"fields": {…}, "holder": "0x…", "reader": "0x…"}], "subjects":
    [{…}]} with the action's details beside them; each may be left out where it is empty. `documents` belong to the
    records in order. Raises BadInput."""
    if not isinstance(value, dict):
        raise BadInput("The request must be a JSON object.", "See the action's form.", "")
    records, subjects = (exact_list(value.get(name, []), MAX_RECORDS, f"/{name}") for name in ("records", "subjects"))
    details = {name: item for name, item in value.items() if name not in ("records", "subjects")}
    if wrong := sorted(name for name, item in details.items() if not isinstance(item, str)):
        raise BadInput(f"The detail {wrong[0][:60]!r} must be a string.", "", f"/{wrong[0][:60]}")
    if len(documents) > len(records):
        raise BadInput(f"{len(documents)} documents are given for {len(records)} records.", "Give one a record.")
    given = [*documents, *[b""] * (len(records) - len(documents))]
    read = [_record(record, given[i], f"/records/{i}") for i, record in enumerate(records)]
    return Change(action, read, [_object(s, f"/subjects/{i}") for i, s in enumerate(subjects)], details)


def _record(value: object, document: bytes, pointer: str) -> RecordRequest:
    given = _object(value, pointer)
    if unknown := sorted(given.keys() - {"fields", "holder", "reader"}):
        hint = "It has fields, holder and reader."
        raise BadInput(f"{pointer}: {unknown[0][:60]!r} is no part of a record.", hint, pointer)
    holder, reader = given.get("holder", ""), given.get("reader", "")
    for name, item in (("holder", holder), ("reader", reader)):
        if not isinstance(item, str):
            raise BadInput(f"{pointer}/{name}: expected a string.", "", f"{pointer}/{name}")
    return RecordRequest(_object(given.get("fields"), f"{pointer}/fields"), holder, document, reader)


def _object(value: object, pointer: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(f"{pointer}: expected a JSON object.", "", pointer)
    return value


@dataclass(frozen=True)
class Form:
    """How many subjects and records an action takes, least and most; whether each record names its holder; and the
    details it asks for, each with its check."""

    summary: str
    subjects: Bounds = NONE
    records: Bounds = NONE
    holders: bool = False
    asks: Mapping[str, Check] = field(default_factory=dict)

    def check(self, change: Change) -> None:
        """Check all but the contents and subjects themselves. Raises BadInput naming the part, never its value."""
        for name, given, (least, most) in (
            ("subjects", len(change.subjects), self.subjects),
            ("records", len(change.records), self.records),
        ):
            if not least <= given <= most:
                wanted = str(least) if least == most else f"{least} to {most}"
                raise BadInput(f"{change.action} takes {wanted} {name}; {given} are given.", "", f"/{name}")
        if missing := sorted(self.asks.keys() - change.details.keys()):
            raise BadInput(f"The detail {missing[0]} is missing.", f"{change.action} needs it.", f"/{missing[0]}")
        if unknown := sorted(change.details.keys() - self.asks.keys()):
            raise BadInput(f"{unknown[0][:60]!r} is no detail of {change.action}.", "Leave it out.", "/details")
        for name, check in self.asks.items():
            if problem := check(change.details[name]):
                raise BadInput(f"The detail {name} is not right: {problem}.", "", f"/{name}")
        for i, record in enumerate(change.records):
            if self.holders:
                parse_address(record.holder, f"/records/{i}/holder")
            elif record.holder:
                raise BadInput(f"{change.action} takes no holder.", "Leave it out.", f"/records/{i}/holder")


class Known(Protocol):
    """What the office knows of one register: its database, and the heads on its node's latest block."""

    def head(self, record_id: bytes) -> bytes:
        """Zero when nothing was ever recorded."""

    def heads(self, record_ids: Sequence[bytes]) -> list[bytes]:
        """Of many records, in order."""

    def history(self, record_id: bytes) -> list[RecordedEntry]:
        """Oldest first; empty when nothing was recorded. Raises Conflict when a newer change is not final yet."""

    def revealed(self, commitment: bytes) -> Any:
        """What the chain's events revealed of a commitment, as JSON. Raises NotFound."""

    def brought(self, record_id: bytes) -> Application:
        """The application that first brought content of a record. Raises NotFound."""

    def check_erasable(self, register: str, erased: bytes) -> None:
        """That this office holds content of a record of any register (or the content of a digest), and that no legal
        hold stands on it. `register` is its name, in any case. Raises NotFound, Conflict (erased already), Refused."""


def address(value: str) -> str | None:
    """An address, with the checksum of ERC-55 if its letters are of both cases."""
    try:
        parse_address(value)
    except BadInput:
        return "expected an address, 0x and 40 hex digits"
    return None


word = pattern(r"0x[0-9a-f]{64}", "32 bytes in lower-case hex")
rank = pattern(r"[1-9][0-9]{0,4}", "a whole number from 1")


def free(record_ids: Sequence[bytes], known: Known) -> None:
    """That these records are different and none exists. Raises BadInput, AlreadyRecorded."""
    if len(set(record_ids)) < len(record_ids):
        raise BadInput("Two records of the application have the same id.", "Each may occur once.", "/records")
    for record_id, head in zip(record_ids, known.heads(record_ids), strict=True):
        if head != ZERO32:
            raise AlreadyRecorded(
                f"Record {to_hex(record_id)} exists already.", "Look at its history; amend or transfer it instead."
            )


def existing(record_id: bytes, known: Known) -> list[RecordedEntry]:
    """The history of a record that must exist. Raises NotFound, Conflict."""
    history = known.history(record_id)
    if not history:
        raise NotFound(f"No record {to_hex(record_id)} is known.", "Check its number.")
    return history


def newest(history: Sequence[RecordedEntry], entry: type[Entry]) -> dict[str, Any]:
    """The members `head` and `current` of the payload of a change."""
    return {"head": to_hex(entry.from_json(history[-1].entry).head), "current": dict(history[-1].entry)}
