"""The rules of batches: which entries a change records, when it is refused, and which leaf is good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ledger import batch_entry as batch
from ledger import merkle
from ledger.batch_entry import ACTIVE, AMENDED, NOTHING, VOIDED, BatchEntry, batch_id, root_of
from ledger.encoding import ZERO32, from_hex, to_hex
from ledger.entries import approvals_hash
from ledger.errors import InvalidProof
from ledger.rules import HeadOf, Payload, follow_entry, require, require_new

Recorded = dict[bytes, BatchEntry]


def heads_of(histories: Mapping[bytes, Sequence[BatchEntry]]) -> dict[bytes, bytes]:
    """The heads of series and of corrected leaves with these entries, oldest first, and of each batch of a series."""
    heads = {record_id: entries[-1].head for record_id, entries in histories.items()}
    for record_id, entries in histories.items():
        heads |= {batch_id(record_id, entry.sequence): entry.head for entry in entries if entry.count}
    return heads


def follow(action: str, payload: Payload, head_of: HeadOf, time: int, approvers: Sequence[str] = ()) -> Recorded:
    """The new entries by record id, of a series and of the batch or of a leaf, as the contract records them in a block
    of that time (seconds) when these approvers, ascending, have signed. `payload` is an application's
    (ledger/registers/batch.py), `head_of` as ledger/rules.py says; `heads_of` makes them of histories. Raises
    ContractReverted with the name of the contract's error, BadInput."""
    approvals = approvals_hash(approvers)
    if action in ("append", "appendLeaves"):
        return _append(action, payload, head_of, time, approvals)
    return _correct(action, payload, head_of, time, approvals)


def is_good(place: Payload, head_of: HeadOf) -> bool:
    """Whether the place (ledger/registers/batch.py) is that of a leaf that was never corrected. Raises BadInput."""
    return head_of(_leaf(place)) == ZERO32 and _holds(place, head_of)


def _append(action: str, payload: Payload, head_of: HeadOf, time: int, approvals: bytes) -> Recorded:
    series, digests = from_hex(payload["series"], 32), _digests(payload["records"])
    require(bool(digests), "InvalidBatch", "There is no record in the batch.")
    code, manifest = batch.APPEND_LEAVES, ZERO32
    if action == "append":
        code, manifest = batch.APPEND, from_hex(payload["manifest"], 32)
        require(manifest != ZERO32, "InvalidBatch", "The manifest of the batch is missing.")
    current = _newest(payload, head_of, series)
    # Else the series is itself the id of a batch, or a corrected leaf.
    is_series = current == NOTHING or head_of(batch_id(series, current.sequence)) == current.head
    require(is_series, "StaleHead", f"{to_hex(series)} is no series.")
    new = batch_id(series, current.sequence + 1)
    require_new(head_of, new)
    members = {"root": root_of(digests), "count": len(digests), "total": current.total + len(digests)}
    entry = _next(current, time, code, status=ACTIVE, approvals=approvals, manifest=manifest, **members)
    return {series: entry, new: entry}


def _correct(action: str, payload: Payload, head_of: HeadOf, time: int, approvals: bytes) -> Recorded:
    leaf = _leaf(payload["place"])
    require(_holds(payload["place"], head_of), "NotInBatch", f"Leaf {to_hex(leaf)} is not at this place of this batch.")
    current = _newest(payload, head_of, leaf)
    require(current.count == 0, "StaleHead", f"{to_hex(leaf)} is a series.")
    require(current.status != VOIDED, "Voided", f"Leaf {to_hex(leaf)} is void, for ever.")
    reason = from_hex(payload["reason"], 32)
    code, status, digest = batch.VOID, VOIDED, ZERO32
    if action == "amend":
        code, status, (digest, *_) = batch.AMEND, AMENDED, _digests(payload["records"])
    complete = reason != ZERO32 and (action == "void" or digest != ZERO32)
    require(complete, "InvalidCorrection", f"The correction of leaf {to_hex(leaf)} lacks its reason or its content.")
    changes = {"status": status, "digest": digest, "approvals": approvals, "manifest": reason}
    return {leaf: _next(current, time, code, **changes)}


def _newest(payload: Payload, head_of: HeadOf, record_id: bytes) -> BatchEntry:
    """The entry shown, which must be the newest of the record, or NOTHING if it has none."""
    shown = payload["current"]
    current = NOTHING if shown is None else BatchEntry.from_json(shown, "/current")
    head = ZERO32 if current == NOTHING else current.head
    message = f"The entry shown is not the newest of record {to_hex(record_id)}."
    require(head == head_of(record_id), "StaleHead", message, "Read the record again: it has changed.")
    return current


def _next(current: BatchEntry, time: int, action: int, **changes: Any) -> BatchEntry:
    head = ZERO32 if current == NOTHING else current.head
    return follow_entry(current, head, time, action, **changes)


def _leaf(place: Payload) -> bytes:
    return merkle.leaf_hash(from_hex(place["digest"], 32))


def _holds(place: Payload, head_of: HeadOf) -> bool:
    """Whether the batch was recorded and its tree has the leaf there."""
    entry = BatchEntry.from_json(place["batch"], "/place/batch")
    if head_of(batch_id(from_hex(place["series"], 32), entry.sequence)) != entry.head:
        return False
    path = [from_hex(node, 32) for node in place["path"]]
    try:
        merkle.verify_inclusion(_leaf(place), place["index"], entry.count, path, entry.root)
    except InvalidProof:
        return False
    return True


def _digests(records: Iterable[Payload]) -> list[bytes]:
    return [from_hex(record["digest"], 32) for record in records]
