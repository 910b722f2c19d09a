"""The land register: titles to parcels, one active title a parcel for ever (contracts/LandRegister.sol)."""

from __future__ import annotations

from calendar import timegm
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError

from ledger.encoding import ZERO32, RegisterName, from_hex, keccak256, parse_address
from ledger.entries import Entry, abi, approvals_hash
from ledger.errors import InvalidProof
from ledger.model import Application, Approval, Log, RecordedEntry
from ledger.registers.base import Role, State
from ledger.registers.schema import ContentField, Schema, iso_date, pattern, text
from wallet.typed_data import Domain, TypedData, issue_titles, transfer_title

ISSUE, TRANSFER = 1, 3
ACTIVE = 1

_TITLE = "(bytes32,bytes32,address,uint64)"
_APPROVALS = "(address,bytes)[]"
_ENTRY = "(bytes32,uint32,uint40,uint8,uint8,bytes32,bytes32,address,uint64,uint16,bytes32,bytes32)"
_ISSUE_ARGUMENTS = (f"{_TITLE}[]", "uint256", _APPROVALS)
_CHANGE = "(bytes32,address,bytes32,uint256)"
_TRANSFER_ARGUMENTS = (_CHANGE, _ENTRY, "bytes", "bytes", _APPROVALS)


def _selector(name: str, arguments: Sequence[str]) -> bytes:
    return keccak256(f"{name}({','.join(arguments)})".encode())[:4]


_APPROVED = keccak256(b"Approved(address[])")
_ISSUED = keccak256(b"Issued(bytes32,bytes32,address,uint64)")
_RECORDED = keccak256(f"Recorded(bytes32,{_ENTRY})".encode())


@dataclass(frozen=True)
class LandEntry(Entry):
    """`area` in dm². `parents` commits to the heads that a parcel was split or merged from; zero if none."""

    holder: str = abi("address")
    area: int = abi("uint64")
    liens: int = abi("uint16")
    lienRoot: bytes = abi("bytes32")  # noqa: N815 - the name of the Solidity struct's member
    parents: bytes = abi("bytes32")


_PARCEL_NUMBER = pattern(r"(?=.{5,24}$)[0-9]+(\.[0-9]+)*", "a parcel number (NIB) of 5 to 24 digits and single dots")

SCHEMA = Schema(
    "land-title@1",
    (
        ContentField("nib", _PARCEL_NUMBER, mandatory=True),
        ContentField("right", text(60), mandatory=True),
        ContentField(
            "area", pattern(r"(0|[1-9][0-9]{0,11})\.[0-9]{2}", "m² with two decimals, as 412.50"), mandatory=True
        ),
        ContentField("validity", lambda value: None if value == "unlimited" else iso_date(value), mandatory=True),
        ContentField("location", text(300)),
        ContentField("holder", text(200)),
        ContentField("holderBirth", iso_date, optional=True),
    ),
)


