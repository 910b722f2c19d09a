"""The register of identities, each with a controller who signs for it (contracts/IdentityRegister.sol)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ledger import codec, identity_rules
from ledger.encoding import RegisterName, from_hex, keccak256, parse_address, to_hex
from ledger.entries import Entry, layout_of
from ledger.errors import BadInput, Conflict
from ledger.identity_entry import (
    ACTIVE,
    CONFIRM,
    ENTRY,
    ISSUE,
    RECOVERING,
    REVOKED,
    SUSPENDED,
    VETO,
    IdentityEntry,
)
from ledger.model import Application, Approval, Log, RecordedEntry
from ledger.registers.base import Claim, Role, State, claim_of_history
from ledger.registers.evidence import NoEvidence
from ledger.registers.forms import MAX_DOCUMENTS, ONE, Change, Form, Known, address, existing, free, newest
from ledger.registers.schema import ContentField, Schema, end_of_day, iso_date, pattern, text
from ledger.rules import HeadOf
from wallet.typed_data import Domain, TypedData, build

_IDENTITY = "(bytes32,bytes32,address,uint40)"
_PLAIN = ("bytes32", ENTRY, "uint256", codec.APPROVALS)
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "issue": (f"{_IDENTITY}[]", "uint256", codec.APPROVALS),
    "renew": ("bytes32", ENTRY, "bytes32", "uint40", "uint256", codec.APPROVALS),
    "rotate": ("bytes32", ENTRY, "address", "uint256", "bytes", "bytes", codec.APPROVALS),
    "recover": ("bytes32", ENTRY, "address", "uint256", codec.APPROVALS),
    "confirm": ("bytes32", ENTRY, ENTRY),
    "veto": ("bytes32", ENTRY, ENTRY, "uint256", "bytes"),
    "suspend": _PLAIN,
    "reinstate": _PLAIN,
    "revoke": _PLAIN,
}
STRUCTS: Mapping[str, str] = {
    "renew": "RenewIdentity",
    "rotate": "RotateController",
    "recover": "RecoverIdentity",
    "veto": "VetoRecovery",
    "suspend": "SuspendIdentity",
    "reinstate": "ReinstateIdentity",
    "revoke": "RevokeIdentity",
}
_IDENTITY_MEMBERS = ("recordId", "digest", "controller", "validUntil")  # in the order of the Solidity struct
# The members of the record that an action asks for, and signs.
_ASKED: Mapping[str, tuple[str, ...]] = {
    "renew": ("digest", "validUntil"),
    "rotate": ("controller",),
    "recover": ("controller",),
}
FORMS: Mapping[str, Form] = {
    "issue": Form("issue identities", records=(1, MAX_DOCUMENTS), holders=True),
    "renew": Form("give an identity new content and a new end", records=ONE),
    "rotate": Form("pass an identity on to another key", ONE, asks={"controller": address}),
    "recover": Form("propose another controller for a lost key", ONE, asks={"controller": address}),
    "confirm": Form("end the waiting of a recovery", ONE),
    "veto": Form("refuse a recovery, as the controller", ONE),
    "suspend": Form("suspend an identity", ONE),
    "reinstate": Form("end a suspension", ONE),
    "revoke": Form("end an identity for ever", ONE),
}
ISSUED = keccak256(b"Issued(bytes32,bytes32,address,uint40)")
RECORDED = keccak256(f"Recorded(bytes32,{ENTRY})".encode())
LAYOUT = layout_of(IdentityEntry)
_EVENTS = {
    ISSUED: codec.first_words(("bytes32", "address", "uint40"), ISSUE, ACTIVE, 0),
    RECORDED: codec.whole_words(LAYOUT),
}


SCHEMA = Schema(
    "identity@1",
    (
        # 32 random bytes that the office draws: an id made from a number of a person can be guessed back to it.
        ContentField("recordId", pattern(r"0x[0-9a-f]{64}", "32 bytes in lower-case hex"), mandatory=True),
        ContentField("kind", text(60), mandatory=True),
        ContentField("validity", iso_date, mandatory=True),
        ContentField("name", text(200), identifying=True),
        ContentField("birthDate", iso_date, identifying=True),
        ContentField("birthPlace", text(200)),
        ContentField("address", text(300), optional=True),
        ContentField("nationality", text(60), optional=True),
    ),
    document=True,
)


class IdentityRegister:
    """See ledger.registers.base.Register. The payload of a change of an identity holds, beside its record (recordId and
    what the action changes), `head` and `current`, the entry that it replaces, and for "veto" and "confirm" `before`,
    the entry that the recovery replaced. A holder is the controller in force, a recipient the one to come, whom the
    record names."""

    kind = "identity"
    contract = "IdentityRegister"
    schema = SCHEMA
    subject_fields = ("recordId",)
    key_fields = ()
    entry = IdentityEntry
    forms: Mapping[str, Form] = FORMS
    actions: Mapping[int, str] = dict(enumerate(ARGUMENTS, ISSUE))
    statuses: Mapping[int, str] = {
        ACTIVE: "active",
        SUSPENDED: "suspended",
        REVOKED: "revoked",
        RECOVERING: "recovering",
    }
    without_registrars = frozenset({CONFIRM, VETO})
    window = "recoveryDelay"
    in_batches = False

    def record_id(self, values: Mapping[str, Any]) -> bytes:
        return from_hex(values["recordId"], 32, "/fields/recordId")

    def disagreement(self, values: Mapping[str, Any], record_id: bytes, entry: Entry) -> str | None:
        assert isinstance(entry, IdentityEntry)
        if "recordId" in values and self.record_id(values) != record_id:
            return "the record id is not that of this record"
        if "validity" in values and end_of_day(values["validity"]) != entry.validUntil:
            return "the validity is not the one in the entry"
        return None

    def status(self, values: Mapping[str, Any], entry: Entry, time: int) -> tuple[State, str]:
        assert isinstance(entry, IdentityEntry)
        if entry.status in (SUSPENDED, REVOKED):
            return "invalid", f"the identity is {self.statuses[entry.status]}"
        if time >= entry.validUntil:
            return "invalid", "the identity has expired"
        if entry.status == RECOVERING:
            return "unknown", "another controller is proposed and not confirmed yet"
        if entry.status != ACTIVE:
            return "invalid", "the identity is not active"
        return "valid", "active"

    def prepared(self, change: Change) -> Change:
        """Every new identity gets a random id, unless the applicant brings one."""
        if change.action != "issue":
            return change
        records = [replace(r, fields={"recordId": to_hex(secrets.token_bytes(32)), **r.fields}) for r in change.records]
        return replace(change, records=records)

    def draft(self, change: Change, known: Known) -> dict[str, Any]:
        if change.action == "issue":
            free([self.record_id(record.fields) for record in change.records], known)
            return {"records": [_new_identity(r.fields, parse_address(r.holder)) for r in change.records]}
        record_id = self.record_id(change.records[0].fields if change.records else change.subjects[0])
        record = {"recordId": to_hex(record_id)}
        if change.action == "renew":
            record["validUntil"] = str(end_of_day(change.records[0].fields["validity"]))
        if "controller" in change.details:
            record["controller"] = parse_address(change.details["controller"])
        history = existing(record_id, known)
        payload = {"records": [record], **newest(history, IdentityEntry)}
        if change.action in ("confirm", "veto"):
            if len(history) < 2:
                raise Conflict("Nobody has proposed another controller for this identity.")
            payload["before"] = dict(history[-2].entry)
        return payload

    def finish(self, action: str, payload: dict[str, Any]) -> Sequence[bytes]:
        return ()

    def follow(
        self, action: str, payload: Mapping[str, Any], head_of: HeadOf, time: int, window: int
    ) -> Mapping[bytes, Entry]:
        return identity_rules.follow(action, payload, head_of, time, recovery_delay=window)

    def typed_data(self, application: Application) -> TypedData:
        """Raises BadInput for "confirm", which nobody signs."""
        name, payload = RegisterName.parse(application.register), application.payload
        domain, deadline = Domain(self.contract, name.chain_id, name.address), payload["deadline"]
        if application.action == "issue":
            identities = [_members(record, _IDENTITY_MEMBERS) for record in payload["records"]]
            return build(domain, "IssueIdentities", {"identities": identities, "deadline": deadline})
        if application.action not in STRUCTS:
            raise BadInput("Nobody signs a confirmation.", "Send it when the delay is over.")
        record = payload["records"][0]
        message = {"recordId": from_hex(record["recordId"], 32), "head": from_hex(payload["head"], 32)}
        message |= _members(record, _ASKED.get(application.action, ()))
        return build(domain, STRUCTS[application.action], {**message, "deadline": deadline})

    def approver_roles(self, application: Application) -> Sequence[Role]:
        return () if application.action in ("confirm", "veto") else ("registrar",)

    def signers(self, application: Application) -> Mapping[Role, str]:
        payload = application.payload
        if application.action == "rotate":
            current = IdentityEntry.from_json(payload["current"])
            return {"holder": current.controller, "recipient": payload["records"][0]["controller"]}
        if application.action == "veto":
            return {"holder": IdentityEntry.from_json(payload["before"]).controller}
        return {}

    def calldata(self, application: Application, approvals: Sequence[Approval]) -> bytes:
        action, payload = application.action, application.payload
        registrars = codec.approvals_of(approvals, "registrar")
        if action == "issue":
            identities = [tuple(_members(record, _IDENTITY_MEMBERS).values()) for record in payload["records"]]
            return codec.call(action, ARGUMENTS[action], [identities, payload["deadline"], registrars])
        record = payload["records"][0]
        arguments: list[Any] = [from_hex(record["recordId"], 32), _words(payload["current"])]
        if action in ("confirm", "veto"):
            arguments.append(_words(payload["before"]))
        arguments += _members(record, _ASKED.get(action, ())).values()
        if action != "confirm":
            arguments.append(payload["deadline"])
        by_role = {approval.role: approval.signature for approval in approvals}
        arguments += [by_role[role] for role in self.signers(application)]
        if action not in ("confirm", "veto"):
            arguments.append(registrars)
        return codec.call(action, ARGUMENTS[action], arguments)

    def decode(self, logs: Sequence[Log], times: Mapping[int, int]) -> list[RecordedEntry]:
        """Raises InvalidProof, as ledger.codec.recorded_entries."""
        return codec.recorded_entries(logs, times, LAYOUT, _EVENTS)

    def reveal(self, logs: Sequence[Log], recorded: Sequence[RecordedEntry]) -> Mapping[bytes, Any]:
        return {}

    def history(self, record_id: bytes, known: Known) -> list[RecordedEntry]:
        return known.history(record_id)

    def claim(self, record_id: bytes, known: Known) -> Claim:
        return claim_of_history(record_id, known, IdentityEntry, NoEvidence())

    def parse_evidence(self, value: object, pointer: str) -> NoEvidence:
        return NoEvidence.from_json(value, pointer)


def _new_identity(values: Mapping[str, Any], controller: str) -> dict[str, Any]:
    return {
        "recordId": values["recordId"],
        "controller": controller,
        "validUntil": str(end_of_day(values["validity"])),
    }


def _members(record: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Members of a record as they are signed and sent."""
    read: Mapping[str, Callable[[Any], Any]] = {
        "recordId": lambda value: from_hex(value, 32),
        "digest": lambda value: from_hex(value, 32),
        "controller": parse_address,
        "validUntil": int,
    }
    return {name: read[name](record[name]) for name in names}


def _words(entry: object) -> tuple[Any, ...]:
    return tuple(vars(IdentityEntry.from_json(entry)).values())


REGISTER = IdentityRegister()
