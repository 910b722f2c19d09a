"""Rows of the tables: how they are added once, and the values of ledger.model that they hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

import orjson
from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Table, cast, func
from sqlalchemy.dialects import postgresql, sqlite

from ledger.adapters.sql_places import numbered, place_in
from ledger.adapters.sql_words import packed, words_in
from ledger.encoding import address_bytes, checksum_address
from ledger.entries import person_at
from ledger.errors import IdempotencyMismatch
from ledger.model import (
    MAX_LOG_INDEX,
    Application,
    Place,
    RecordedEntry,
    StoredCertificate,
    StoredContent,
    StoredDocument,
)

ERASED = ""  # the fields of a content that was erased; those of any other are a JSON list

# Seconds since 1970 by the database's clock, for each dialect.
NOW = {
    "sqlite": cast(func.strftime("%s", "now"), BigInteger),
    "postgresql": cast(func.floor(func.extract("epoch", func.clock_timestamp())), BigInteger),
}
# SQLite would copy each page that a statement changes to undo that statement alone; with "OR FAIL" it does not.
_INSERT_ALL = {"sqlite": ("INSERT OR FAIL", "?"), "postgresql": ("INSERT", "%s")}
_ROWS = 2_000  # in one statement: SQLite takes 32,766 values, PostgreSQL 65,535
_VALUES = 500  # in the list of one query
T = TypeVar("T")
_INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def inserting(connection: Connection, table: Table) -> Any:
    """An INSERT that can say what happens on a conflict; it waits for a writer of the same key."""
    return _INSERT[connection.dialect.name](table)


def add_once(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, but for those whose primary key is there."""
    if rows:
        key = list(table.primary_key.columns)
        connection.execute(inserting(connection, table).on_conflict_do_nothing(index_elements=key), rows)


def add_all(connection: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows that are not there yet, in a transaction that ends if one is; each has its values in the order of the
    table's columns. SQLAlchemy's own insert would take three times as long. SQLite lets other threads run while it
    works on a statement, and not between two, so most rows go many in one."""
    insert, mark = _INSERT_ALL[connection.dialect.name]
    marks = f"({', '.join([mark] * len(table.columns))})"
    start = f"{insert} INTO {table.name} ({', '.join(table.columns.keys())}) VALUES "
    alone = len(rows) % _ROWS
    many = start + ", ".join([marks] * _ROWS) if alone < len(rows) else ""
    for first in range(alone, len(rows), _ROWS):
        connection.exec_driver_sql(many, tuple(chain.from_iterable(rows[first : first + _ROWS])))
    if alone:
        connection.exec_driver_sql(start + marks, rows[:alone])


def parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Values for the lists of several queries, because a database takes so many in one only."""
    return (values[start : start + _VALUES] for start in range(0, len(values), _VALUES))


def matches(table: Table, key: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in key.items()]


def row_of_content(application_id: str, content: StoredContent) -> dict[str, Any]:
    fields = orjson.dumps(content.fields).decode() if content.fields else ERASED
    return {**vars(content), "application_id": application_id, "fields": fields}


def fields_in(text: str) -> list[dict[str, Any]]:
    """None where the content was erased."""
    return [] if text == ERASED else orjson.loads(text)


def row_of_document(document: StoredDocument) -> dict[str, Any]:
    return {**vars(document), "wraps": wraps_text(document.wraps)}


def wraps_text(wraps: Mapping[str, bytes]) -> str:
    """The same wraps give the same text, read back and written again too."""
    return json.dumps({reader: wrap.hex() for reader, wrap in wraps.items()})


def row_of_certificate(certificate: StoredCertificate) -> dict[str, Any]:
    key = {"register": certificate.register, "record_id": certificate.record_id, "head": certificate.head}
    return key | {"sequence": certificate.sequence, "certificate": certificate.file.decode()}


def certificate_in(row: Row[Any]) -> StoredCertificate:
    return StoredCertificate(row.register, row.record_id, row.sequence, row.head, row.certificate.encode())


def rows_of_entries(register: int, items: Sequence[RecordedEntry]) -> tuple[list[Any], list[Any], list[Any]]:
    """The rows of calls, of their approvers and of entries, which come in the order of the log. Those that one
    transaction records one after the other with the same approvers are one call."""
    calls: list[Any] = []
    approved: list[Any] = []
    entries: list[Any] = []
    at = person_at(items[0].layout) if items else 0
    sent: tuple[int, bytes, tuple[str, ...]] | None = None
    call = first = 0
    for record_id, layout, words, approvers, block_number, log_index, transaction_hash in items:
        if sent != (block_number, transaction_hash, approvers):
            call, sent = numbered(register, Place(block_number, log_index)), (block_number, transaction_hash, approvers)
            first, short = call - log_index, [address_bytes(approver) for approver in approvers]
            time = int.from_bytes(words[64:96], "big")
            calls.append([call, call, register, time, transaction_hash, b"".join(short)])
            approved += [(approver, call) for approver in short]
        place = first + log_index if log_index <= MAX_LOG_INDEX else numbered(register, Place(block_number, log_index))
        calls[-1][1] = place
        sequence, person = int.from_bytes(words[32:64], "big"), words[at : at + 20] if at else None
        entries.append((place, register, record_id, sequence, call, words[127], person, packed(layout, words)))
    return [tuple(row) for row in calls], approved, entries


def application_in(row: Row[Any]) -> Application:
    return Application(
        row.id,
        row.register,
        row.action,
        orjson.loads(row.payload),
        row.state,
        row.created,
        row.access_digest,
        row.reason,
    )


def accepted_in(row: Row[Any] | None, body_digest: bytes) -> Application | None:
    """The application that the row of an idempotency key holds, if any. Raises IdempotencyMismatch."""
    if row is not None and row.body_digest != body_digest:
        raise IdempotencyMismatch(
            "This idempotency key was used for another request.", "Use a new key for a new request."
        )
    return application_in(row) if row else None


def document_in(row: Row[Any]) -> StoredDocument:
    wraps = {reader: bytes.fromhex(wrap) for reader, wrap in json.loads(row.wraps).items()}
    return StoredDocument(row.cid, row.sha256, row.size, row.media_type, wraps)


def entry_in(row: Row[Any], layout: str) -> RecordedEntry:
    approvers = (row.approvers[i : i + 20] for i in range(0, len(row.approvers), 20))
    names = tuple(checksum_address(approver) for approver in approvers)
    words = words_in(layout, row.entry)
    return RecordedEntry(row.record_id, layout, words, names, *place_in(row.place), row.transaction_hash)
