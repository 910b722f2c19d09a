"""Applications, their approvals and the contents that they bring."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson
from sqlalchemy import Connection, Select, and_, insert, select, update

from ledger.adapters.sql_rows import (
    ERASED,
    accepted_in,
    add_once,
    application_in,
    inserting,
    parts,
    row_of_content,
    row_of_document,
)
from ledger.adapters.sql_session import SqlSession
from ledger.adapters.sql_tables import applications, approvals, contents, documents
from ledger.errors import BadInput, Conflict, NotFound
from ledger.model import Application, ApplicationState, Approval, StoredContent, StoredDocument

DEAD = ("refused", "failed")
MAX_KEY = 255


class SqlApplications(SqlSession):
    """See ledger.ports.RecordStore."""

    def add_application(
        self,
        application: Application,
        contents_: Iterable[StoredContent],
        documents_: Iterable[StoredDocument],
        idempotency_key: str,
        body_digest: bytes,
        keep: Callable[[], None] | None = None,
    ) -> Application:
        # Two requests without a key would count as one: the second applicant would get the first one's answer.
        if not 0 < len(idempotency_key) <= MAX_KEY:
            raise BadInput(
                f"The idempotency key must have 1 to {MAX_KEY} characters.",
                "Send a fresh random one with each new request.",
            )
        row = {**vars(application), "payload": orjson.dumps(application.payload).decode()}
        row |= {"idempotency_key": idempotency_key, "body_digest": body_digest, "kept": 1 if keep else 0}
        with self.transaction() as connection:
            added = inserting(connection, applications).on_conflict_do_nothing().returning(applications.c.number)
            if connection.execute(added, row).first() is None:
                first = connection.execute(_with_key(idempotency_key)).first()
                if earlier := accepted_in(first, body_digest):
                    return earlier
                raise Conflict("There is another application of this id.", "Look at what is there.")
            if brought := [row_of_content(application.id, content) for content in contents_]:
                connection.execute(insert(contents), brought)
            add_once(connection, documents, [row_of_document(document) for document in documents_])
            # Last: once it is kept, only the commit can fail, and the same request is kept anew then.
            if keep:
                keep()
        return application

    def accepted_before(self, idempotency_key: str, body_digest: bytes) -> Application | None:
        return accepted_in(self.one(_with_key(idempotency_key)), body_digest)

    def application(self, application_id: str) -> Application:
        row = self.one(select(applications).where(applications.c.id == application_id))
        if row is None:
            raise NotFound("There is no application with this id.", "Check the id; it was shown when you applied.")
        return application_in(row)

    def applications(self, state: ApplicationState, limit: int = 100) -> list[Application]:
        query = select(applications).where(applications.c.state == state)
        return [application_in(row) for row in self.all(query.order_by(applications.c.number).limit(limit))]

    def application_ids(self, state: ApplicationState, limit: int = 100) -> list[str]:
        query = select(applications.c.id).where(applications.c.state == state)
        return [row.id for row in self.all(query.order_by(applications.c.number).limit(limit))]

    def move(self, application_id: str, expected: ApplicationState, to: ApplicationState, reason: str = "") -> None:
        with self.transaction() as connection:
            move(connection, application_id, expected, to, reason)

    def add_approval(self, application_id: str, approval: Approval, keep: Callable[[], None] | None = None) -> None:
        key = {"application_id": application_id, "signer": approval.signer, "role": approval.role}
        with self.transaction() as connection:
            if not connection.execute(select(applications.c.id).where(applications.c.id == application_id)).first():
                raise NotFound("There is no application with this id.", "Check the id; it was shown when you applied.")
            row = inserting(connection, approvals).values(**key, signature=approval.signature)
            added = row.on_conflict_do_nothing(index_elements=list(key)).returning(approvals.c.signer)
            if connection.execute(added).first() and keep:
                keep()

    def approvals(self, application_id: str) -> list[Approval]:
        query = select(approvals).where(approvals.c.application_id == application_id)
        found = [Approval(row.signer, row.role, row.signature) for row in self.all(query)]
        return sorted(found, key=lambda approval: (int(approval.signer, 16), approval.role))

    def content(self, digest: bytes) -> list[dict[str, Any]] | None:
        return self.contents([digest]).get(digest)

    def contents(self, digests: Iterable[bytes]) -> dict[bytes, list[dict[str, Any]]]:
        found = dict[bytes, list[dict[str, Any]]]()
        for part in parts(list(digests)):
            some = and_(contents.c.digest.in_(part), contents.c.fields != ERASED)
            rows = self.all(select(contents.c.digest, contents.c.fields).where(some))
            found |= {row.digest: orjson.loads(row.fields) for row in rows}
        return found

    def application_of_content(self, digest: bytes) -> Application | None:
        brought = select(contents.c.application_id).where(contents.c.digest == digest)
        row = self.one(select(applications).where(applications.c.id.in_(brought)))
        return application_in(row) if row else None

    def first_application_of(self, register: str, record_id: bytes) -> Application | None:
        brought = select(contents.c.application_id).where(contents.c.record_id == record_id)
        query = select(applications).where(applications.c.id.in_(brought), applications.c.register == register)
        row = self.one(query.where(applications.c.state.not_in(DEAD)).order_by(applications.c.number).limit(1))
        return application_in(row) if row else None


def _with_key(idempotency_key: str) -> Select[Any]:
    return select(applications).where(applications.c.idempotency_key == idempotency_key)


def move(connection: Connection, application_id: str, expected: str, to: str, reason: str) -> None:
    """Change an application's state within a transaction. Raises Conflict when its state is not `expected`."""
    where = (applications.c.id == application_id, applications.c.state == expected)
    changed = connection.execute(update(applications).where(*where).values(state=to, reason=reason))
    if not changed.rowcount:
        raise Conflict(f"The application is not {expected}.", "Look at its state again.")
