"""The record store on SQL: SQLite embedded, the same tables elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Select, cast, func, insert, or_, select, update

from ledger.adapters.sql_engine import migrate, open_engine, own_errors, reading, take_turns
from ledger.adapters.sql_history import entries_query
from ledger.adapters.sql_rows import (
    accepted_in,
    add_once,
    application_in,
    document_in,
    entry_in,
    inserting,
    matches,
    row_of_content,
    row_of_document,
    row_of_entry,
    rows_of_approvers,
)
from ledger.adapters.sql_tables import (
    applications,
    approvals,
    certificates,
    contents,
    cursors,
    documents,
    entries,
    entry_approvers,
    leases,
    revealed,
    transactions,
)
from ledger.encoding import keccak256
from ledger.errors import BadInput, Conflict, NotFound, Unavailable
from ledger.model import Application, ApplicationState, Approval, Place, RecordedEntry, StoredDocument, Transaction

__all__ = ["SqlStore", "migrate"]

DEAD = ("refused", "failed")
MAX_KEY = 255
_NOW = {
    "sqlite": cast(func.strftime("%s", "now"), BigInteger),
    "postgresql": cast(func.extract("epoch", func.clock_timestamp()), BigInteger),
}


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
        # Two requests without a key would count as one: the second applicant would get the first one's answer.
        if not 0 < len(idempotency_key) <= MAX_KEY:
            raise BadInput(
                f"The idempotency key must have 1 to {MAX_KEY} characters.",
                "Send a fresh random one with each new request.",
            )
        row = {**vars(application), "payload": json.dumps(application.payload)}
        row |= {"idempotency_key": idempotency_key, "body_digest": body_digest}
        with self._transaction() as connection:
            added = inserting(connection, applications).on_conflict_do_nothing().returning(applications.c.number)
            if connection.execute(added, row).first() is None:
                first = connection.execute(_with_key(idempotency_key)).first()
                if earlier := accepted_in(first, body_digest):
                    return earlier
                raise Conflict("There is another application of this id.", "Look at what is there.")
            if brought := [r for r in application.payload["records"] if "content" in r]:
                connection.execute(insert(contents), [row_of_content(application.id, record) for record in brought])
            add_once(connection, documents, [row_of_document(document) for document in documents_])
        return application

    def accepted_before(self, idempotency_key: str, body_digest: bytes) -> Application | None:
        return accepted_in(self._one(_with_key(idempotency_key)), body_digest)

    def application(self, application_id: str) -> Application:
        row = self._one(select(applications).where(applications.c.id == application_id))
        if row is None:
            raise NotFound("There is no application with this id.", "Check the id; it was shown when you applied.")
        return application_in(row)

    def applications(self, state: ApplicationState, limit: int = 100) -> list[Application]:
        query = select(applications).where(applications.c.state == state)
        return [application_in(row) for row in self._all(query.order_by(applications.c.number).limit(limit))]

    def move(self, application_id: str, expected: ApplicationState, to: ApplicationState, reason: str = "") -> None:
        with self._transaction() as connection:
            _move(connection, application_id, expected, to, reason)

    def add_approval(self, application_id: str, approval: Approval) -> None:
        key = {"application_id": application_id, "signer": approval.signer, "role": approval.role}
        with self._transaction() as connection:
            if not connection.execute(select(applications.c.id).where(applications.c.id == application_id)).first():
                raise NotFound("There is no application with this id.", "Check the id; it was shown when you applied.")
            add_once(connection, approvals, [{**key, "signature": approval.signature}])

    def approvals(self, application_id: str) -> list[Approval]:
        query = select(approvals).where(approvals.c.application_id == application_id)
        found = [Approval(row.signer, row.role, row.signature) for row in self._all(query)]
        return sorted(found, key=lambda approval: (int(approval.signer, 16), approval.role))

    def document(self, cid: str) -> StoredDocument:
        row = self._one(select(documents).where(documents.c.cid == cid))
        if row is None:
            raise NotFound("This office keeps no document of this CID.")
        return document_in(row)

    def add_transaction(
        self, application_id: str, sender: str, at_least: int, sign: Callable[[int], bytes]
    ) -> Transaction:
        approved = select(applications.c.id).where(*matches(applications, {"id": application_id, "state": "approved"}))
        highest = select(func.max(transactions.c.nonce)).where(transactions.c.sender == sender)
        with self._transaction() as connection:
            # Whoever is signing it already will have moved it: to wait for him would be for nothing.
            if not connection.execute(approved.with_for_update(skip_locked=True, key_share=True)).first():
                raise Conflict("The application is not approved, or another worker is signing it.")
            take_turns(connection, f"nonces of {sender}")
            used = connection.execute(highest).scalar()
            nonce = at_least if used is None else max(at_least, used + 1)
            raw = sign(nonce)
            transaction = Transaction(keccak256(raw), raw, sender, nonce, application_id, "signed")
            connection.execute(insert(transactions), vars(transaction))
            _move(connection, application_id, "approved", "signed", "")
        return transaction

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
        items = list(recorded)
        rows = [row_of_entry(register, item) for item in items]
        approved = [by for row, i in zip(rows, items, strict=True) for by in rows_of_approvers(row, i.approvers)]
        facts = [{"register": register, "commitment": c, "value": json.dumps(v)} for c, v in revealed_.items()]
        with self._transaction() as connection:
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
        row = self._one(select(cursors.c.block_number).where(cursors.c.register == register))
        return row.block_number if row else None

    def history(self, register: str, record_id: bytes) -> list[RecordedEntry]:
        query = select(entries).where(entries.c.register == register, entries.c.record_id == record_id)
        return [entry_in(row) for row in self._all(query.order_by(entries.c.sequence))]

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
        return [entry_in(row) for row in self._all(query)]

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
        return application_in(row) if row else None

    def first_application_of(self, register: str, record_id: bytes) -> Application | None:
        brought = select(contents.c.application_id).where(contents.c.record_id == record_id)
        query = select(applications).where(applications.c.id.in_(brought), applications.c.register == register)
        row = self._one(query.where(applications.c.state.not_in(DEAD)).order_by(applications.c.number).limit(1))
        return application_in(row) if row else None

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
            added = inserting(connection, certificates).values(**key, **row)
            connection.execute(added.on_conflict_do_update(index_elements=list(key), set_=row))

    def certificate(self, register: str, record_id: bytes, head: bytes | None = None) -> dict[str, Any] | None:
        key = {"register": register, "record_id": record_id} | ({} if head is None else {"head": head})
        query = select(certificates.c.certificate).where(*matches(certificates, key))
        row = self._one(query.order_by(certificates.c.sequence.desc()).limit(1))
        return json.loads(row.certificate) if row else None

    def lease(self, name: str, holder: str, seconds: int) -> None:
        with self._transaction() as connection:
            now = _NOW[connection.dialect.name]
            taken = inserting(connection, leases).values(name=name, holder=holder, expires=now + seconds)
            free = or_(leases.c.holder == holder, leases.c.expires <= now)
            change = {"holder": taken.excluded.holder, "expires": taken.excluded.expires}
            taken = taken.on_conflict_do_update(index_elements=["name"], set_=change, where=free)
            if connection.execute(taken.returning(leases.c.name)).first() is None:
                other = connection.execute(select(leases.c.holder).where(leases.c.name == name)).scalar()
                raise Unavailable(f"{other} has the lease {name}.", "Stop it there, or wait until it lets go.")


def _with_key(idempotency_key: str) -> Select[Any]:
    return select(applications).where(applications.c.idempotency_key == idempotency_key)


def _move(connection: Connection, application_id: str, expected: str, to: str, reason: str) -> None:
    where = (applications.c.id == application_id, applications.c.state == expected)
    changed = connection.execute(update(applications).where(*where).values(state=to, reason=reason))
    if not changed.rowcount:
        raise Conflict(f"The application is not {expected}.", "Look at its state again.")
