"""Erasing contents, and what is left of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection, Row, and_, delete, or_, select, text, update

from ledger.adapters.sql_contents import content_in, named_contents
from ledger.adapters.sql_engine import compact, own_errors, take_turns
from ledger.adapters.sql_entries import SqlEntries
from ledger.adapters.sql_history import OF_REGISTER
from ledger.adapters.sql_holds import check_free
from ledger.adapters.sql_rows import ERASED, entry_in, inserting, matches
from ledger.adapters.sql_tables import (
    applications,
    certificates,
    contents,
    documents,
    identifiers,
    tombstones,
)
from ledger.batch_entry import APPEND, APPEND_LEAVES
from ledger.content import cids_of
from ledger.encoding import to_hex
from ledger.model import HeldContent, RecordedEntry, Tombstone

_LEFT = "SELECT 1 FROM tombstones t WHERE t.series = e.record_id AND t.time >= c.time"
_ORDERED = f"{OF_REGISTER} AND e.action IN (:append, :leaves) AND NOT EXISTS ({_LEFT}) ORDER BY e.place"  # nosec B608


class SqlErasure(SqlEntries):
    """See ledger.ports.RecordStore."""

    def ordered_erasures(self, register: str) -> list[RecordedEntry]:
        number, layout = self.register_number(register)
        query = text(_ORDERED).bindparams(number=number, append=APPEND, leaves=APPEND_LEAVES)
        return [entry_in(row, layout) for row in self.all(query)]

    def erase(self, tombstone: Tombstone) -> Tombstone:
        register, erased = tombstone.register, tombstone.erased
        with self.transaction() as connection:
            take_turns(connection, "holds and erasures")
            query = named_contents(register, erased).where(applications.c.created <= tombstone.time)
            found = [content_in(row) for row in connection.execute(query).all()]
            record_ids = {erased, *(content.record_id for content in found)}
            check_free(connection, register, record_ids)
            documents_ = _erase_contents(connection, found)
            _erase_certificates(connection, register, record_ids, found)
            of_record = and_(applications.c.register == register, applications.c.payload.contains(to_hex(erased)))
            brought = applications.c.id.in_([content.application_id for content in found])
            about = _erase_reasons(connection, and_(or_(brought, of_record), applications.c.created <= tombstone.time))
            made = replace(tombstone, documents=documents_, applications=about)
            row = {**vars(made), **_work(made)}
            added = inserting(connection, tombstones).values(row)
            connection.execute(added.on_conflict_do_update(index_elements=["series"], set_=row))
        return made

    def erasure_of(self, digest: bytes) -> Tombstone | None:
        of = select(applications.c.register, contents.c.record_id).join(contents).where(contents.c.digest == digest)
        if (content := self.one(of)) is None:
            return None
        where = (tombstones.c.register == content.register, tombstones.c.erased.in_((content.record_id, digest)))
        row = self.one(select(tombstones).where(*where).order_by(tombstones.c.time.desc()))
        return tombstone_in(row) if row else None

    def unfinished_erasures(self) -> list[Tombstone]:
        left = (tombstones.c[name] != "[]" for name in ("documents", "applications"))
        query = select(tombstones).where(or_(~tombstones.c.purged, *left)).order_by(tombstones.c.time)
        return [tombstone_in(row) for row in self.all(query)]

    def compact(self) -> None:
        with own_errors():
            compact(self._engine)

    def note_erasure(self, tombstone: Tombstone) -> None:
        with self.transaction() as connection:
            of_it = update(tombstones).where(tombstones.c.series == tombstone.series)
            connection.execute(of_it.values(purged=tombstone.purged, **_work(tombstone)))


def _erase_contents(connection: Connection, found: Sequence[HeldContent]) -> tuple[str, ...]:
    """The CIDs of the documents whose keys go with them."""
    cids = tuple(cid for content in found for cid in cids_of(content.fields))
    digests = [content.digest for content in found]
    connection.execute(delete(documents).where(documents.c.cid.in_(cids)))
    connection.execute(delete(identifiers).where(identifiers.c.digest.in_(digests)))
    connection.execute(update(contents).where(contents.c.digest.in_(digests)).values(fields=ERASED, indexed=True))
    return cids


def _erase_certificates(
    connection: Connection, register: str, record_ids: Collection[bytes], found: Sequence[HeldContent]
) -> None:
    """Those that disclose a field: its salt stands in them and nowhere else."""
    salts = [field["salt"] for content in found for field in content.fields]
    of_records = and_(certificates.c.register == register, certificates.c.record_id.in_(record_ids))
    for row in connection.execute(select(certificates).where(of_records)).all():
        if any(salt in row.certificate for salt in salts):
            key = {name: getattr(row, name) for name in ("register", "record_id", "head")}
            connection.execute(delete(certificates).where(*matches(certificates, key)))


def _erase_reasons(connection: Connection, which: Any) -> tuple[str, ...]:
    """What applications say of a record beside its content; their ids. The hash of the request goes too: it is one of
    plain fields, and could be guessed back to them."""
    about = connection.execute(select(applications).where(which)).all()
    for row in about:
        payload: Mapping[str, Any] = orjson.loads(row.payload)
        left = {name: value for name, value in payload.items() if name != "reasons"}
        change = {"payload": orjson.dumps(left).decode(), "reason": "", "body_digest": bytes(32)}
        connection.execute(update(applications).where(applications.c.number == row.number).values(change))
    return tuple(row.id for row in about)


def _work(tombstone: Tombstone) -> dict[str, str]:
    return {name: orjson.dumps(getattr(tombstone, name)).decode() for name in ("documents", "applications")}


def tombstone_in(row: Row[Any]) -> Tombstone:
    work = {name: tuple(orjson.loads(row._mapping[name])) for name in ("documents", "applications")}
    return Tombstone(**{**row._mapping, **work})
