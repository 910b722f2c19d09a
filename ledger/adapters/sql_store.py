"""The record store on SQL: SQLite embedded, the same tables elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import select

from ledger.adapters.sql_applications import SqlApplications, move
from ledger.adapters.sql_archive import SqlArchive
from ledger.adapters.sql_contents import SqlContents
from ledger.adapters.sql_documents import SqlDocuments
from ledger.adapters.sql_engine import migrate
from ledger.adapters.sql_erasure import SqlErasure
from ledger.adapters.sql_holds import SqlHolds
from ledger.adapters.sql_imports import SqlImports
from ledger.adapters.sql_rows import inserting, matches, row_of_certificate
from ledger.adapters.sql_session import SqlSession
from ledger.adapters.sql_status import SqlStatus
from ledger.adapters.sql_tables import certificates
from ledger.model import StoredCertificate

__all__ = ["SqlStore", "migrate"]


class SqlCertificates(SqlSession):
    """See ledger.ports.RecordStore."""

    def save_certificates(self, certificates_: Sequence[StoredCertificate], certified: Sequence[str] = ()) -> None:
        rows = [row_of_certificate(certificate) for certificate in certificates_]
        with self.transaction() as connection:
            for application_id in certified:
                move(connection, application_id, "final", "certified", "")
            added = inserting(connection, certificates)
            newer = {name: added.excluded[name] for name in ("sequence", "certificate")}
            if rows:
                key = list(certificates.primary_key.columns)
                connection.execute(added.on_conflict_do_update(index_elements=key, set_=newer), rows)

    def certificate(self, register: str, record_id: bytes, head: bytes | None = None) -> dict[str, Any] | None:
        key = {"register": register, "record_id": record_id} | ({} if head is None else {"head": head})
        query = select(certificates.c.certificate).where(*matches(certificates, key))
        row = self.one(query.order_by(certificates.c.sequence.desc()).limit(1))
        return orjson.loads(row.certificate) if row else None


class SqlStore(
    SqlApplications,
    SqlDocuments,
    SqlCertificates,
    SqlContents,
    SqlErasure,
    SqlHolds,
    SqlImports,
    SqlArchive,
    SqlStatus,
):
    """See ledger.ports.RecordStore. Safe to share between threads. `migrate` the database first."""
