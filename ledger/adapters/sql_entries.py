"""What the chain recorded: entries, the calls that recorded them, the cursors of followers, what entries reveal."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, text, tuple_, update

from ledger.adapters.sql_history import OF_REGISTER, entries_query
from ledger.adapters.sql_rows import add_all, add_once, entry_in, inserting, parts, rows_of_entries
from ledger.adapters.sql_session import SqlSession
from ledger.adapters.sql_tables import call_approvers, calls, cursors, entries, revealed
from ledger.adapters.sql_words import words_in
from ledger.errors import Conflict
from ledger.model import Followed, Place, RecordedEntry


class SqlEntries(SqlSession):
    """See ledger.ports.RecordStore."""

    def add_entries(
        self,
        register: str,
        after: Followed | None,
        last: Followed,
        recorded: Iterable[RecordedEntry],
        revealed_: Mapping[bytes, Any],
    ) -> None:
        items = list(recorded)
        facts = [{"register": register, "commitment": c, "value": json.dumps(v)} for c, v in revealed_.items()]
        with self.transaction() as connection:
            # First, so that of two followers of one register the second waits here and then finds nothing to do.
            number = _move(connection, register, after, last, items[0].layout if items else "")
            of_calls, of_approvers, of_entries = rows_of_entries(number, items)
            add_once(connection, revealed, facts)
            add_all(connection, calls, of_calls)
            add_all(connection, call_approvers, of_approvers)
            add_all(connection, entries, of_entries)

    def followed(self, register: str) -> Followed | None:
        query = select(cursors.c.block_number, cursors.c.block_hash).where(cursors.c.register == register)
        row = self.one(query)
        return Followed(row.block_number, row.block_hash) if row else None

    def cursor(self, register: str) -> int | None:
        followed = self.followed(register)
        return followed.number if followed else None

    def newest(self, register: str, record_ids: Collection[bytes]) -> dict[bytes, bytes]:
        number, layout = self.register_number(register)
        found = dict[bytes, bytes]()
        key = (entries.c.record_id, entries.c.sequence)
        for part in parts(list(record_ids)):
            of = (entries.c.register == number, entries.c.record_id.in_(part))
            last = select(key[0], func.max(key[1])).where(*of).group_by(key[0])
            query = select(key[0], entries.c.entry).where(entries.c.register == number, tuple_(*key).in_(last))
            found |= {row.record_id: words_in(layout, row.entry) for row in self.all(query)}
        return found

    def history(self, register: str, record_id: bytes) -> list[RecordedEntry]:
        number, layout = self.register_number(register)
        query = f"{OF_REGISTER} AND e.record_id = :id ORDER BY e.sequence"
        rows = self.all(text(query).bindparams(number=number, id=record_id))
        return [entry_in(row, layout) for row in rows]

    def histories(self, register: str, record_ids: Iterable[bytes]) -> dict[bytes, list[RecordedEntry]]:
        number, layout = self.register_number(register)
        found = dict[bytes, list[RecordedEntry]]()
        query = f"{OF_REGISTER} AND e.record_id IN :ids ORDER BY e.sequence"
        for part in parts(list(record_ids)):
            values = {"number": number, "ids": part}
            for row in self.all(text(query).bindparams(bindparam("ids", expanding=True)), values):
                found.setdefault(row.record_id, []).append(entry_in(row, layout))
        return found

    def entries(
        self,
        register: str,
        *,
        holder: str | None = None,
        approver: str | None = None,
        action: int | None = None,
        since: int | None = None,
        until: int | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> list[RecordedEntry]:
        number, layout = self.register_number(register)
        query, values = entries_query(number, holder, approver, action, since, until, after, limit)
        return [entry_in(row, layout) for row in self.all(text(query), values)]

    def revealed(self, register: str, commitment: bytes) -> Any | None:
        query = select(revealed.c.value).where(revealed.c.register == register, revealed.c.commitment == commitment)
        row = self.one(query)
        return json.loads(row.value) if row else None

    def register_number(self, name: str) -> tuple[int, str]:
        """The number of a register in this database, 0 if it has none, and the layout of its entries."""
        row = self.one(select(cursors.c.id, cursors.c.layout).where(cursors.c.register == name))
        return (row.id, row.layout) if row else (0, "")


def _move(connection: Connection, register: str, after: Followed | None, last: Followed, layout: str) -> int:
    """Move a cursor on, and the number of its register. Raises Conflict when the cursor is elsewhere."""
    moved = {"block_number": last.number, "block_hash": last.hash} | ({"layout": layout} if layout else {})
    here = {"register": register, "layout": ""} | moved
    change: Any = inserting(connection, cursors).values(**here).on_conflict_do_nothing(index_elements=["register"])
    if after is not None:
        change = update(cursors).where(cursors.c.register == register, cursors.c.block_number == after.number)
        change = change.values(**moved)
    number = connection.execute(change.returning(cursors.c.id)).scalar()
    if number is None:
        raise Conflict("Another follower has read on from here.", "Nothing is lost; go on from where it is.")
    return int(number)
