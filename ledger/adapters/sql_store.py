"""The record store on SQL: SQLite embedded, the same tables elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, insert, select, update

from ledger.adapters.sql_engine import migrate, open_engine, own_errors, reading
from ledger.adapters.sql_tables import (
    applications,
    approvals,
    certificates,
    contents,
    cursors,
    documents,
    entries,
    revealed,
    transactions,
)
from ledger.errors import BadInput, Conflict, IdempotencyMismatch, NotFound
from ledger.model import Application, ApplicationState, Approval, RecordedEntry, StoredDocument, Transaction

__all__ = ["SqlStore", "migrate"]

DEAD = ("refused", "failed")


class SqlStore:
    """See ledger.ports.RecordStore. Safe to share between threads. `migrate` the database first."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._reading = reading(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with own_errors(), self._engine.begin() as connection:
            yield connection

    def _one(self, query: Select[Any]) -> Row[Any] | None:
        with own_errors(), self._reading.begin() as connection:
            return connection.execute(query).first()

    def _all(self, query: Select[Any]) -> list[Row[Any]]:
        with own_errors(), self._reading.begin() as connection:
            return list(connection.execute(query))

    def _stream(self, query: Select[Any]) -> Iterator[Row[Any]]:
        with own_errors(), self._reading.begin() as connection:
            yield from connection.execution_options(yield_per=1_000).execute(query)

    def add_application(
        self, application: Application, documents_: Iterable[StoredDocument], idempotency_key: str, body_digest: bytes
    ) -> Application:
        if not idempotency_key:
            # Two requests without a key would count as one: the second applicant would get the first one's answer.
            raise BadInput("The request has no idempotency key.", "Send a fresh random one with each new request.")
        with self._transaction() as connection:
            if earlier := _accepted_before(connection, idempotency_key, body_digest):
                return earlier
            row = {**vars(application), "payload": json.dumps(application.payload)}
            connection.execute(
                insert(applications), {**row, "idempotency_key": idempotency_key, "body_digest": body_digest}
            )
            if brought := [r for r in application.payload["records"] if "content" in r]:
                connection.execute(insert(contents), [_content(application.id, record) for record in brought])
            for document in documents_:
                wraps = json.dumps({reader: wrap.hex() for reader, wrap in document.wraps.items()})
                _add_once(connection, documents, {"cid": document.cid}, {**vars(document), "wraps": wraps})
        return application

    def accepted_before(self, idempotency_key: str, body_digest: bytes) -> Application | None:
        with own_errors(), self._reading.begin() as connection:
            return _accepted_before(connection, idempotency_key, body_digest)

    def application(self, application_id: str) -> Application:
        row = self._one(select(applications).where(applications.c.id == application_id))
        if row is None:
            raise NotFound("There is no application with this id.", "Check the id; it was shown when you applied.")
        return _application(row)

    def applications(self, state: ApplicationState, limit: int = 100) -> list[Application]:
        query = select(applications).where(applications.c.state == state)
        return [_application(row) for row in self._all(query.order_by(applications.c.number).limit(limit))]

    def move(self, application_id: str, expected: ApplicationState, to: ApplicationState, reason: str = "") -> None:
        with self._transaction() as connection:
            _move(connection, application_id, expected, to, reason)

    def add_approval(self, application_id: str, approval: Approval) -> None:
        key = {"application_id": application_id, "signer": approval.signer, "role": approval.role}
        with self._transaction() as connection:
            if not connection.execute(select(applications.c.id).where(applications.c.id == application_id)).first():
                raise NotFound("There is no application with this id.", "Check the id; it was shown when you applied.")
            _add_once(connection, approvals, key, {"signature": approval.signature})

    def approvals(self, application_id: str) -> list[Approval]:
        query = select(approvals).where(approvals.c.application_id == application_id)
        found = [Approval(row.signer, row.role, row.signature) for row in self._all(query)]
        return sorted(found, key=lambda approval: (int(approval.signer, 16), approval.role))

    def document(self, cid: str) -> StoredDocument:
        row = self._one(select(documents).where(documents.c.cid == cid))
        if row is None:
            raise NotFound("This office keeps no document of this CID.")
        wraps = {reader: bytes.fromhex(wrap) for reader, wrap in json.loads(row.wraps).items()}
        return StoredDocument(row.cid, row.sha256, row.size, row.media_type, wraps)

    def add_transaction(self, transaction: Transaction) -> None:
        same_nonce = (transactions.c.sender == transaction.sender, transactions.c.nonce == transaction.nonce)
        with self._transaction() as connection:
            if connection.execute(select(transactions.c.hash).where(*same_nonce)).first():
                raise Conflict(f"Nonce {transaction.nonce} of {transaction.sender} is taken.")
            _move(connection, transaction.application_id, "approved", "signed", "")
            connection.execute(insert(transactions), vars(transaction))

    def transactions(self, state: str, limit: int = 100) -> list[Transaction]:
        query = select(transactions).where(transactions.c.state == state).order_by(transactions.c.nonce).limit(limit)
        return [Transaction(**row._mapping) for row in self._all(query)]

    def highest_nonce(self, sender: str) -> int | None:
        row = self._one(select(func.max(transactions.c.nonce)).where(transactions.c.sender == sender))
        return None if row is None else row[0]

    def update_transaction(
        self, transaction: Transaction, application_state: ApplicationState, reason: str = ""
    ) -> None:
        with self._transaction() as connection:
            changed = {
                "state": transaction.state,
                "block_number": transaction.block_number,
                "block_hash": transaction.block_hash,
            }
            where_hash = transactions.c.hash == transaction.hash
            if not connection.execute(update(transactions).where(where_hash).values(**changed)).rowcount:
                raise NotFound(f"There is no transaction {transaction.hash.hex()}.")
            where = applications.c.id == transaction.application_id
            connection.execute(update(applications).where(where).values(state=application_state, reason=reason))

    def transaction_of(self, application_id: str) -> Transaction | None:
        row = self._one(select(transactions).where(transactions.c.application_id == application_id))
        return Transaction(**row._mapping) if row else None

    def add_entries(
        self, register: str, last_block: int, recorded: Iterable[RecordedEntry], revealed_: Mapping[bytes, Any]
    ) -> None:
        with self._transaction() as connection:
            for commitment, value in revealed_.items():
                key = {"register": register, "commitment": commitment}
                _add_once(connection, revealed, key, {"value": json.dumps(value)})
            for item in recorded:
                key = {"register": register, "record_id": item.record_id, "sequence": item.entry["sequence"]}
                row = {**vars(item), "entry": json.dumps(item.entry), "approvers": json.dumps(item.approvers)}
                _add_once(connection, entries, key, row)
            cursor = connection.execute(select(cursors.c.block_number).where(cursors.c.register == register)).scalar()
            if cursor is None:
                connection.execute(insert(cursors), {"register": register, "block_number": last_block})
            elif cursor < last_block:
                where = cursors.c.register == register
                connection.execute(update(cursors).where(where).values(block_number=last_block))

    def cursor(self, register: str) -> int | None:
        row = self._one(select(cursors.c.block_number).where(cursors.c.register == register))
        return row.block_number if row else None

    def history(self, register: str, record_id: bytes) -> list[RecordedEntry]:
        query = select(entries).where(entries.c.register == register, entries.c.record_id == record_id)
        return [_recorded(row) for row in self._all(query.order_by(entries.c.sequence))]

    def revealed(self, register: str, commitment: bytes) -> Any | None:
        query = select(revealed.c.value).where(revealed.c.register == register, revealed.c.commitment == commitment)
        row = self._one(query)
        return json.loads(row.value) if row else None

    def content(self, digest: bytes) -> list[dict[str, Any]] | None:
        row = self._one(select(contents.c.fields).where(contents.c.digest == digest))
        return json.loads(row.fields) if row else None

    def application_of_content(self, digest: bytes) -> Application | None:
        brought = select(contents.c.application_id).where(contents.c.digest == digest)
        row = self._one(select(applications).where(applications.c.id.in_(brought)))
        return _application(row) if row else None

    def first_application_of(self, register: str, record_id: bytes) -> Application | None:
        brought = select(contents.c.application_id).where(contents.c.record_id == record_id)
        query = select(applications).where(applications.c.id.in_(brought), applications.c.register == register)
        row = self._one(query.where(applications.c.state.not_in(DEAD)).order_by(applications.c.number).limit(1))
        return _application(row) if row else None

    def accepted(self, register: str, but_of: str) -> Iterator[tuple[bytes, list[dict[str, Any]]]]:
        of_register = (applications.c.register == register, applications.c.state.not_in(DEAD))
        others = ~applications.c.idempotency_key.startswith(but_of, autoescape=True)
        query = select(contents.c.record_id, contents.c.fields).join(applications).where(*of_register, others)
        return ((row.record_id, json.loads(row.fields)) for row in self._stream(query))

    def recorded(self, register: str, but_of: str) -> Iterator[bytes]:
        theirs = applications.c.idempotency_key.startswith(but_of, autoescape=True)
        own = select(contents.c.record_id).join(applications).where(applications.c.register == register, theirs)
        first = (entries.c.register == register, entries.c.sequence == 1)
        query = select(entries.c.record_id).where(*first, entries.c.record_id.not_in(own))
        return (row.record_id for row in self._stream(query))

    def save_certificate(
        self, register: str, record_id: bytes, sequence: int, head: bytes, certificate: Mapping[str, Any]
    ) -> None:
        key = {"register": register, "record_id": record_id, "head": head}
        row = {"sequence": sequence, "certificate": json.dumps(certificate)}
        with self._transaction() as connection:
            if not connection.execute(update(certificates).where(*_is(certificates, key)).values(**row)).rowcount:
                connection.execute(insert(certificates), {**key, **row})

    def certificate(self, register: str, record_id: bytes, head: bytes | None = None) -> dict[str, Any] | None:
        key = {"register": register, "record_id": record_id} | ({} if head is None else {"head": head})
        query = select(certificates.c.certificate).where(*_is(certificates, key))
        row = self._one(query.order_by(certificates.c.sequence.desc()).limit(1))
        return json.loads(row.certificate) if row else None