class LandRegister:
    """See ledger.registers.base.Register."""

    kind = "land"
    contract = "LandRegister"
    schema = SCHEMA
    subject_fields = frozenset({"nib"})
    entry = LandEntry
    actions: Mapping[int, str] = {ISSUE: "issue", TRANSFER: "transfer"}
    statuses: Mapping[int, str] = {ACTIVE: "active"}
    without_registrars: frozenset[int] = frozenset()
    in_batches = False

    def record_id(self, values: Mapping[str, Any]) -> bytes:
        # The dots only group the digits: written with and without them it is one parcel, so it must be one record.
        return keccak256(b"land/" + values["nib"].replace(".", "").encode())

    def disagreement(self, values: Mapping[str, Any], record_id: bytes, entry: Entry) -> str | None:
        assert isinstance(entry, LandEntry)
        if "nib" in values and self.record_id(values) != record_id:
            return "the parcel number is not the one this record is about"
        if "area" in values and square_decimetres(values["area"]) != entry.area:
            return "the area is not the one in the entry"
        return None

    def status(self, values: Mapping[str, Any], entry: Entry, time: int) -> tuple[State, str]:
        assert isinstance(entry, LandEntry)
        if entry.status != ACTIVE:
            return "invalid", "the title is not active"
        validity = values.get("validity")
        if validity is None:
            return "unknown", "the validity of the right is not disclosed"
        if validity != "unlimited" and time >= _end_of(validity):
            return "invalid", f"the right ended on {validity}"
        liens = "no lien" if entry.liens == 0 else f"{entry.liens} lien(s)"
        return "valid", f"active, {liens}"

    def signed_fields(self, values: Mapping[str, Any], holder: str) -> dict[str, Any]:
        return {"holder": holder, "area": str(square_decimetres(values["area"]))}

    def typed_data(self, application: Application) -> TypedData:
        name, payload = RegisterName.parse(application.register), application.payload
        domain = Domain(self.contract, name.chain_id, name.address)
        if application.action == "issue":
            titles = [
                {"recordId": from_hex(r["recordId"], 32), "digest": from_hex(r["digest"], 32)}
                | {"holder": r["holder"], "area": int(r["area"])}
                for r in payload["records"]
            ]
            return issue_titles(domain, titles, payload["deadline"])
        record = payload["records"][0]
        return transfer_title(
            domain,
            from_hex(record["recordId"], 32),
            from_hex(payload["head"], 32),
            payload["recipient"],
            from_hex(record["digest"], 32),
            payload["deadline"],
        )

    def signers(self, application: Application) -> Mapping[Role, str]:
        if application.action == "issue":
            return {}
        current = LandEntry.from_json(application.payload["current"])
        return {"holder": current.holder, "recipient": application.payload["recipient"]}

    def calldata(self, application: Application, approvals: Sequence[Approval]) -> bytes:
        payload = application.payload
        registrars = [(a.signer, a.signature) for a in approvals if a.role == "registrar"]
        if application.action == "issue":
            titles = [
                (from_hex(r["recordId"], 32), from_hex(r["digest"], 32), r["holder"], int(r["area"]))
                for r in payload["records"]
            ]
            arguments: list[Any] = [titles, payload["deadline"], registrars]
            return _selector("issue", _ISSUE_ARGUMENTS) + abi_encode(_ISSUE_ARGUMENTS, arguments)
        record = payload["records"][0]
        by_role = {a.role: a.signature for a in approvals}
        record_id, digest = from_hex(record["recordId"], 32), from_hex(record["digest"], 32)
        arguments = [
            (record_id, payload["recipient"], digest, payload["deadline"]),
            tuple(vars(LandEntry.from_json(payload["current"])).values()),
            by_role["holder"],
            by_role["recipient"],
            registrars,
        ]
        return _selector("transfer", _TRANSFER_ARGUMENTS) + abi_encode(_TRANSFER_ARGUMENTS, arguments)

    def decode(self, logs: Sequence[Log], times: Mapping[int, int]) -> list[RecordedEntry]:
        """Raises InvalidProof when an event is malformed, or a record event has no Approved event with the approvers
        it commits to before it in its transaction."""
        recorded: list[RecordedEntry] = []
        transaction, approvers = b"", ()  # type: bytes, tuple[str, ...]
        for log in logs:
            topic = log.topics[0] if log.topics else b""
            if topic == _APPROVED:
                (addresses,) = _words(["address[]"], log)
                transaction, approvers = log.transaction_hash, tuple(parse_address(a) for a in addresses)
                continue
            if topic not in (_ISSUED, _RECORDED):
                continue
            entry = _entry(log, approvers, times[log.block_number])
            if log.transaction_hash != transaction or entry.approvals != approvals_hash(approvers):
                raise InvalidProof(f"log {log.log_index} of block {log.block_number} has no approvers before it.")
            recorded.append(
                RecordedEntry(
                    log.topics[1], entry.as_json(), approvers, log.block_number, log.log_index, log.transaction_hash
                )
            )
        return recorded


def square_decimetres(area: str) -> int:
    """`412.50` (m²) as 41250 (dm²). Expects the form the schema checks."""
    return int(area.replace(".", ""))


def _end_of(day: str) -> int:
    """The first second after a day (UTC), in seconds since 1970. Expects the form the schema checks."""
    return timegm(date.fromisoformat(day).timetuple()) + 86400


def _entry(log: Log, approvers: tuple[str, ...], time: int) -> LandEntry:
    if len(log.topics) != 2:
        raise InvalidProof(f"log {log.log_index} of block {log.block_number} names no record.")
    if log.topics[0] == _RECORDED:
        (words,) = _words([_ENTRY], log)
        members: dict[str, Any] = dict(zip(LandEntry.__dataclass_fields__, words, strict=True))
        return LandEntry(**members | {"holder": parse_address(members["holder"])})
    digest, holder, area = _words(["bytes32", "address", "uint64"], log)
    return LandEntry(
        ZERO32,
        1,
        time,
        ISSUE,
        ACTIVE,
        digest,
        approvals_hash(approvers),
        parse_address(holder),
        area,
        0,
        ZERO32,
        ZERO32,
    )


def _words(types: Sequence[str], log: Log) -> tuple[Any, ...]:
    try:
        return abi_decode(types, log.data)
    except DecodingError:
        raise InvalidProof(f"log {log.log_index} of block {log.block_number} does not have the data of one.") from None


REGISTER = LandRegister()
