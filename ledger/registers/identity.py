"""The register of identities, each with a controller who signs for it (contracts/IdentityRegister.sol)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ledger import codec
from ledger.encoding import ZERO32, RegisterName, from_hex, keccak256, parse_address
from ledger.entries import Entry, approvals_hash
from ledger.errors import BadInput
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
from ledger.registers.base import Role, State
from ledger.registers.schema import ContentField, Schema, end_of_day, iso_date, pattern, text
from wallet.typed_data import Domain, TypedData, change_identity, issue_identities

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
# The members of the record that an action asks for, and signs.
_ASKED: Mapping[str, tuple[str, ...]] = {
    "renew": ("digest", "validUntil"),
    "rotate": ("controller",),
    "recover": ("controller",),
}
ISSUED = keccak256(b"Issued(bytes32,bytes32,address,uint40)")
RECORDED = keccak256(f"Recorded(bytes32,{ENTRY})".encode())


SCHEMA = Schema(
    "identity@1",
    (
        # 32 random bytes that the office draws: an id made from a number of a person can be guessed back to it.
        ContentField("recordId", pattern(r"0x[0-9a-f]{64}", "32 bytes in lower-case hex"), mandatory=True),
        ContentField("kind", text(60), mandatory=True),
        ContentField("validity", iso_date, mandatory=True),
        ContentField("name", text(200)),
        ContentField("birthDate", iso_date),
        ContentField("birthPlace", text(200)),
        ContentField("address", text(300), optional=True),
        ContentField("nationality", text(60), optional=True),
    ),
)


class IdentityRegister:
    """See ledger.registers.base.Register. The payload of a change of an identity holds, beside its record, `head` and
    `current`, the entry that it replaces, and for "veto" and "confirm" `before`, the entry that the recovery replaced.
    A holder is the controller in force, a recipient the one to come, whom the record names."""

    kind = "identity"
    contract = "IdentityRegister"
    schema = SCHEMA
    subject_fields = frozenset({"recordId"})
    entry = IdentityEntry
    actions: Mapping[int, str] = dict(enumerate(ARGUMENTS, ISSUE))
    statuses: Mapping[int, str] = {
        ACTIVE: "active",
        SUSPENDED: "suspended",
        REVOKED: "revoked",
        RECOVERING: "recovering",
    }
    without_registrars = frozenset({CONFIRM, VETO})
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

    def signed_fields(self, values: Mapping[str, Any], holder: str) -> dict[str, Any]:
        return {"controller": holder, "validUntil": str(end_of_day(values["validity"]))}

    def typed_data(self, application: Application) -> TypedData:
        """Raises BadInput for "confirm", which nobody signs."""
        name, payload = RegisterName.parse(application.register), application.payload
        domain, deadline = Domain(self.contract, name.chain_id, name.address), payload["deadline"]
        if application.action == "issue":
            return issue_identities(domain, [_identity(record) for record in payload["records"]], deadline)
        if application.action not in STRUCTS:
            raise BadInput("Nobody signs a confirmation.", "Send it when the delay is over.")
        identity = _identity(payload["records"][0])
        members = {member: identity[member] for member in _ASKED.get(application.action, ())}
        head = from_hex(payload["head"], 32)
        return change_identity(domain, STRUCTS[application.action], identity["recordId"], head, members, deadline)

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
        registrars = [(a.signer, a.signature) for a in approvals if a.role == "registrar"]
        identities = [_identity(record) for record in payload["records"]]
        if action == "issue":
            arguments: list[Any] = [[tuple(identity.values()) for identity in identities], payload["deadline"]]
            return codec.call(action, ARGUMENTS[action], [*arguments, registrars])
        arguments = [identities[0]["recordId"], _members(payload["current"])]
        if action in ("confirm", "veto"):
            arguments.append(_members(payload["before"]))
        arguments += [identities[0][member] for member in _ASKED.get(action, ())]
        if action != "confirm":
            arguments.append(payload["deadline"])
        by_role = {approval.role: approval.signature for approval in approvals}
        arguments += [by_role[role] for role in self.signers(application)]
        if action not in ("confirm", "veto"):
            arguments.append(registrars)
        return codec.call(action, ARGUMENTS[action], arguments)

    def decode(self, logs: Sequence[Log], times: Mapping[int, int]) -> list[RecordedEntry]:
        """Raises InvalidProof, as ledger.codec.recorded_entries."""
        return codec.recorded_entries(logs, times, {ISSUED: _first_entry, RECORDED: _later_entry})


def _identity(record: Mapping[str, Any]) -> dict[str, Any]:
    """The members of the Solidity struct Identity, in its order."""
    return {
        "recordId": from_hex(record["recordId"], 32),
        "digest": from_hex(record["digest"], 32),
        "controller": record["controller"],
        "validUntil": int(record["validUntil"]),
    }


def _members(entry: object) -> tuple[Any, ...]:
    return tuple(vars(IdentityEntry.from_json(entry)).values())


def _first_entry(log: Log, approvers: tuple[str, ...], time: int) -> IdentityEntry:
    digest, controller, until = codec.words(["bytes32", "address", "uint40"], log)
    approvals = approvals_hash(approvers)
    return IdentityEntry(ZERO32, 1, time, ISSUE, ACTIVE, digest, approvals, parse_address(controller), until)


def _later_entry(log: Log, approvers: tuple[str, ...], time: int) -> IdentityEntry:
    (members,) = codec.words([ENTRY], log)
    entry: dict[str, Any] = dict(zip(IdentityEntry.__dataclass_fields__, members, strict=True))
    return IdentityEntry(**entry | {"controller": parse_address(entry["controller"])})


REGISTER = IdentityRegister()
