"""The database connection and its schema."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from ledger.errors import ConfigurationError, StoreUnavailable

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_MILLISECONDS = 5_000


def open_engine(url: str) -> Engine:
    """An engine whose every transaction takes the write lock at its start (SQLite) and is on disk when it ends."""
    engine = create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        _make_private(url)
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def migrate(url: str) -> None:
    """Bring the schema up to this program's. Two at once are safe: the second waits and finds nothing to do.
    Raises ConfigurationError when the schema is newer than this program, StoreUnavailable."""
    engine = open_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with unavailable_when_stuck(), engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError:
        raise ConfigurationError(
            "The database was written by a newer version of this program.", "Run that version, or restore a backup."
        ) from None
    finally:
        engine.dispose()


@contextmanager
def unavailable_when_stuck() -> Iterator[None]:
    """Turn a locked, full, missing or broken database into StoreUnavailable."""
    try:
        yield
    except OperationalError as error:
        raise StoreUnavailable(
            f"The database does not answer: {error.orig}.", "Nothing was changed; try again."
        ) from None


def _make_private(url: str) -> None:
    """The file holds salts and key wraps, so only its owner may read it; SQLite gives its -wal the same mode."""
    path = make_url(url).database
    if path and path != ":memory:":
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise StoreUnavailable(f"The database {path} cannot be opened: {error.strerror}.") from None


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would be a deferred one: two writers could both read
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_MILLISECONDS}",
    ):
        connection.execute(f"PRAGMA {pragma}")
