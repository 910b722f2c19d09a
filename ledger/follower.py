"""The register follower: turns what the chain recorded into rows. It reads final blocks only: no row is undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ledger.errors import InvalidProof, NotFound, RangeRefused
from ledger.model import Log, RecordedEntry
from ledger.ports import Chain, RecordStore
from ledger.registers import register_of_kind
from ledger.trust import TrustedRegister

BLOCKS_A_STEP = 1_000


Tell = Callable[[Sequence[RecordedEntry]], None]


class Follower:
    """`tell` hears what was recorded before it is kept: after a crash in between it hears the same again."""

    def __init__(
        self, trusted: TrustedRegister, store: RecordStore, chain: Chain, tell: Tell = lambda recorded: None
    ) -> None:
        self.trusted = trusted
        self.register = register_of_kind(trusted.kind)
        self.store = store
        self.chain = chain
        self.tell = tell

    def run_once(self) -> None:
        """Follow up to the newest final block. Raises ChainUnreachable, StoreUnavailable, InvalidProof (the node left
        out an entry); rows and cursor move together, so the next run goes on where this one ended."""
        try:
            final = self.chain.block("finalized").number
        except NotFound:
            return
        name = str(self.trusted.name)
        cursor = self.store.cursor(name)
        first, step = 0 if cursor is None else cursor + 1, BLOCKS_A_STEP
        while first <= final:
            last = min(first + step - 1, final)
            try:
                logs = self.chain.logs(self.trusted.name.address, first, last)
            except RangeRefused:
                if first == last:
                    raise
                step = (last - first + 1) // 2
                continue
            recorded = self._entries(logs)
            self._check_unbroken(recorded)
            revealed = self.register.reveal(logs, recorded)
            self.tell(recorded)
            self.store.add_entries(name, last, recorded, revealed)
            first, step = last + 1, min(2 * step, BLOCKS_A_STEP)

    def _entries(self, logs: Sequence[Log]) -> list[RecordedEntry]:
        times = {number: self.chain.block(number).time for number in {log.block_number for log in logs}}
        return self.register.decode(logs, times)

    def _check_unbroken(self, recorded: Sequence[RecordedEntry]) -> None:
        newest: dict[bytes, bytes | None] = {}
        for item in recorded:
            entry = self.register.entry.from_json(item.entry)
            if item.record_id not in newest:
                history = self.store.history(str(self.trusted.name), item.record_id)
                newest[item.record_id] = self.register.entry.from_json(history[-1].entry).head if history else bytes(32)
            if entry.previous != newest[item.record_id]:
                raise InvalidProof(
                    f"Block {item.block_number} changes a record whose entry before is unknown.",
                    "The node left out a log, or the database is not of this chain.",
                )
            newest[item.record_id] = entry.head
