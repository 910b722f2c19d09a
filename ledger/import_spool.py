"""What the first pass over a table found, kept outside of memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ledger.import_rows import Candidate
from ledger.tables import Problem

KEYS_AT_ONCE = 10_000

_TABLES = """
PRAGMA journal_mode = OFF;
CREATE TABLE rows (number INTEGER PRIMARY KEY, line INTEGER, series BLOB, key BLOB, size INTEGER, body TEXT);
CREATE TABLE errors (number INTEGER, line INTEGER, "column" TEXT, rule TEXT);
CREATE TABLE taken (key BLOB PRIMARY KEY) WITHOUT ROWID;
BEGIN;
"""
_REPEATED = """
INSERT INTO errors
SELECT number, line, ?, 'Other rows have the same record, the first is row ' || first || '.' FROM rows
JOIN (SELECT key, min(number) AS first FROM rows WHERE key NOT NULL GROUP BY key HAVING count(*) > 1) USING (key)
"""
_EXISTING = """
INSERT INTO errors
SELECT number, line, ?, 'This record exists already.' FROM rows JOIN taken USING (key)
"""


@dataclass(frozen=True)
class RowError:
    number: int
    line: int
    column: str
    rule: str


@dataclass(frozen=True)
class Chunk:
    """Rows that become one application, the `number`th of their series; they are numbered as in the file."""

    series: bytes
    number: int
    rows: Sequence[tuple[int, Candidate]]


class Spool:
    """A temporary database of SQLite: a file without a name, that is gone however the process ends."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(_TABLES)

    def close(self) -> None:
        self._database.close()

    def add(self, number: int, line: int, series: bytes, key: bytes | None, candidate: Candidate) -> None:
        body = json.dumps([candidate.fields, candidate.holder, candidate.document])
        values = (number, line, series, key, candidate.size, body)
        self._database.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", values)

    def fail(self, number: int, line: int, problems: Iterable[Problem]) -> None:
        values = ((number, line, column, rule) for column, rule in problems)
        self._database.executemany("INSERT INTO errors VALUES (?, ?, ?, ?)", values)

    def key_parts(self) -> Iterator[Sequence[bytes]]:
        """Those of the rows, each once, in parts."""
        query, last = "SELECT DISTINCT key FROM rows WHERE key > ? ORDER BY key LIMIT ?", b""
        self._database.execute("CREATE INDEX IF NOT EXISTS rows_by_key ON rows (key)")
        while part := [key for (key,) in self._database.execute(query, (last, KEYS_AT_ONCE))]:
            yield part
            last = part[-1]

    def series(self) -> set[bytes]:
        """Those of the rows."""
        return {series for (series,) in self._database.execute("SELECT DISTINCT series FROM rows")}

    def settle(self, taken: Iterable[Iterable[bytes]], column: str) -> None:
        """Find the rows whose key another row has, or is taken; nobody knows which of two is right, so both are bad.
        Then only good rows are left. What is taken comes in parts, each while `key_parts` may be asked for."""
        run = self._database.execute
        for part in taken:
            self._database.executemany("INSERT OR IGNORE INTO taken VALUES (?)", ((key,) for key in part))
        run("CREATE INDEX IF NOT EXISTS rows_by_key ON rows (key)")
        run(_REPEATED, (column,))
        run(_EXISTING, (column,))
        run("DELETE FROM rows WHERE number IN (SELECT number FROM errors)")
        run("CREATE INDEX rows_by_series ON rows (series, number)")

    def counts(self) -> tuple[int, int, int]:
        """Good rows, bad rows, errors."""
        good = self._database.execute("SELECT count(*) FROM rows").fetchone()
        bad = self._database.execute("SELECT count(DISTINCT number), count(*) FROM errors").fetchone()
        return (*good, *bad)

    def errors(self) -> Iterator[RowError]:
        """By row."""
        query = 'SELECT number, line, "column", rule FROM errors ORDER BY number, rowid'
        return (RowError(*row) for row in self._database.execute(query))

    def bad_rows(self) -> Iterator[int]:
        """Ascending."""
        return (row[0] for row in self._database.execute("SELECT DISTINCT number FROM errors ORDER BY number"))

    def chunks(self, most_rows: int, most_bytes: int) -> Iterator[Chunk]:
        """The good rows, a series after the other as they first occur, in the order of the file; in as few chunks as
        hold so many rows and so many bytes of documents. The same rows always give the same chunks."""
        listed = "SELECT series FROM rows GROUP BY series ORDER BY min(number)"
        for (series,) in self._database.execute(listed).fetchall():
            number, size, rows = 0, 0, list[tuple[int, Candidate]]()
            for row, candidate in self._rows_of(series):
                if rows and (len(rows) == most_rows or size + candidate.size > most_bytes):
                    yield Chunk(series, number, rows)
                    number, size, rows = number + 1, 0, []
                rows.append((row, candidate))
                size += candidate.size
            yield Chunk(series, number, rows)

    def _rows_of(self, series: bytes) -> Iterator[tuple[int, Candidate]]:
        query = "SELECT number, size, body FROM rows WHERE series = ? ORDER BY number"
        for number, size, body in self._database.execute(query, (series,)):
            fields, holder, document = json.loads(body)
            yield number, Candidate(fields, holder, document, size)
