"""What an audit asks of a database below its port: whether every cell has its form, and where two databases differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any

from sqlalchemy import Boolean, Column, Integer, LargeBinary, Row, String, Table, delete, insert, select, type_coerce
from sqlalchemy.types import NullType

from ledger.adapters.sql_contents import content_in, held
from ledger.adapters.sql_erasure import tombstone_in
from ledger.adapters.sql_rows import ERASED
from ledger.adapters.sql_session import SqlSession
from ledger.adapters.sql_tables import (
    applications,
    approvals,
    attempts,
    call_approvers,
    calls,
    carried,
    contents,
    cursors,
    documents,
    entries,
    identifiers,
    metadata,
    revealed,
    tombstones,
    transactions,
)
from ledger.encoding import to_hex
from ledger.model import Finding, HeldContent, Tombstone

FROM_CHAIN = (cursors, calls, call_approvers, entries, revealed)  # followers write these and nothing else does
OF_APPLICATIONS = (contents, approvals, carried)
JSON_COLUMNS = {"payload", "fields", "wraps", "value", "certificate", "documents", "applications"}
KEYS: dict[Table, tuple[str, ...]] = {
    applications: ("id",),
    cursors: ("register",),
    entries: ("register", "record_id", "sequence"),
}
_HELD = "number held "
_RANKS = {type(None): 0, int: 1, float: 1, str: 2, bytes: 3}  # the order of SQLite, in which any cell holds any type


class SqlAudit(SqlSession):
    """Reads only, but for the numbers of registers in a database of its own."""

    def registers(self) -> list[tuple[int, str]]:
        """The numbers that registers have in this database, ascending, and their names."""
        return [(row.id, row.register) for row in self.all(select(cursors).order_by(cursors.c.id))]

    def number_next(self, number: int) -> None:
        """Let the register that is followed next have this number, which is higher than all so far."""
        held = {"id": number - 1, "register": f"{_HELD}{number}", "layout": "", "block_number": 0}
        with self.transaction() as connection:
            connection.execute(delete(cursors).where(cursors.c.register.startswith(_HELD)))
            if not connection.execute(select(cursors.c.id).where(cursors.c.id == number - 1)).first():
                connection.execute(insert(cursors), held)

    def malformed(self) -> Iterator[Finding]:
        """Every cell that is not of its column's type, or no JSON where it should be."""
        for table in metadata.sorted_tables:
            # As the driver gives it: a type of SQLAlchemy's own may refuse to read it at all.
            cells: list[Any] = [type_coerce(column, NullType()).label(column.name) for column in table.columns]
            for row in self.stream(select(*cells)):
                for column in table.columns:
                    if problem := _problem(column, getattr(row, column.name)):
                        yield Finding(table.name, _key(table, row), column.name, problem)

    def orphans(self) -> Iterator[Finding]:
        """Rows of applications that are not there."""
        for table in OF_APPLICATIONS:
            there = table.c.application_id.in_(select(applications.c.id))
            for row in self.stream(select(table).where(~there)):
                yield Finding(table.name, _key(table, row), "application_id", "there is no such application")
        unknown = ~identifiers.c.digest.in_(select(contents.c.digest))
        for row in self.stream(select(identifiers).where(unknown)):
            yield Finding("identifiers", _key(identifiers, row), "digest", "there is no such content")
        for table in (attempts, carried):
            sent = table.c.transaction_number.in_(select(transactions.c.number))
            for row in self.stream(select(table).where(~sent)):
                yield Finding(table.name, _key(table, row), "transaction_number", "there is no such transaction")
        for row in self.stream(select(transactions)):
            of_it = select(attempts.c.state).where(attempts.c.transaction_number == row.number)
            if row.state not in {attempt.state for attempt in self.all(of_it)}:
                yield Finding("transactions", _key(transactions, row), "state", "none of its attempts is in it")

    def cids(self) -> Iterator[str]:
        """Of the documents that somebody can open: what was erased belongs to no content any more."""
        return (row.cid for row in self.stream(select(documents.c.cid).where(documents.c.wraps != "{}")))

    def index(self) -> Iterator[tuple[HeldContent, bool, set[bytes]]]:
        """Every content, whether it says that it is in the index of persons, and the HMACs that it is found by."""
        query = held().add_columns(contents.c.indexed, identifiers.c.hmac).outerjoin(identifiers)
        for _, rows in groupby(self.stream(query.order_by(contents.c.digest)), lambda row: row.digest):
            found = list(rows)
            with suppress(ValueError):  # what is no JSON was named
                yield content_in(found[0]), found[0].indexed, {row.hmac for row in found} - {None}

    def tombstones(self) -> Iterator[Tombstone]:
        for row in self.stream(select(tombstones)):
            with suppress(ValueError, TypeError):  # as above
                yield tombstone_in(row)

    def differences(self, followed: SqlAudit) -> Iterator[Finding]:
        """Where what was followed differs from what was followed once more, into another database."""
        with followed.transaction() as connection:
            connection.execute(delete(cursors).where(cursors.c.register.startswith(_HELD)))
        for table in FROM_CHAIN:
            yield from _differences(table, followed._ordered(table), self._ordered(table))

    def _ordered(self, table: Table) -> Iterator[Row[Any]]:
        collate = self._engine.dialect.name == "postgresql"
        columns = [table.c[name] for name in _key_names(table)]
        # Python compares code points, and so does this collation; others follow a language.
        order = [c.collate("C") if collate and isinstance(c.type, String) else c for c in columns]
        return self.stream(select(table).order_by(*order))