def _content(application_id: str, record: Mapping[str, Any]) -> dict[str, Any]:
    digest, record_id = (bytes.fromhex(record[name][2:]) for name in ("digest", "recordId"))
    fields = json.dumps(record["content"])
    return {"digest": digest, "application_id": application_id, "record_id": record_id, "fields": fields}


def _is(table: Table, key: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in key.items()]


def _add_once(connection: Connection, table: Table, key: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    """Insert the row unless one of this key is there. No other writer can add it in between: see open_engine."""
    if not connection.execute(select(table).where(*_is(table, key))).first():
        connection.execute(insert(table), {**key, **row})


def _accepted_before(connection: Connection, idempotency_key: str, body_digest: bytes) -> Application | None:
    row = connection.execute(select(applications).where(applications.c.idempotency_key == idempotency_key)).first()
    if row is not None and row.body_digest != body_digest:
        raise IdempotencyMismatch(
            "This idempotency key was used for another request.", "Use a new key for a new request."
        )
    return _application(row) if row else None


def _move(connection: Connection, application_id: str, expected: str, to: str, reason: str) -> None:
    where = (applications.c.id == application_id, applications.c.state == expected)
    changed = connection.execute(update(applications).where(*where).values(state=to, reason=reason))
    if not changed.rowcount:
        raise Conflict(f"The application is not {expected}.", "Look at its state again.")


def _application(row: Row[Any]) -> Application:
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


def _recorded(row: Row[Any]) -> RecordedEntry:
    return RecordedEntry(
        row.record_id,
        json.loads(row.entry),
        tuple(json.loads(row.approvers)),
        row.block_number,
        row.log_index,
        row.transaction_hash,
    )
