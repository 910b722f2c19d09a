"""Sealed documents and the keys of their readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select, update

from ledger.adapters.sql_rows import document_in, matches, wraps_text
from ledger.adapters.sql_session import SqlSession
from ledger.adapters.sql_tables import contents, documents
from ledger.errors import NotFound
from ledger.model import StoredDocument


class SqlDocuments(SqlSession):
    """See ledger.ports.RecordStore."""

    def document(self, cid: str) -> StoredDocument:
        row = self.one(select(documents).where(documents.c.cid == cid))
        if row is None:
            raise NotFound("This office keeps no document of this CID.")
        return document_in(row)

    def documents(self, after: str = "", limit: int = 1_000) -> list[StoredDocument]:
        query = select(documents).where(documents.c.cid > after).order_by(documents.c.cid).limit(limit)
        return [document_in(row) for row in self.all(query)]

    def application_of_document(self, cid: str) -> str:
        row = self.one(select(contents.c.application_id).where(contents.c.fields.contains(cid, autoescape=True)))
        if row is None:
            raise NotFound("No application here brought a document of this CID.")
        return str(row.application_id)

    def rewrap(self, changes: Iterable[tuple[StoredDocument, Mapping[str, bytes]]]) -> int:
        changed = 0
        with self.transaction() as connection:
            for document, wraps in changes:
                same = {"cid": document.cid, "wraps": wraps_text(document.wraps)}
                query = update(documents).where(*matches(documents, same)).values(wraps=wraps_text(wraps))
                changed += connection.execute(query).rowcount
        return changed
