"""What is of SQLite alone: a file with its mode and its locks."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.adapters import sql_engine
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.errors import ConfigurationError, Conflict, StoreUnavailable
from tests.ports.test_record_store import accept, application

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "office 100%.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    migrate(f"sqlite:///{path}")
    store = SqlStore(f"sqlite:///{path}")
    yield store
    store.close()


def test_only_the_owner_may_read_the_database_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        migrate(f"sqlite:///{tmp_path / 'office.db'}")
        store = SqlStore(f"sqlite:///{tmp_path / 'office.db'}")
        accept(store)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert modes == {"office.db": 0o600, "office.db-wal": 0o600, "office.db-shm": 0o600}


def test_every_connection_is_durable_and_keeps_foreign_keys(store: SqlStore) -> None:
    with store._engine.connect() as connection:
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}
    assert pragmas == PRAGMAS


def test_a_writer_elsewhere_stops_no_reader_and_makes_a_writer_unavailable(
    path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(store)
    monkeypatch.setattr(sql_engine, "WAIT_MILLISECONDS", 50)
    impatient = SqlStore(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert impatient.application("one") == application()
    with pytest.raises(StoreUnavailable, match="locked"):
        accept(impatient, "two")
    other.execute("ROLLBACK")
    accept(impatient, "two")
    impatient.close()
    other.close()


def test_a_full_database_is_unavailable_and_keeps_what_it_has(store: SqlStore) -> None:
    accept(store)
    with store._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreUnavailable, match="full"):
        for number in range(1000):
            accept(store, f"n{number}")
    assert store.application("one") == application()


def test_a_file_that_is_no_database_is_unavailable(path: Path) -> None:
    path.write_bytes(b"scanned deed " * 1000)
    with pytest.raises(StoreUnavailable):
        migrate(f"sqlite:///{path}")
    assert path.read_bytes() == b"scanned deed " * 1000


def test_a_folder_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        SqlStore(f"sqlite:///{tmp_path / 'gone' / 'office.db'}")


@pytest.mark.parametrize("url", ["office.db", "nosuch://host/office", "mysql://user:hunter2@host/office"])
def test_a_url_that_names_no_usable_database_is_a_configuration_error_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        SqlStore(url)
    assert "hunter2" not in str(refusal.value)


def test_no_error_shows_the_values_of_a_row(store: SqlStore) -> None:
    accept(store)
    trigger = "CREATE TRIGGER refuse BEFORE INSERT ON contents BEGIN SELECT RAISE(ABORT, 'refused'); END"
    with store._engine.begin() as connection:
        connection.exec_driver_sql(trigger)
    with pytest.raises(Conflict) as refusal:
        accept(store, "two")
    cause = str(refusal.value.__context__)
    assert "refused" in cause
    assert "Siti" not in f"{refusal.value} {cause}"
    assert store.applications("submitted") == [application()]


def test_database_restored_readable_by_others_is_made_private(tmp_path: Path) -> None:
    path = tmp_path / "restored.db"
    path.touch(0o644)
    migrate(f"sqlite:///{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_opening_a_database_again_keeps_the_locks_of_those_who_use_it(store: SqlStore, path: Path) -> None:
    """Else the next process to leave takes itself for the last one, and removes the -wal under the others."""
    accept(store, "a")
    wal = path.with_name(path.name + "-wal")
    before = wal.stat().st_ino
    sql_engine.open_engine(f"sqlite:///{path}").dispose()
    code = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('SELECT * FROM contents'); d.close()"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert wal.exists() and wal.stat().st_ino == before
