"""Rows of the tables: how they are added once, and the values of ledger.model that they hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, Table, cast, func
from sqlalchemy.dialects import postgresql, sqlite

from ledger.errors import IdempotencyMismatch
from ledger.model import Application, RecordedEntry, StoredContent, StoredDocument

# Seconds since 1970 by the database's clock, for each dialect.
NOW = {
    "sqlite": cast(func.strftime("%s", "now"), BigInteger),
    "postgresql": cast(func.floor(func.extract("epoch", func.clock_timestamp())), BigInteger),
}
_INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def inserting(connection: Connection, table: Table) -> Any:
    """An INSERT that can say what happens on a conflict; it waits for a writer of the same key."""
    return _INSERT[connection.dialect.name](table)


def add_once(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, but for those whose primary key is there."""
    if rows:
        key = list(table.primary_key.columns)
        connection.execute(inserting(connection, table).on_conflict_do_nothing(index_elements=key), rows)


def matches(table: Table, key: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in key.items()]


def row_of_content(application_id: str, content: StoredContent) -> dict[str, Any]:
    return {**vars(content), "application_id": application_id, "fields": json.dumps(content.fields)}


def row_of_document(document: StoredDocument) -> dict[str, Any]:
    return {**vars(document), "wraps": wraps_text(document.wraps)}


def wraps_text(wraps: Mapping[str, bytes]) -> str:
    """The same wraps give the same text, read back and written again too."""
    return json.dumps({reader: wrap.hex() for reader, wrap in wraps.items()})


def row_of_entry(register: str, item: RecordedEntry) -> dict[str, Any]:
    entry = item.entry
    return {
        **vars(item),
        "register": register,
        "sequence": entry["sequence"],
        "entry": json.dumps(entry),
        "approvers": json.dumps(item.approvers),
        "holder": entry.get("holder", entry.get("controller")),
        "action": entry["action"],
        "time": entry["time"],
    }


def rows_of_approvers(row: Mapping[str, Any], approvers: Sequence[str]) -> list[dict[str, Any]]:
    """Of a row of an entry: what it is found by, for each who approved it."""
    shared = {name: row[name] for name in ("register", "block_number", "log_index", "holder", "action")}
    return [{**shared, "approver": approver} for approver in approvers]


def application_in(row: Row[Any]) -> Application:
    return Application(
        row.id,
        row.register,
        row.action,
        json.loads(row.payload),
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


def entry_in(row: Row[Any]) -> RecordedEntry:
    return RecordedEntry(
        row.record_id,
        json.loads(row.entry),
        tuple(json.loads(row.approvers)),
        row.block_number,
        row.log_index,
        row.transaction_hash,
    )
