"""The database connection and its schema."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from ledger.errors import ConfigurationError, Conflict, StoreUnavailable

MIGRATIONS = Path(__file__).parent / "migrations"
WAIT_MILLISECONDS = 5_000
_WRITERS_LOCK = 0x6B68616C  # any number that nobody else locks in a PostgreSQL database of ours


def open_engine(url: str) -> Engine:
    """An engine whose transactions are on disk when they end and write one after the other, so that what a writer has
    read stays true until it commits. Those of `reading(engine)` take no lock.
    Raises ConfigurationError (not the URL of a database we can use), StoreUnavailable."""
    try:
        # Without hide_parameters a traceback in a log would show the values of a row, which are personal data.
        engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
    except (ArgumentError, ImportError):
        raise ConfigurationError(
            "The database URL is malformed or its driver is not installed.", "Set it to sqlite:///<absolute path>."
        ) from None
    if engine.dialect.name == "sqlite":
        _make_private(url)
        event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def reading(engine: Engine) -> Engine:
    """The same connections, for transactions that only read."""
    return engine.execution_options(reads_only=True)


def migrate(url: str) -> None:
    """Bring the schema up to this program's. Two at once are safe: the second waits and finds nothing to do.
    Raises ConfigurationError when the schema is newer than this program, StoreUnavailable."""
    engine = open_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with own_errors(), engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError:
        raise ConfigurationError(
            "The database was written by a newer version of this program.", "Run that version, or restore a backup."
        ) from None
    finally:
        engine.dispose()


@contextmanager
def own_errors() -> Iterator[None]:
    """Turn a locked, full, missing or broken database into StoreUnavailable, a row that is taken into Conflict."""
    try:
        yield
    except IntegrityError:
        # Its text names the values of the row.
        raise Conflict("The database already holds something else of this id.", "Look at what is there.") from None
    except DatabaseError as error:
        reason = str(error.orig).partition("\n")[0]
        raise StoreUnavailable(f"The database does not answer: {reason}.", "Nothing was changed; try again.") from None
    except NoConnectionFree:
        raise StoreUnavailable("All connections to the database are busy.", "Nothing was changed; try again.") from None


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
    for pragma in (
        f"busy_timeout={WAIT_MILLISECONDS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    reads_only = connection.get_execution_options().get("reads_only", False)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql" and not reads_only:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {WAIT_MILLISECONDS}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")
