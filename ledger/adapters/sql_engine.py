"""The database connection and its schema."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from ledger.errors import ConfigurationError, Conflict, StoreUnavailable

MIGRATIONS = Path(__file__).parent / "migrations"
WAIT_MILLISECONDS = 5_000
_RESTORE = "The database is damaged. Stop the office and restore a backup."
COMPACTED = ("applications", "contents", "identifiers", "documents", "certificates")
DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}


def open_engine(url: str) -> Engine:
    """An engine whose transactions are on disk when they end. Writers on SQLite wait for each other from their begin;
    on PostgreSQL only where they write the same row, or `take_turns`. Those of `reading(engine)` wait for nobody.
    Raises ConfigurationError (not the URL of a database we can use), StoreUnavailable."""
    try:
        place = make_url(url)
        driver = DRIVERS[place.get_backend_name()]
        # A server that is gone without a word must not hold a worker for ever.
        limits = {"connect_timeout": 5, "tcp_user_timeout": WAIT_MILLISECONDS} if "psycopg" in driver else {}
        # Without hide_parameters a traceback in a log would show the values of a row, which are personal data.
        engine = create_engine(
            place.set(drivername=driver), connect_args=limits, pool_pre_ping=True, hide_parameters=True
        )
    except (ArgumentError, ImportError, KeyError):
        raise ConfigurationError(
            "The database URL is malformed or its driver is not installed.",
            "Set it to sqlite:///<absolute path>, or to postgresql://… with the extra `postgres` installed.",
        ) from None
    if engine.dialect.name == "sqlite":
        _make_private(url)
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _configure_postgresql)
    return engine


def reading(engine: Engine) -> Engine:
    """The same connections, for transactions that only read."""
    return engine.execution_options(reads_only=True)


def migrate(url: str) -> None:
    """Bring the schema up to this program's. Two at once are safe: the second waits and finds nothing to do.
    Raises ConfigurationError when the schema is newer than this program, StoreUnavailable."""
    engine = open_engine(url)
    try:
        if not _is_newest(engine):
            _upgrade(engine)
    finally:
        engine.dispose()


def _is_newest(engine: Engine) -> bool:
    """Asked first, since Alembic takes long to load and nearly every start of an office finds nothing to do."""
    with own_errors(), reading(engine).begin() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [newest_schema()]


@cache
def newest_schema() -> str:
    """The revision that this program's last migration makes: a file is named for its revision."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def _upgrade(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with own_errors(), engine.begin() as connection:
            config.attributes["connection"] = connection
            take_turns(connection, "migrations")
            command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError(
            f"The database cannot be brought to this program's schema: {str(error).rstrip('.')}.",
            "Where a newer version of this program wrote it, run that version, or restore a backup.",
        ) from None


def take_turns(connection: Connection, name: str) -> None:
    """Wait until no other transaction holds this name, and hold it until this one ends. SQLite's writers always do."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def check_integrity(url: str) -> None:
    """That no page of an SQLite file is damaged; reads it whole (300 MB/s). PostgreSQL checks the checksum of a page
    whenever it reads it. Raises StoreUnavailable."""
    engine = open_engine(url)
    try:
        if engine.dialect.name == "sqlite":
            with own_errors(), reading(engine).begin() as connection:
                found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            if found != "ok":
                raise StoreUnavailable(f"The database is malformed: {found}.", _RESTORE)
    finally:
        engine.dispose()


def compact(engine: Engine) -> None:
    """Write the tables anew, so that nothing of a row that was erased is left in the database's files; takes as long as
    a copy of them, and their space. Raises StoreUnavailable, also where others read without an end (SQLite)."""
    with own_errors():
        if engine.dialect.name == "sqlite":
            with engine.execution_options(compacts=True).connect() as connection:
                connection.exec_driver_sql("VACUUM")
                busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            if busy:
                raise StoreUnavailable("Others read the database, so its log cannot be emptied.", "It is tried again.")
            return
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            for table in COMPACTED:
                connection.execute(text(f"VACUUM FULL {table}"))
            connection.execute(text("CHECKPOINT"))


@contextmanager
def own_errors() -> Iterator[None]:
    """Turn a locked, full, missing or broken database into StoreUnavailable, a row that is taken into Conflict."""
    try:
        yield
    except IntegrityError:
        # Its text names the values of the row.
        raise Conflict("The database already holds something else of this id.", "Look at what is there.") from None
    except DBAPIError as error:
        reason = str(error.orig).partition("\n")[0]
        raise StoreUnavailable(f"The database does not answer: {reason}.", _advice(error, reason)) from None
    except NoConnectionFree:
        raise StoreUnavailable("All connections to the database are busy.", "Nothing was changed; try again.") from None


def _advice(error: DBAPIError, reason: str) -> str:
    if "malformed" in reason or "invalid page" in reason:
        return _RESTORE
    if error.connection_invalidated:
        return "Whether it was saved is not known; the same request again saves nothing twice."
    return "Nothing was changed; try again."


def _make_private(url: str) -> None:
    """The file holds salts and key wraps, so only its owner may read it; SQLite gives its -wal the same mode."""
    path = make_url(url).database
    if path and path != ":memory:":
        try:
            # A file that is there is never opened here: closing it would take every lock that this process holds on it
            # (fcntl(2)), and another process would then remove the -wal as if nobody used it.
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            Path(path).chmod(0o600)  # a restored backup may have come back readable by others
        except OSError as error:
            raise StoreUnavailable(f"The database {path} cannot be opened: {error.strerror}.") from None


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would be a deferred one: two writers could both read
    # A follower that catches up changes pages of every index at once: 32 MB of them stay in memory, and go on from the
    # write-ahead log to the file together.
    size = ("cache_size=-32768", "wal_autocheckpoint=8000")
    for pragma in (
        f"busy_timeout={WAIT_MILLISECONDS}",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        *size,
    ):
        connection.execute(f"PRAGMA {pragma}")
    give_up = monotonic() + WAIT_MILLISECONDS / 1000
    while not _writes_ahead(connection):
        if monotonic() > give_up:
            raise sqlite3.OperationalError("database is locked")
        sleep(0.01)


def _writes_ahead(connection: sqlite3.Connection) -> bool:
    # SQLite does not wait by itself while another process changes the journal of a new database.
    try:
        return bool(connection.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",))
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("compacts"):
        return  # VACUUM runs in no transaction
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _configure_postgresql(connection: Any, _record: object) -> None:
    # Under a stricter isolation a writer that waited for another would fail instead of seeing what the other wrote.
    for setting in (
        f"lock_timeout = {WAIT_MILLISECONDS}",
        "synchronous_commit = on",
        "default_transaction_isolation = 'read committed'",
    ):
        connection.execute(f"SET {setting}")
    connection.commit()
