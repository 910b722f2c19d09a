"""Certificates and proofs of absence: the files that carry an answer and its proof (docs/protocol.md section 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

from ledger.content import Disclosure
from ledger.encoding import (
    RegisterName,
    exact_list,
    exact_object,
    from_hex,
    hex_list,
    parse_address,
    parse_json,
    to_hex,
)
from ledger.entries import Entry
from ledger.errors import BadInput
from ledger.printing.attachment import attached_certificate, is_pdf
from ledger.registers import register_of_kind
from ledger.registers.base import Register, State
from ledger.registers.evidence import Evidence
from ledger.state_proof import MAX_NODES
from ledger.trust import MAX_APPROVERS

CERTIFICATE = "khalayak-certificate@1"
ABSENCE = "khalayak-absence@1"
MAX_BYTES = 4 << 20
MAX_ENTRIES = 4096
MAX_CHECKPOINT = 16384


@dataclass(frozen=True)
class ContractProof:
    """EIP-1186 nodes, root first: of a contract's account, and of one storage slot for each key."""

    account: tuple[bytes, ...]
    slots: Mapping[str, tuple[bytes, ...]]


@dataclass(frozen=True)
class StateProof:
    """The header as it is hashed and what it proves: `register` has the slots that the evidence names ("head", and
    "leaf" for a record of a batch), `authority` one a registrar."""

    header: bytes
    register: ContractProof
    authority: ContractProof | None
    checkpoint: str

    def as_json(self) -> dict[str, Any]:
        value = {"header": to_hex(self.header), "register": _contract_json(self.register)}
        if self.authority:
            value["authority"] = _contract_json(self.authority)
        return value | {"checkpoint": self.checkpoint}


@dataclass(frozen=True)
class Certificate:
    """A record as of a block: its entries oldest first, who approved each, what they only commit to, and the disclosed
    part of its content. The record of a batch has the one entry of its batch, and `record_id` is that of the series."""

    register: RegisterName
    kind: str
    record_id: bytes
    entries: tuple[Entry, ...]
    approvers: tuple[tuple[str, ...], ...]
    evidence: Evidence
    content: Disclosure
    state: StateProof

    @property
    def newest(self) -> tuple[Entry, bytes]:
        """The entry that says how the record is now, and the digest of the content that counts."""
        return self.evidence.states(self.entries)[-1]

    def disclosing(self, names: Set[str]) -> Certificate:
        """The certificate that shows these fields, and those that may not be withheld, of those that this one shows.
        Raises BadInput for a field that it does not show."""
        if unknown := sorted(names - self.content.values.keys()):
            raise BadInput(f"The certificate shows no field {unknown[0][:60]!r}.", "Its fields are in /content/fields.")
        shown = names | register_of_kind(self.kind).schema.mandatory
        kept = tuple(field for field in self.content.fields if field.field.name in shown)
        return replace(self, content=replace(self.content, fields=kept))

    def status_at(self, time: int) -> tuple[State, str]:
        """The status at a time in seconds, up to that of the block: until then the history is complete."""
        states = [state for state in self.evidence.states(self.entries) if state[0].time <= time]
        if not states:
            return "invalid", "nothing had been recorded by then"
        entry, digest = states[-1]
        same_content = digest == self.newest[1]
        values = self.content.values if same_content else {}
        state, reason = register_of_kind(self.kind).status(values, entry, time)
        if state != "invalid" and not same_content:
            return "unknown", "the content was another then: ask for the certificate of that time"
        return state, reason

    @property
    def approved(self) -> Iterator[tuple[Entry, tuple[str, ...]]]:
        """Every entry with its approvers, those of the evidence last."""
        yield from zip(self.entries, self.approvers, strict=True)
        yield from self.evidence.approved()

    def as_json(self) -> dict[str, Any]:
        return {
            "format": CERTIFICATE,
            "register": str(self.register),
            "kind": self.kind,
            "recordId": to_hex(self.record_id),
            "entries": [entry.as_json() for entry in self.entries],
            "approvers": [list(approvers) for approvers in self.approvers],
            "evidence": self.evidence.as_json(),
            "content": self.content.as_json(),
            "state": self.state.as_json(),
        }


@dataclass(frozen=True)
class Absence:
    """That a register never recorded anything about `subject` (the public fields that the record id is made of)."""

    register: RegisterName
    kind: str
    subject: Mapping[str, str]
    state: StateProof

    def as_json(self) -> dict[str, Any]:
        return {
            "format": ABSENCE,
            "register": str(self.register),
            "kind": self.kind,
            "subject": dict(self.subject),
            "state": self.state.as_json(),
        }


def file_in(data: bytes) -> bytes:
    """The file itself, or the one that a PDF carries. Raises TooLarge, BadInput."""
    return attached_certificate(data, (CERTIFICATE, ABSENCE), MAX_BYTES + 1) if is_pdf(data) else data


