"""The record store on SQL: SQLite embedded, the same tables elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from ledger.adapters.sql_applications import SqlApplications
from ledger.adapters.sql_archive import SqlArchive
from ledger.adapters.sql_documents import SqlDocuments
from ledger.adapters.sql_engine import migrate
from ledger.adapters.sql_rows import inserting, matches
from ledger.adapters.sql_session import SqlSession
from ledger.adapters.sql_status import SqlStatus
from ledger.adapters.sql_tables import certificates
from ledger.adapters.sql_transactions import SqlTransactions

__all__ = ["SqlStore", "migrate"]


class SqlCertificates(SqlSession):
    """See ledger.ports.RecordStore."""

    def save_certificate(
        self, register: str, record_id: bytes, sequence: int, head: bytes, certificate: Mapping[str, Any]
    ) -> None:
        key = {"register": register, "record_id": record_id, "head": head}
        row = {"sequence": sequence, "certificate": json.dumps(certificate)}
        with self.transaction() as connection:
            added = inserting(connection, certificates).values(**key, **row)
            connection.execute(added.on_conflict_do_update(index_elements=list(key), set_=row))

    def certificate(self, register: str, record_id: bytes, head: bytes | None = None) -> dict[str, Any] | None:
        key = {"register": register, "record_id": record_id} | ({} if head is None else {"head": head})
        query = select(certificates.c.certificate).where(*matches(certificates, key))
        row = self.one(query.order_by(certificates.c.sequence.desc()).limit(1))
        return json.loads(row.certificate) if row else None


class SqlStore(SqlApplications, SqlTransactions, SqlDocuments, SqlCertificates, SqlArchive, SqlStatus):
    """See ledger.ports.RecordStore. Safe to share between threads. `migrate` the database first."""
