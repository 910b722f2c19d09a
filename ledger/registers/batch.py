"""What every register of batches shares: the codec of contracts/BatchRegister.sol.

Payloads, beside `deadline` (unix seconds) and `records` (objects with recordId, digest as 0x-hex, and content):
- append and appendLeaves: `series`, `current` (the newest entry of the series, null for its first batch), and for
  append `manifest`, the hash in the CID of the list of digests. The records are the leaves, in order.
- amend and void: `place` ({series, batch, digest, index, path}), `current` (the newest correction of the leaf, null for
  the first), `reason` and the salted field that it is the leaf hash of, `reasons`. The one record of an amend is what
  replaces the leaf; that of a void has no content.
The recordId of a record is the hash of its leaf; for a correction, of the leaf that is corrected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ledger import batch_rules, codec, merkle
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
from ledger.cid import cid_of
from ledger.cid import parse as parse_cid
from ledger.content import Content
from ledger.encoding import ZERO32, RegisterName, from_hex, keccak256, to_hex
from ledger.entries import Entry, layout_of
from ledger.errors import BadInput, NotFound
from ledger.model import Application, Approval, Log, RecordedEntry
from ledger.registers.base import Claim, Role, State
from ledger.registers.forms import ONE, Change, Form, Known, existing, word
from ledger.registers.leaf import Leaf
from ledger.registers.schema import Schema, text
from ledger.rules import HeadOf
from wallet.typed_data import Domain, TypedData, build

MAX_BY_ROOT = 10_000
MAX_WITH_LEAVES = 3_800  # 32 bytes each in a transaction of less than 128 KiB, which is what nodes pass on

_PLACE = f"(bytes32,{ENTRY},bytes32,uint64,bytes32[])"
_ARGUMENTS: Mapping[str, Sequence[str]] = {
    "append": ("(bytes32,bytes32,uint64,bytes32,uint256)", ENTRY, codec.APPROVALS),
    "appendLeaves": ("bytes32", "bytes32[]", "uint256", ENTRY, codec.APPROVALS),
    "amend": (_PLACE, "bytes32", "bytes32", "uint256", ENTRY, codec.APPROVALS),
    "void": (_PLACE, "bytes32", "uint256", ENTRY, codec.APPROVALS),
}
_STRUCTS = {"append": "AppendBatch", "appendLeaves": "AppendLeaves", "amend": "AmendLeaf", "void": "VoidLeaf"}
_LAYOUT = layout_of(BatchEntry)
_EVENTS = {keccak256(f"Recorded(bytes32,{ENTRY})".encode()): codec.whole_words(_LAYOUT)}
_CORRECTION = {"record": word, "reason": text(1000)}


class BatchRegister:
    """See ledger.registers.base.Register; a register of batches adds its kind, schema and series (`record_id`).
    A leaf is proved by its path in a batch, and that it was never corrected by the empty slot of its hash."""

    kind: str
    contract = "BatchRegister"
    schema: Schema
    subject_fields: Sequence[str]
    key_fields: Sequence[str]
    entry = BatchEntry
    actions: Mapping[int, str] = {APPEND: "append", APPEND_LEAVES: "appendLeaves", AMEND: "amend", VOID: "void"}
    statuses: Mapping[int, str] = {ACTIVE: "active", AMENDED: "amended", VOIDED: "voided"}
    forms: Mapping[str, Form] = {
        "append": Form("add a batch whose list of digests is published beside it", records=(1, MAX_BY_ROOT)),
        "appendLeaves": Form("add a batch whose digests lie on the chain itself", records=(1, MAX_WITH_LEAVES)),
        "amend": Form("replace the content of a record", records=ONE, asks=_CORRECTION),
        "void": Form("declare a record void, for ever", asks=_CORRECTION),
    }
    without_registrars: frozenset[int] = frozenset()
    window = ""
    in_batches = True

    def record_id(self, values: Mapping[str, Any]) -> bytes:
        """The series that a record with this content belongs to."""
        raise NotImplementedError

    def disagreement(self, values: Mapping[str, Any], record_id: bytes, entry: Entry) -> str | None:
        if set(self.subject_fields) <= values.keys() and self.record_id(values) != record_id:
            return f"the {' or the '.join(self.subject_fields)} is not the one of this series"
        return None

    def status(self, values: Mapping[str, Any], entry: Entry, time: int) -> tuple[State, str]:
        if entry.status == ACTIVE:
            return "valid", f"recorded in batch {entry.sequence}, never corrected"
        if entry.status == AMENDED:
            return "valid", f"recorded, and corrected {entry.sequence} time(s): this is the newest content"
        return "invalid", "the record was declared void"

    def prepared(self, change: Change) -> Change:
        return change

    def draft(self, change: Change, known: Known) -> dict[str, Any]:
        series = {self.record_id(record.fields) for record in change.records}
        if len(series) > 1:
            raise BadInput("The records are not of one series.", f"One batch, one {' and '.join(self.subject_fields)}.")
        for i, record in enumerate(change.records):
            # The chain would take it, and no verifier ever would.
            if problem := self.disagreement(record.fields, self.record_id(record.fields), NOTHING):
                raise BadInput(f"Record {i + 1} contradicts itself: {problem}.", "", f"/records/{i}/fields")
        if change.action in ("append", "appendLeaves"):
            history = known.history(*series)
            current = dict(history[-1].entry) if history else None
            return {"series": to_hex(*series), "current": current, "records": [{} for _ in change.records]}
        leaf = from_hex(change.details["record"], 32)
        place = _place_of(leaf, known)
        if series and to_hex(*series) != place["series"]:
            raise BadInput("The new content is of another series.", "A record stays in its series.", "/records/0")
        corrections = known.history(leaf)
        (reasons,) = Content.salted({"reason": change.details["reason"]}).fields
        return {
            "records": [{"recordId": to_hex(leaf)}],
            "place": place,
            "current": dict(corrections[-1].entry) if corrections else None,
            "reason": to_hex(reasons.leaf()),
            "reasons": reasons.as_json(),
        }

    def finish(self, action: str, payload: dict[str, Any]) -> Sequence[bytes]:
        """A batch by root comes with a file of its digests, 32 bytes each: the entry's manifest leads to it."""
        if action not in ("append", "appendLeaves"):
            return ()
        digests = _digests(payload)
        for record, digest in zip(payload["records"], digests, strict=True):
            record["recordId"] = to_hex(merkle.leaf_hash(digest))
        if action == "appendLeaves":
            return ()
        listed = b"".join(digests)
        payload["manifest"] = to_hex(parse_cid(cid_of(listed)).digest)
        return (listed,)

    def follow(
        self, action: str, payload: Mapping[str, Any], head_of: HeadOf, time: int, window: int
    ) -> Mapping[bytes, Entry]:
        return batch_rules.follow(action, payload, head_of, time)

    def typed_data(self, application: Application) -> TypedData:
        name, payload, action = RegisterName.parse(application.register), application.payload, application.action
        current = _current(payload)
        message: dict[str, Any] = {"head": ZERO32 if current == NOTHING else current.head}
        message["deadline"] = payload["deadline"]
        if action in ("append", "appendLeaves"):
            digests = _digests(payload)
            message |= {"series": from_hex(payload["series"], 32), "root": root_of(digests), "count": len(digests)}
        else:
            message["leaf"] = merkle.leaf_hash(from_hex(payload["place"]["digest"], 32))
            message["reason"] = from_hex(payload["reason"], 32)
        if action == "append":
            message["manifest"] = from_hex(payload["manifest"], 32)
        if action == "amend":
            message["replacement"] = _digests(payload)[0]
        return build(Domain(self.contract, name.chain_id, name.address), _STRUCTS[action], message)

    def approver_roles(self, application: Application) -> Sequence[Role]:
        return ("registrar",)

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
            replacement = _digests(payload) if action == "amend" else []
            arguments = [_place(payload["place"]), *replacement, from_hex(payload["reason"], 32), deadline]
        registrars = codec.approvals_of(approvals, "registrar")
        return codec.call(action, types, [*arguments, _words(_current(payload)), registrars])

    def decode(self, logs: Sequence[Log], times: Mapping[int, int]) -> list[RecordedEntry]:
        """Raises InvalidProof, as ledger.codec.recorded_entries."""
        return codec.recorded_entries(logs, times, _LAYOUT, _EVENTS)

    def reveal(self, logs: Sequence[Log], recorded: Sequence[RecordedEntry]) -> Mapping[bytes, Any]:
        return {}

    def history(self, record_id: bytes, known: Known) -> list[RecordedEntry]:
        own = known.history(record_id)
        if own and own[0].entry["count"] != "0":
            return own
        try:
            place = _place_of(record_id, known)
        except NotFound:
            return own
        batches = known.history(from_hex(place["series"], 32))
        return [batches[place["batch"]["sequence"] - 1], *own]

    def claim(self, record_id: bytes, known: Known) -> Claim:
        place = _place_of(record_id, known)
        content, batch = from_hex(place["digest"], 32), BatchEntry.from_json(place["batch"])
        series, path = from_hex(place["series"], 32), tuple(from_hex(node, 32) for node in place["path"])
        corrections = tuple((BatchEntry.from_json(c.entry), c.approvers) for c in known.history(record_id))
        approvers = known.history(series)[batch.sequence - 1].approvers
        return Claim(series, (batch,), (approvers,), Leaf(content, place["index"], path, corrections))

    def parse_evidence(self, value: object, pointer: str) -> Leaf:
        return Leaf.from_json(value, pointer)