def _differences(table: Table, expected: Iterator[Row[Any]], actual: Iterator[Row[Any]]) -> Iterator[Finding]:
    """Merge two sorted streams."""
    wanted, found = next(expected, None), next(actual, None)
    while wanted is not None or found is not None:
        first, second = (None if row is None else _sortable(table, row) for row in (wanted, found))
        if second is None or (first is not None and first < second):
            yield Finding(table.name, _key(table, wanted), "", "the chain holds it, and the row is missing")
            wanted = next(expected, None)
        elif first is None or second < first:
            yield Finding(table.name, _key(table, found), "", "the chain does not hold what the row says")
            found = next(actual, None)
        else:
            for column in table.columns:
                if not same(getattr(wanted, column.name), getattr(found, column.name), column):
                    yield Finding(table.name, _key(table, found), column.name, "it is not what the chain says")
            wanted, found = next(expected, None), next(actual, None)


def same(one: Any, other: Any, column: Column[Any]) -> bool:
    """Whether two cells say the same; JSON may be written in more than one way, and a cursor from before cursors had
    a hash has none until its next step."""
    if column is cursors.c.block_hash and other is None:
        return True
    if one == other or not (isinstance(one, str) and isinstance(other, str)):
        return bool(one == other)
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def _problem(column: Column[Any], value: Any) -> str:
    if value is None:
        return "" if column.nullable else "it is empty"
    kinds: dict[Any, type] = {LargeBinary: bytes, String: str, Boolean: int, Integer: int}
    value = int(value) if value is True or value is False else value
    expected = next(python for kind, python in kinds.items() if isinstance(column.type, kind))
    if type(value) is not expected:
        return f"it is of type {type(value).__name__}, not {expected.__name__}"
    if isinstance(column.type, Boolean) and value not in (0, 1):
        return "it is neither true nor false"
    if column.name in JSON_COLUMNS and (column is not contents.c.fields or value != ERASED):
        try:
            json.loads(str(value))
        except (ValueError, RecursionError):
            return "it is no JSON"
    return ""


def _key_names(table: Table) -> Sequence[str]:
    return KEYS.get(table, tuple(column.name for column in table.primary_key.columns))


def _key(table: Table, row: Any) -> str:
    cells = ((name, getattr(row, name)) for name in _key_names(table))
    return " ".join(f"{name}={to_hex(value) if isinstance(value, bytes) else value}" for name, value in cells)


def _sortable(table: Table, row: Row[Any]) -> list[tuple[int, Any]]:
    values = (getattr(row, name) for name in _key_names(table))
    return [(_RANKS.get(type(value), 4), value) for value in values]
