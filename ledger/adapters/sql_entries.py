"""What the chain recorded: entries, the cursors of followers, what entries reveal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import select

from ledger.adapters.sql_history import entries_query
from ledger.adapters.sql_rows import VALUES, add_once, entry_in, inserting, row_of_entry, rows_of_approvers
from ledger.adapters.sql_session import SqlSession
from ledger.adapters.sql_tables import applications, contents, cursors, entries, entry_approvers, revealed
from ledger.model import Place, RecordedEntry


class SqlEntries(SqlSession):
    """See ledger.ports.RecordStore."""

    def add_entries(
        self, register: str, last_block: int, recorded: Iterable[RecordedEntry], revealed_: Mapping[bytes, Any]
    ) -> None:
        items = list(recorded)
        rows = [row_of_entry(register, item) for item in items]
        approved = [by for row, i in zip(rows, items, strict=True) for by in rows_of_approvers(row, i.approvers)]
        facts = [{"register": register, "commitment": c, "value": json.dumps(v)} for c, v in revealed_.items()]
        with self.transaction() as connection:
            # First, so that two followers of one register wait here, before they hold anything else.
            moved = inserting(connection, cursors).values(register=register, block_number=last_block)
            further = {"block_number": moved.excluded.block_number}
            connection.execute(
                moved.on_conflict_do_update(
                    index_elements=["register"], set_=further, where=cursors.c.block_number < last_block
                )
            )
            add_once(connection, revealed, facts)
            add_once(connection, entries, rows)
            add_once(connection, entry_approvers, approved)

    def cursor(self, register: str) -> int | None:
        row = self.one(select(cursors.c.block_number).where(cursors.c.register == register))
        return row.block_number if row else None

    def history(self, register: str, record_id: bytes) -> list[RecordedEntry]:
        query = select(entries).where(entries.c.register == register, entries.c.record_id == record_id)
        return [entry_in(row) for row in self.all(query.order_by(entries.c.sequence))]

    def histories(self, register: str, record_ids: Iterable[bytes]) -> dict[bytes, list[RecordedEntry]]:
        found, wanted = dict[bytes, list[RecordedEntry]](), list(record_ids)
        for start in range(0, len(wanted), VALUES):
            some = entries.c.record_id.in_(wanted[start : start + VALUES])
            query = select(entries).where(entries.c.register == register, some).order_by(entries.c.sequence)
            for row in self.all(query):
                found.setdefault(row.record_id, []).append(entry_in(row))
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
        query = entries_query(register, holder, approver, action, since, until, after, limit)
        return [entry_in(row) for row in self.all(query)]

    def revealed(self, register: str, commitment: bytes) -> Any | None:
        query = select(revealed.c.value).where(revealed.c.register == register, revealed.c.commitment == commitment)
        row = self.one(query)
        return json.loads(row.value) if row else None

    def recorded(self, register: str, but_of: str) -> Iterator[bytes]:
        theirs = applications.c.idempotency_key.startswith(but_of, autoescape=True)
        own = select(contents.c.record_id).join(applications).where(applications.c.register == register, theirs)
        first = (entries.c.register == register, entries.c.sequence == 1)
        query = select(entries.c.record_id).where(*first, entries.c.record_id.not_in(own))
        return (row.record_id for row in self.stream(query))