def parse(data: bytes) -> Certificate | Absence:
    """Parse a certificate or a proof of absence, or the one that a PDF carries. Sizes and counts are bounded. Raises
    TooLarge, BadInput."""
    value = parse_json(file_in(data), MAX_BYTES, "The certificate")
    if not isinstance(value, dict) or value.get("format") not in (CERTIFICATE, ABSENCE):
        raise BadInput(f"This is not a {CERTIFICATE} or {ABSENCE} file.", "Choose the .json file of the office.")
    return _parse_certificate(value) if value["format"] == CERTIFICATE else _parse_absence(value)


def parse_subject(register: Register, value: object) -> dict[str, str]:
    """The fields that a register's record ids are made of, exactly and valid. A subject that no record can have was
    never recorded either, and must not pass for one that looks like it. Raises BadInput."""
    subject = exact_object(value, set(register.subject_fields), "/subject")
    register.schema.validate_disclosed(subject)
    return subject


def _parse_certificate(value: dict[str, Any]) -> Certificate:
    keys = {"format", "register", "kind", "recordId", "entries", "approvers", "evidence", "content", "state"}
    value = exact_object(value, keys, "")
    register = register_of_kind(_text(value["kind"], "/kind"))
    record_id = from_hex(value["recordId"], 32, "/recordId")
    evidence = register.parse_evidence(value["evidence"], "/evidence")
    entries = exact_list(value["entries"], MAX_ENTRIES, "/entries")
    approvers = exact_list(value["approvers"], MAX_ENTRIES, "/approvers")
    if not entries or len(entries) != len(approvers):
        raise BadInput("/approvers: expected one list of approvers for each entry.", "", "/approvers")
    parsed = tuple(register.entry.from_json(entry, f"/entries/{i}") for i, entry in enumerate(entries))
    return Certificate(
        RegisterName.parse(value["register"], "/register"),
        value["kind"],
        record_id,
        parsed,
        tuple(_addresses(item, f"/approvers/{i}") for i, item in enumerate(approvers)),
        evidence,
        Disclosure.from_json(value["content"], "/content"),
        _parse_state(value["state"], set(evidence.heads(record_id, parsed)), with_authority=True),
    )


def _parse_absence(value: dict[str, Any]) -> Absence:
    value = exact_object(value, {"format", "register", "kind", "subject", "state"}, "")
    register = register_of_kind(_text(value["kind"], "/kind"))
    subject = parse_subject(register, value["subject"])
    name = RegisterName.parse(value["register"], "/register")
    return Absence(name, value["kind"], subject, _parse_state(value["state"], {"head"}, with_authority=False))


def _parse_state(value: object, slots: set[str], *, with_authority: bool) -> StateProof:
    keys = {"header", "register", "checkpoint"} | ({"authority"} if with_authority else set())
    value = exact_object(value, keys, "/state")
    checkpoint = _text(value["checkpoint"], "/state/checkpoint", MAX_CHECKPOINT)
    register = _parse_contract(value["register"], "/state/register")
    if set(register.slots) != slots:
        raise BadInput(f"/state/register/slots: expected {' and '.join(sorted(slots))}.", "", "/state/register/slots")
    return StateProof(
        from_hex(value["header"], None, "/state/header"),
        register,
        _parse_contract(value["authority"], "/state/authority") if with_authority else None,
        checkpoint,
    )


def _parse_contract(value: object, pointer: str) -> ContractProof:
    value = exact_object(value, {"account", "slots"}, pointer)
    slots = value["slots"]
    if not isinstance(slots, dict) or len(slots) > MAX_ENTRIES:
        raise BadInput(f"{pointer}/slots: expected an object.", "", f"{pointer}/slots")
    return ContractProof(
        _nodes(value["account"], f"{pointer}/account"),
        {key: _nodes(nodes, f"{pointer}/slots/{key[:42]}") for key, nodes in slots.items()},
    )


def _contract_json(proof: ContractProof) -> dict[str, Any]:
    slots = {key: [to_hex(node) for node in nodes] for key, nodes in proof.slots.items()}
    return {"account": [to_hex(node) for node in proof.account], "slots": slots}


def _nodes(value: object, pointer: str) -> tuple[bytes, ...]:
    return hex_list(exact_list(value, MAX_NODES, pointer), None, pointer)


def _addresses(value: object, pointer: str) -> tuple[str, ...]:
    return tuple(parse_address(a, f"{pointer}/{i}") for i, a in enumerate(exact_list(value, MAX_APPROVERS, pointer)))


def _text(value: object, pointer: str, limit: int = 100) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise BadInput(f"{pointer}: expected text of at most {limit} characters.", "", pointer)
    return value
