"""What is of SQL alone: the migrations, and a file with its mode and its locks."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from ledger.adapters import sql_engine
from ledger.adapters.sql_engine import MIGRATIONS
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.adapters.sql_tables import metadata
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


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


def test_the_migrations_make_the_tables_that_the_store_uses(url: str) -> None:
    migrate(url)
    migrate(url)
    with create_engine(url).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def to_revision(url: str, revision: str, move: Any) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with create_engine(url).begin() as connection:
        config.attributes["connection"] = connection
        move(config, revision)


def test_an_office_of_the_first_version_keeps_its_records_up_and_down(url: str, path: Path) -> None:
    to_revision(url, "0001", command.upgrade)
    payload = json.dumps({"records": [{"recordId": "0x" + "1a" * 32, "digest": "0x" + "2b" * 32, "content": []}]})
    with create_engine(url).begin() as connection:
        columns = "id, register, action, payload, state, reason, created, access_digest, idempotency_key, body_digest"
        values = {"payload": payload, "digest": b"d" * 32, "content": bytes.fromhex("2b" * 32)}
        connection.execute(
            text(
                f"INSERT INTO applications ({columns}) VALUES "
                "('one', 'r', 'issue', :payload, 'submitted', '', 1, :digest, 'key', :digest)"
            ),
            values,
        )
        connection.execute(text("INSERT INTO contents VALUES (:content, 'one', '[]')"), values)
    migrate(url)
    store = SqlStore(url)
    found = store.first_application_of("r", bytes.fromhex("1a" * 32))
    assert found is not None and found.id == "one"
    store.close()
    to_revision(url, "0001", command.downgrade)
    with create_engine(url).connect() as connection:
        assert connection.execute(text("SELECT application_id, fields FROM contents")).all() == [("one", "[]")]
    migrate(url)


def test_a_schema_newer_than_the_program_is_refused_and_left_alone(url: str) -> None:
    migrate(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError):
        migrate(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


def test_processes_that_migrate_one_new_database_at_once_all_succeed(url: str) -> None:
    code = "import sys; from ledger.adapters.sql_store import migrate; print(flush=True); input(); migrate(sys.argv[1])"
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    children = [subprocess.Popen([sys.executable, "-c", code, url], **pipes) for _ in range(3)]
    for child in children:
        child.stdout.readline()  # type: ignore[union-attr]
    for child in children:
        child.stdin.write(b"\n")  # type: ignore[union-attr]
        child.stdin.flush()  # type: ignore[union-attr]
    assert [(child.communicate()[1], child.returncode) for child in children] == [(b"", 0)] * 3
    with create_engine(url).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


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
