"""Which document is where: a small SQLite file beside the office's own copies of its documents.

A row is `waiting` until its node holds the document, then `kept`; `erasing` until the node has let go of it, then gone.
Rows of HERE say what the office keeps at all. Where the file is lost, every document waits again: no harm is done.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any

from ledger.errors import DocumentStoreUnavailable

HERE = "here"
MAX_PAUSE_SECONDS = 3600

_SCHEMA = """
CREATE TABLE IF NOT EXISTS replicas (
    cid TEXT NOT NULL, node TEXT NOT NULL, state TEXT NOT NULL, since INTEGER NOT NULL, due INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (node, cid)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS replicas_due ON replicas (node, due) WHERE state != 'kept';
CREATE INDEX IF NOT EXISTS replicas_of ON replicas (cid);
"""
_KEEP = """
INSERT INTO replicas (cid, node, state, since, due) VALUES (?1, ?2, ?3, ?4, ?4)
ON CONFLICT DO UPDATE SET state = ?3, since = ?4, due = ?4, tries = 0 WHERE state = 'erasing'
"""
_NEWCOMER = """
INSERT OR IGNORE INTO replicas (cid, node, state, since, due)
SELECT cid, ?1, 'waiting', ?2, ?2 FROM replicas WHERE node = 'here'
"""


class ReplicaTable:
    """Threads and processes may share one. All methods raise DocumentStoreUnavailable."""

    def __init__(self, path: Path, nodes: list[str]) -> None:
        self._path, self._nodes, self._lock = path, nodes, RLock()
        with suppress(OSError):  # SQLite says what is wrong; its -wal gets the same mode
            path.touch(0o600)
        try:
            if not path.exists():  # one that is there is never opened beside SQLite: closing it would take its locks
                with suppress(OSError):  # SQLite says better what is wrong
                    path.touch(mode=0o600)
            self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            for setting in ("journal_mode = WAL", "synchronous = FULL"):
                self._connection.execute(f"PRAGMA {setting}")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise self._unavailable(error) from error
        self.greet()

    def greet(self) -> None:
        """Nodes that the settings name since today wait for everything."""
        with self._writing() as write:
            for node in self._nodes:
                write.execute(_NEWCOMER, (node, _now()))

    @property
    def empty(self) -> bool:
        return not self._rows("SELECT 1 FROM replicas LIMIT 1")

    def keep(self, cids: Iterable[str]) -> None:
        """Documents that the office keeps from now on, or did already."""
        now = _now()
        places = [(HERE, "kept"), *((node, "waiting") for node in self._nodes)]
        with self._writing() as write:
            write.executemany(_KEEP, ((cid, place, state, now) for cid in cids for place, state in places))

    def erase(self, cid: str) -> None:
        with self._writing() as write:
            write.execute("DELETE FROM replicas WHERE cid = ? AND node = ?", (cid, HERE))
            write.execute("UPDATE replicas SET state = 'erasing', due = since, tries = 0 WHERE cid = ?", (cid,))

    def again(self, node: str, cid: str) -> bool:
        """Have a node get a document anew. False where it is not to keep it."""
        with self._writing() as write:
            sql = "UPDATE replicas SET state = 'waiting', since = ?, due = ?, tries = 0 WHERE node = ? AND cid = ?"
            return write.execute(sql + " AND state = 'kept'", (_now(), _now(), node, cid)).rowcount == 1

    def due(self, node: str, limit: int) -> list[tuple[str, str]]:
        """CID and state of what is to be done at a node now, the oldest first."""
        sql = (
            "SELECT cid, state FROM replicas WHERE node = ? AND state != 'kept' AND due <= ? ORDER BY due, cid LIMIT ?"
        )
        return self._rows(sql, (node, _now(), limit))

    def settle(self, node: str, cids: Iterable[str]) -> None:
        """A node has got what it waited for, unless it is to let go of it meanwhile."""
        sql = "UPDATE replicas SET state = 'kept', tries = 0 WHERE node = ? AND cid = ? AND state = 'waiting'"
        with self._writing() as write:
            write.executemany(sql, [(node, cid) for cid in cids])

    def forget(self, node: str, cid: str) -> None:
        """A node has let go of a document."""
        with self._writing() as write:
            write.execute("DELETE FROM replicas WHERE node = ? AND cid = ? AND state = 'erasing'", (node, cid))

    def postpone(self, node: str, cid: str) -> None:
        """Try this one again later, each time after a longer pause."""
        pause = f"min({MAX_PAUSE_SECONDS}, 30 << min(tries, 7))"
        with self._writing() as write:
            sql = f"UPDATE replicas SET due = ? + {pause}, tries = tries + 1 WHERE node = ? AND cid = ?"  # nosec B608
            write.execute(sql, (_now(), node, cid))

    def kept(self, node: str) -> Iterator[str]:
        """The CIDs that a node, or HERE, holds; read while they are asked for, in order."""
        last = ""
        sql = "SELECT cid FROM replicas WHERE node = ? AND state = 'kept' AND cid > ? ORDER BY cid LIMIT 10000"
        while rows := self._rows(sql, (node, last)):
            yield from (cid for (cid,) in rows)
            last = rows[-1][0]

    def copies(self, cid: str) -> int | None:
        """How many of the nodes hold a document; None where the office does not know it."""
        rows = self._rows("SELECT node, state FROM replicas WHERE cid = ?", (cid,))
        return sum(state == "kept" and node in self._nodes for node, state in rows) if rows else None

    def is_erased(self, cid: str) -> bool:
        states = self._rows("SELECT node, state FROM replicas WHERE cid = ?", (cid,))
        return any(state == "erasing" for _, state in states) and not any(node == HERE for node, _ in states)

    def waiting(self, node: str) -> tuple[int, int]:
        """How much is to be done at a node, and since when (seconds since 1970, 0 for nothing)."""
        sql = "SELECT count(*), coalesce(min(since), 0) FROM replicas WHERE node = ? AND state != 'kept'"
        count, since = self._rows(sql, (node,))[0]
        return count, since

    def close(self) -> None:
        self._connection.close()

    def _rows(self, sql: str, values: tuple[object, ...] = ()) -> list[Any]:
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise self._unavailable(error) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                with self._connection:
                    yield self._connection
            except sqlite3.Error as error:
                raise self._unavailable(error) from error

    def _unavailable(self, error: sqlite3.Error) -> DocumentStoreUnavailable:
        return DocumentStoreUnavailable(
            f"The list of documents {self._path} cannot be used: {error}.", "Check its disk, then try again."
        )


def _now() -> int:
    return int(time.time())
