"""What an audit asks of legal holds: the key ring has each as it is, and registrars signed it."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.comparison import compared_rows
from ledger.encoding import to_hex
from ledger.holds import Holds
from ledger.model import Finding, Hold
from ledger.ports import RecordStore

HOLD = ("register", "record_id", "since")


class CustodyChecks:
    """`store` is the office's own."""

    def __init__(self, store: RecordStore, holds: Holds) -> None:
        self.store = store
        self.holds = holds

    def check(self) -> Iterator[Finding]:
        """Raises Unavailable where it cannot be told."""
        kept, damaged = self.holds.all()
        for number in damaged:
            yield Finding("holds", f"line {number} of the key ring", "", "it is no legal hold")
        rows = self.store.all_holds()
        yield from compared_rows("holds", HOLD, "", kept.values(), rows)
        for hold in rows:
            yield from (Finding("holds", _key(hold), column, problem) for column, problem in self.holds.problems(hold))


def _key(hold: Hold) -> str:
    record_id = to_hex(hold.record_id) if isinstance(hold.record_id, bytes) else hold.record_id
    return f"register={hold.register} record_id={record_id} since={hold.since}"
