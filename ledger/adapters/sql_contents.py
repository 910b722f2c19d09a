"""Contents with the applications that brought them, and the index by which a person's are found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, delete, or_, select, update

from ledger.adapters.sql_rows import ERASED, add_once, fields_in
from ledger.adapters.sql_session import SqlSession
from ledger.adapters.sql_tables import applications, contents, identifiers
from ledger.model import HeldContent


class SqlContents(SqlSession):
    """See ledger.ports.RecordStore."""

    def contents_of(self, register: str, erased: bytes) -> list[HeldContent]:
        return [content_in(row) for row in self.all(named_contents(register, erased))]

    def contents_until(self, time: int) -> Iterator[HeldContent]:
        query = held().where(contents.c.fields != ERASED, applications.c.created <= time)
        return (content_in(row) for row in self.stream(query.order_by(applications.c.number)))

    def contents_without_index(self, limit: int = 1_000) -> list[HeldContent]:
        query = held().where(~contents.c.indexed, contents.c.fields != ERASED)
        return [content_in(row) for row in self.all(query.limit(limit))]

    def contents_about(self, hmacs: Collection[bytes]) -> list[HeldContent]:
        query = held().order_by(applications.c.number)
        for hmac in hmacs:
            query = query.where(contents.c.digest.in_(select(identifiers.c.digest).where(identifiers.c.hmac == hmac)))
        return [content_in(row) for row in self.all(query)]

    def add_to_index(self, hmacs: Mapping[bytes, Sequence[bytes]]) -> None:
        # A content that was erased meanwhile must not come back into the index.
        there = (contents.c.digest.in_(hmacs), ~contents.c.indexed, contents.c.fields != ERASED)
        with self.transaction() as connection:
            marked = update(contents).where(*there).values(indexed=True).returning(contents.c.digest)
            taken = [row.digest for row in connection.execute(marked)]
            rows = [{"hmac": hmac, "digest": digest} for digest in taken for hmac in hmacs[digest]]
            add_once(connection, identifiers, rows)

    def forget_index(self) -> None:
        with self.transaction() as connection:
            connection.execute(delete(identifiers))
            connection.execute(update(contents).where(contents.c.indexed).values(indexed=False))


def named_contents(register: str, erased: bytes) -> Select[Any]:
    """Those of a record, or the one of a digest, oldest first."""
    named = or_(contents.c.record_id == erased, contents.c.digest == erased)
    return held().where(applications.c.register == register, named).order_by(applications.c.number)


def content_in(row: Row[Any]) -> HeldContent:
    fields = fields_in(row.fields)
    return HeldContent(row.digest, row.register, row.record_id, fields, row.application_id, row.created)


def held() -> Select[Any]:
    columns = (contents.c.digest, contents.c.record_id, contents.c.fields, contents.c.application_id)
    return select(*columns, applications.c.register, applications.c.created).join(applications)
