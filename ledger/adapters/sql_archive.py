"""All that is kept of an application at once: read for its dossier, and put back from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import orjson
from sqlalchemy import bindparam, insert, select, text, update

from ledger.adapters.sql_entries import SqlEntries
from ledger.adapters.sql_history import OF_REGISTER
from ledger.adapters.sql_rows import (
    add_once,
    application_in,
    certificate_in,
    document_in,
    entry_in,
    fields_in,
    parts,
    row_of_certificate,
    row_of_content,
    row_of_document,
)
from ledger.adapters.sql_tables import (
    UNKEPT,
    applications,
    approvals,
    certificates,
    contents,
    cursors,
    documents,
)
from ledger.adapters.sql_transactions import SqlTransactions, forget_transactions, restore_transaction
from ledger.content import cids_of
from ledger.errors import NotFound
from ledger.model import (
    ENDED,
    Application,
    Approval,
    Dossier,
    RecordedEntry,
    StoredCertificate,
    StoredContent,
    StoredDocument,
)


class SqlArchive(SqlEntries, SqlTransactions):
    """See ledger.ports.RecordStore."""

    def dossier(self, application_id: str, *, accepted: bool = True) -> Dossier:
        row = self.one(select(applications).where(applications.c.id == application_id))
        if row is None:
            raise NotFound("There is no application with this id.", "Check the id; it was shown when you applied.")
        application = application_in(row)
        dossier = Dossier(
            application,
            row.idempotency_key,
            row.body_digest,
            transactions=tuple(self.carrying(application_id)),
            certificates=tuple(self._certificates_of(application)),
        )
        if not accepted:
            return dossier
        of_it = {t: t.c.application_id == application_id for t in (contents, approvals)}
        brought = self.all(select(contents).where(of_it[contents]).order_by(contents.c.digest))
        stored = tuple(StoredContent(item.digest, item.record_id, fields_in(item.fields)) for item in brought)
        given = self.all(select(approvals).where(of_it[approvals]).order_by(approvals.c.signer, approvals.c.role))
        return replace(
            dossier,
            contents=stored,
            documents=tuple(self._documents_of(stored)),
            approvals=tuple(Approval(item.signer, item.role, item.signature) for item in given),
        )

    def restore(self, dossier: Dossier, concluded: bool) -> bool:
        application = dossier.application
        row = {**vars(application), "payload": orjson.dumps(application.payload).decode()}
        row["kept"] = 2 if concluded else 1
        row |= {"idempotency_key": dossier.idempotency_key, "body_digest": dossier.body_digest}
        with self.transaction() as connection:
            there = connection.execute(select(applications.c.state).where(applications.c.id == application.id)).scalar()
            if there in ENDED or (there and application.state not in (*ENDED, "final")):
                return False
            if there:
                told = {name: row[name] for name in ("state", "reason", "kept")}
                connection.execute(update(applications).where(applications.c.id == application.id).values(**told))
                forget_transactions(connection, application.id)
            else:
                connection.execute(insert(applications), row)
            of_it = {"application_id": application.id}
            add_once(connection, contents, [row_of_content(application.id, content) for content in dossier.contents])
            add_once(connection, documents, [row_of_document(document) for document in dossier.documents])
            add_once(connection, approvals, [{**of_it, **vars(approval)} for approval in dossier.approvals])
            for transaction in dossier.transactions:
                restore_transaction(connection, transaction, application.id)
            add_once(connection, certificates, [row_of_certificate(kept) for kept in dossier.certificates])
        return True

    def unkept(self, limit: int = 100) -> list[tuple[str, bool]]:
        query = select(applications.c.id, applications.c.kept).where(UNKEPT).order_by(applications.c.number)
        return [(row.id, row.kept > 0) for row in self.all(query.limit(limit))]

    def mark_kept(self, application_ids: Sequence[str], concluded: bool) -> None:
        mark = update(applications).where(applications.c.id == bindparam("key")).values(kept=2 if concluded else 1)
        with self.transaction() as connection:
            connection.execute(mark, [{"key": application_id} for application_id in application_ids])

    def ids(self) -> Iterator[str]:
        return (row.id for row in self.stream(select(applications.c.id).order_by(applications.c.number)))

    def is_empty(self) -> bool:
        return self.one(select(applications.c.id).limit(1)) is None and self.one(select(cursors).limit(1)) is None

    def strange(self, register: str) -> Iterator[RecordedEntry]:
        number, layout = self.register_number(register)
        unknown = "c.transaction_hash NOT IN (SELECT hash FROM attempts)"
        query = text(f"{OF_REGISTER} AND {unknown} ORDER BY e.place")
        return (entry_in(row, layout) for row in self.stream(query.bindparams(number=number)))

    def certificates(self) -> Iterator[StoredCertificate]:
        return (certificate_in(row) for row in self.stream(select(certificates)))

    def _documents_of(self, brought: Sequence[StoredContent]) -> Iterator[StoredDocument]:
        for part in parts(sorted({cid for content in brought for cid in cids_of(content.fields)})):
            query = select(documents).where(documents.c.cid.in_(part)).order_by(documents.c.cid)
            yield from (document_in(row) for row in self.all(query))

    def _certificates_of(self, application: Application) -> Iterator[StoredCertificate]:
        """The newest of each record."""
        for part in parts(sorted(set(application.record_ids))):
            of_them = (certificates.c.register == application.register, certificates.c.record_id.in_(part))
            query = select(certificates).where(*of_them).order_by(certificates.c.record_id, certificates.c.sequence)
            newest = {row.record_id: row for row in self.all(query)}
            yield from (certificate_in(row) for row in newest.values())
