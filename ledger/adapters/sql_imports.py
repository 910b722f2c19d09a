"""Which of the records that an import brings are there already."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import JSON, ColumnElement, cast, func, select

from ledger.adapters.sql_applications import DEAD
from ledger.adapters.sql_engine import own_errors
from ledger.adapters.sql_entries import SqlEntries
from ledger.adapters.sql_rows import ERASED, parts
from ledger.adapters.sql_tables import applications, contents
from ledger.encoding import to_hex

_IDS = 10_000  # in one query: SQLite takes 32,766 values, PostgreSQL 65,535
_BROUGHT = """
SELECT c.record_id FROM contents c JOIN applications a ON a.id = c.application_id
WHERE c.record_id IN ({ids}) AND c.fields != '' AND a.register = {mark} AND a.state NOT IN ('refused', 'failed')
AND substr(a.idempotency_key, 1, {mark}) != {mark}
"""
_RECORDED = """
SELECT e.record_id FROM entries e WHERE e.record_id IN ({ids}) AND e.register = {mark} AND e.sequence = 1
AND NOT EXISTS (SELECT 1 FROM contents c JOIN applications a ON a.id = c.application_id
WHERE c.record_id = e.record_id AND a.register = {mark} AND substr(a.idempotency_key, 1, {mark}) = {mark})
"""
_PAYLOAD = applications.c.payload
_JSON = cast(_PAYLOAD, JSON)
# The series of a batch, or of the record that is corrected.
_SERIES: dict[str, ColumnElement[Any]] = {
    "sqlite": func.coalesce(func.json_extract(_PAYLOAD, "$.series"), func.json_extract(_PAYLOAD, "$.place.series")),
    "postgresql": func.coalesce(_JSON["series"].as_string(), _JSON["place"]["series"].as_string()),
}


class SqlImports(SqlEntries):
    """See ledger.ports.RecordStore."""

    def taken(self, register: str, record_ids: Sequence[bytes], but_of: str) -> set[bytes]:
        number, _ = self.register_number(register)
        found, own = set[bytes](), (len(but_of), but_of)
        for start in range(0, len(record_ids), _IDS):
            part = tuple(record_ids[start : start + _IDS])
            found |= self._ids_of(_BROUGHT, part, (register, *own))
            found |= self._ids_of(_RECORDED, part, (number, register, *own))
        return found

    def _ids_of(self, query: str, record_ids: Sequence[bytes], rest: Sequence[Any]) -> set[bytes]:
        """As the driver takes it: SQLAlchemy would spend more on so many values than the database does."""
        mark = "?" if self._engine.dialect.name == "sqlite" else "%s"
        asked = query.format(ids=", ".join([mark] * len(record_ids)), mark=mark)
        with own_errors(), self._reading.begin() as connection:
            return {row[0] for row in connection.exec_driver_sql(asked, (*record_ids, *rest))}

    def accepted(self, register: str, series: Collection[bytes], but_of: str) -> Iterator[list[dict[str, Any]]]:
        wanted = {to_hex(one) for one in series}
        others = ~applications.c.idempotency_key.startswith(but_of, autoescape=True)
        alive = (applications.c.register == register, applications.c.state.not_in(DEAD), others)
        named = select(applications.c.id, _SERIES[self._engine.dialect.name].label("series")).where(*alive)
        found = [row.id for row in self.stream(named) if row.series in wanted]
        for part in parts(found):
            brought = select(contents.c.fields).where(contents.c.application_id.in_(part), contents.c.fields != ERASED)
            yield from (orjson.loads(row.fields) for row in self.stream(brought))
