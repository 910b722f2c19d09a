"""What an audit asks of holds, tombstones and the index of persons: key ring, chain and contents say each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from ledger.comparison import UNREADABLE, compared_rows
from ledger.encoding import from_hex, to_hex
from ledger.eraser import KIND, subject_of
from ledger.errors import KhalayakError, NotFound
from ledger.model import Finding, HeldContent, RecordedEntry, Tombstone
from ledger.ports import RecordStore
from ledger.registers import register_of_kind
from ledger.retention import Retention, identifiers
from wallet.errors import KeystoreMissing
from wallet.files import read_private

HOLD = ("register", "record_id", "since")
LATER = "run the office once"


class CustodyTables(Protocol):
    """A database below its port (ledger.adapters.sql_audit)."""

    def index(self) -> Iterator[tuple[HeldContent, bool, set[bytes]]]: ...
    def tombstones(self) -> Iterator[Tombstone]: ...


class CustodyChecks:
    """`followed` is a store that has followed the registers and nothing else."""

    def __init__(self, retention: Retention, tables: CustodyTables, followed: RecordStore) -> None:
        self.retention = retention
        self.store = retention.store
        self.tables = tables
        self.followed = followed

    def check(self) -> Iterator[Finding]:
        """Raises Unavailable where it cannot be told."""
        yield from self._holds()
        yield from self._index()
        yield from self._tombstones()

    def _holds(self) -> Iterator[Finding]:
        holds = self.retention.holds
        kept, damaged = holds.all()
        for number in damaged:
            yield Finding("holds", f"line {number} of the key ring", "", "it is no legal hold")
        rows = self.store.all_holds()
        yield from compared_rows("holds", HOLD, "", kept.values(), rows)
        for hold in rows:
            key = f"register={hold.register} record_id={_text(hold.record_id)} since={hold.since}"
            yield from (Finding("holds", key, column, problem) for column, problem in holds.problems(hold))

    def _index(self) -> Iterator[Finding]:
        try:
            key = read_private(self.retention.index_key)
        except KeystoreMissing:
            return  # whoever looks somebody up next makes key and index anew
        for content, indexed, found in self.tables.index():
            try:
                kind = self.retention.trust.register_named(content.register).kind
                wanted = set(identifiers(content, kind, key))
            except (KhalayakError, *UNREADABLE):
                continue  # the content is named for it
            for hmac in sorted(found - wanted, key=repr):
                yield Finding("identifiers", _hmac(hmac, content), "", "the content does not say so")
            for hmac in sorted(wanted - found if indexed else ()):
                yield Finding("identifiers", _hmac(hmac, content), "", "the content says so, and the row is missing")

    def _tombstones(self) -> Iterator[Finding]:
        there = {tombstone.series: tombstone for tombstone in self.tables.tombstones()}
        for trusted in self.retention.trust.registers:
            if trusted.kind == KIND:
                orders = dict[bytes, list[RecordedEntry]]()
                for ordered in self.followed.ordered_erasures(str(trusted.name)):
                    orders.setdefault(ordered.record_id, []).append(ordered)
                for series, of_it in orders.items():
                    yield from self._ordered(str(trusted.name), there.pop(series, None), of_it)
        for series in there:
            yield Finding("tombstones", f"series={_text(series)}", "", "the chain does not order it")

    def _ordered(self, name: str, tombstone: Tombstone | None, orders: Sequence[RecordedEntry]) -> Iterator[Finding]:
        """What is wrong with the tombstone of a series, whose orders the chain has in this order."""
        key = f"series={to_hex(orders[0].record_id)}"
        if (tombstone is None or tombstone.receipt != _receipt(orders[-1])) and not self._waits(name, orders[-1]):
            yield Finding("tombstones", key, "", f"the chain orders another, or it is missing; {LATER}")
        if tombstone is None:
            return
        times = {_receipt(order): order.entry["time"] for order in orders}
        if tombstone.receipt not in times:
            yield Finding("tombstones", key, "receipt", "the chain has no such order")
        elif tombstone.time != times[tombstone.receipt]:
            yield Finding("tombstones", key, "time", "the chain has the order at another")
        yield from (Finding("tombstones", key, *problem) for problem in self._said(name, tombstone))
        yield from (Finding("tombstones", key, *problem) for problem in self._left(tombstone))

    def _waits(self, name: str, ordered: RecordedEntry) -> bool:
        """Whether a legal hold forbids what is ordered."""
        subject = subject_of(self.store, name, _receipt(ordered))
        if subject is None:
            return False
        register, erased, _ = subject
        of_it = {erased, *(content.record_id for content in self.store.contents_of(register, erased))}
        return any(hold.until is None for hold in self.store.holds(register, of_it))

    def _said(self, name: str, tombstone: Tombstone) -> Iterator[tuple[str, str]]:
        """Columns in which it is not what its receipt says or, where that is not known here, its series."""
        receipt = subject_of(self.store, name, tombstone.receipt)
        if receipt is None:
            subject = {"register": tombstone.register.lower(), "erased": _text(tombstone.erased)}
            unknown = (tombstone.register, tombstone.erased) == ("", tombstone.series)
            if not unknown and register_of_kind(KIND).record_id(subject) != tombstone.series:
                yield "", "its series is of another record"
            return
        register, erased, ground = receipt
        for column, allowed in (("register", [register]), ("erased", [erased]), ("ground", [ground, ""])):
            if getattr(tombstone, column) not in allowed:  # without a ground where the receipt was not known then
                yield column, "the receipt says otherwise"

    def _left(self, tombstone: Tombstone) -> Iterator[tuple[str, str]]:
        if any(self._is_kept(cid) for cid in tombstone.documents):
            yield "documents", "one that is to go is kept"
        elif tombstone.documents:
            yield "documents", f"they are still to go; {LATER}"
        if tombstone.applications:
            yield "applications", f"their dossiers are still to go; {LATER}"
        if not tombstone.purged:
            yield "purged", f"it is still to be done; {LATER}"

    def _is_kept(self, cid: str) -> bool:
        try:
            return bool(self.store.document(cid))
        except NotFound:
            return False


def _receipt(ordered: RecordedEntry) -> bytes:
    return from_hex(ordered.entry["root"], 32)


def _hmac(hmac: bytes, content: HeldContent) -> str:
    return f"hmac={_text(hmac)} digest={_text(content.digest)}"


def _text(cell: object) -> str:
    return to_hex(cell) if isinstance(cell, bytes) else str(cell)