def _place_of(leaf: bytes, known: Known) -> dict[str, Any]:
    """The place of a leaf, as in payloads. Raises NotFound."""
    payload = known.brought(leaf).payload
    leaves = tuple([from_hex(record["recordId"], 32) for record in payload["records"]])
    index, tree = leaves.index(leaf), _tree(leaves)
    root = to_hex(tree.root)
    for item in existing(from_hex(payload["series"], 32), known):
        if item.entry["root"] == root:
            path = [to_hex(node) for node in tree.path(index)]
            found = {"series": payload["series"], "batch": dict(item.entry), "index": index, "path": path}
            return {**found, "digest": payload["records"][index]["digest"]}
    raise NotFound("The batch of this record is not recorded yet.", "Try again when its application is final.")


@lru_cache(maxsize=8)
def _tree(leaves: tuple[bytes, ...]) -> merkle.Tree:
    """One certificate asks for the place of its record several times, and the next often for the same batch."""
    return merkle.Tree(leaves)


def _digests(payload: Mapping[str, Any]) -> list[bytes]:
    return [from_hex(record["digest"], 32) for record in payload["records"]]


def _current(payload: Mapping[str, Any]) -> BatchEntry:
    return NOTHING if payload["current"] is None else BatchEntry.from_json(payload["current"], "/current")


def _place(place: Mapping[str, Any]) -> tuple[Any, ...]:
    batch, path = BatchEntry.from_json(place["batch"], "/place/batch"), [from_hex(node, 32) for node in place["path"]]
    return from_hex(place["series"], 32), _words(batch), from_hex(place["digest"], 32), place["index"], path


def _words(entry: BatchEntry) -> tuple[Any, ...]:
    return tuple(vars(entry).values())
