"""Whether the chain holds already what an application asks for, however it came there (docs/protocol.md section 8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ledger.encoding import ZERO32
from ledger.entries import Entry
from ledger.errors import BadInput, Conflict, ContractReverted
from ledger.model import Application
from ledger.registers.base import Register
from ledger.registers.forms import Known


def recorded_by(application: Application, register: Register, known: Known, window: int) -> bytes | None:
    """The hash of the transaction that recorded the very entries that the application asks for, all but who approved
    them and when, in place of those it builds on; None if none did. `known` is the register as far as it was followed;
    `window` see Register.follow. Raises Conflict when one of them is not final yet, so that nobody can tell."""
    built_on = {ZERO32, *_heads_in(application.payload, register.entry)}
    found: dict[bytes, Entry] = {}
    transactions: list[bytes] = []

    def head_before(record_id: bytes) -> bytes:
        items = known.history(record_id)
        history = [register.entry.from_json(item.entry) for item in items]
        head = known.head(record_id)
        if head != (history[-1].head if history else ZERO32) and (history or (head not in built_on and not found)):
            raise Conflict("A newer change of this record is not final yet.", "It is looked at again when it is.")
        for item, entry in zip(reversed(items), reversed(history), strict=True):
            if entry.previous in built_on:
                found[record_id] = entry
                transactions.append(item.transaction_hash)
                return entry.previous
        # A batch stands under an id of its own, which no log names: the one built on is there, a newer one was not.
        return head if head in built_on else ZERO32

    def follow(time: int) -> Mapping[bytes, Entry]:
        return register.follow(application.action, application.payload, head_before, time, window)

    with suppress(ContractReverted):
        follow(0)
    if not found:
        return None
    try:
        asked = follow(next(iter(found.values())).time)
    except ContractReverted:
        return None
    same = all(
        record_id in asked and replace(asked[record_id], time=entry.time, approvals=entry.approvals) == entry
        for record_id, entry in found.items()
    )
    return transactions[0] if same else None


def _heads_in(payload: Mapping[str, Any], kind: type[Entry]) -> Iterator[bytes]:
    """The heads of the entries that a payload shows."""
    shown = [*payload.values(), *payload.get("parents", [])]
    for value in shown:
        if isinstance(value, dict):
            try:
                yield kind.from_json(value).head
            except BadInput:
                yield from _heads_in(value, kind)
