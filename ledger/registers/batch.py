"""What every register of batches shares: the codec of contracts/BatchRegister.sol.

Payloads, beside `deadline` (unix seconds) and `records` (objects with digest as 0x-hex, and content):
- append and appendLeaves: `series`, `current` (the newest entry of the series, null for its first batch), and for
  append `manifest`. The records are the leaves, in order.
- amend and void: `place` ({series, batch, digest, index, path}), `current` (the newest correction of the leaf, null for
  the first), `reason`. The one record of an amend is what replaces the leaf; a void has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ledger import codec, merkle
from ledger.batch_entry import (
    ACTIVE,
    AMEND,
    AMENDED,
    APPEND,
    APPEND_LEAVES,
    ENTRY,
    NOTHING,
    VOID,
    VOIDED,
    BatchEntry,
    root_of,
)
from ledger.encoding import ZERO32, RegisterName, from_hex, keccak256
from ledger.entries import Entry
from ledger.model import Application, Approval, Log, RecordedEntry
from ledger.registers.base import Role, State
from ledger.registers.schema import Schema
from wallet.typed_data import Domain, TypedData, amend_leaf, append_batch, append_leaves, void_leaf

_PLACE = f"(bytes32,{ENTRY},bytes32,uint64,bytes32[])"
_ARGUMENTS: Mapping[str, Sequence[str]] = {
    "append": ("(bytes32,bytes32,uint64,bytes32,uint256)", ENTRY, codec.APPROVALS),
    "appendLeaves": ("bytes32", "bytes32[]", "uint256", ENTRY, codec.APPROVALS),
    "amend": (_PLACE, "bytes32", "bytes32", "uint256", ENTRY, codec.APPROVALS),
    "void": (_PLACE, "bytes32", "uint256", ENTRY, codec.APPROVALS),
}
_RECORDED = keccak256(f"Recorded(bytes32,{ENTRY})".encode())


class BatchRegister:
    """See ledger.registers.base.Register; a register of batches adds its kind, schema and series (`record_id`).
    A leaf is proved by its path in a batch, and that it was never corrected by the empty slot of its hash."""

    kind: str
    contract = "BatchRegister"
    schema: Schema
    subject_fields: frozenset[str]
    entry = BatchEntry
    actions: Mapping[int, str] = {APPEND: "append", APPEND_LEAVES: "appendLeaves", AMEND: "amend", VOID: "void"}
    statuses: Mapping[int, str] = {ACTIVE: "active", AMENDED: "amended", VOIDED: "voided"}
    without_registrars: frozenset[int] = frozenset()
    in_batches = True

    def record_id(self, values: Mapping[str, Any]) -> bytes:
        """The series that a record with this content belongs to."""
        raise NotImplementedError

    def disagreement(self, values: Mapping[str, Any], record_id: bytes, entry: Entry) -> str | None:
        return None

    def status(self, values: Mapping[str, Any], entry: Entry, time: int) -> tuple[State, str]:
        if entry.status == ACTIVE:
            return "valid", f"recorded in batch {entry.sequence}"
        return "invalid", f"the record was {self.statuses.get(entry.status, 'corrected')}"

    def signed_fields(self, values: Mapping[str, Any], holder: str) -> dict[str, Any]:
        return {}

    def typed_data(self, application: Application) -> TypedData:
        name, payload = RegisterName.parse(application.register), application.payload
        domain = Domain(self.contract, name.chain_id, name.address)
        current, deadline = _current(payload), payload["deadline"]
        head = ZERO32 if current == NOTHING else current.head
        if application.action in ("append", "appendLeaves"):
            series, digests = from_hex(payload["series"], 32), _digests(payload)
            root, count = root_of(digests), len(digests)
            if application.action == "append":
                return append_batch(domain, series, head, root, count, from_hex(payload["manifest"], 32), deadline)
            return append_leaves(domain, series, head, root, count, deadline)
        leaf = merkle.leaf_hash(from_hex(payload["place"]["digest"], 32))
        reason = from_hex(payload["reason"], 32)
        if application.action == "amend":
            return amend_leaf(domain, leaf, head, _digests(payload)[0], reason, deadline)
        return void_leaf(domain, leaf, head, reason, deadline)

    def signers(self, application: Application) -> Mapping[Role, str]:
        return {}

    def calldata(self, application: Application, approvals: Sequence[Approval]) -> bytes:
        action, payload = application.action, application.payload
        deadline, types = payload["deadline"], _ARGUMENTS[action]
        arguments: list[Any]
        if action == "append":
            series, digests = from_hex(payload["series"], 32), _digests(payload)
            manifest = from_hex(payload["manifest"], 32)
            arguments = [(series, root_of(digests), len(digests), manifest, deadline)]
        elif action == "appendLeaves":
            arguments = [from_hex(payload["series"], 32), _digests(payload), deadline]
        else:
            replacement = _digests(payload)[:1] if action == "amend" else []
            arguments = [_place(payload["place"]), *replacement, from_hex(payload["reason"], 32), deadline]
        registrars = [(approval.signer, approval.signature) for approval in approvals]
        return codec.call(action, types, [*arguments, _words(_current(payload)), registrars])

    def decode(self, logs: Sequence[Log], times: Mapping[int, int]) -> list[RecordedEntry]:
        """Raises InvalidProof, as ledger.codec.recorded_entries."""
        return codec.recorded_entries(logs, times, {_RECORDED: _entry})


def _digests(payload: Mapping[str, Any]) -> list[bytes]:
    return [from_hex(record["digest"], 32) for record in payload["records"]]


def _current(payload: Mapping[str, Any]) -> BatchEntry:
    return NOTHING if payload["current"] is None else BatchEntry.from_json(payload["current"], "/current")


def _place(place: Mapping[str, Any]) -> tuple[Any, ...]:
    batch, path = BatchEntry.from_json(place["batch"], "/place/batch"), [from_hex(node, 32) for node in place["path"]]
    return from_hex(place["series"], 32), _words(batch), from_hex(place["digest"], 32), place["index"], path


def _words(entry: BatchEntry) -> tuple[Any, ...]:
    return tuple(vars(entry).values())


def _entry(log: Log, approvers: tuple[str, ...], time: int) -> BatchEntry:
    (members,) = codec.words([ENTRY], log)
    return BatchEntry(*members)
