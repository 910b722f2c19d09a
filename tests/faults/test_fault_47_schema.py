"""FAULTS row 47: an older program on a newer schema refuses; of two migrations at once the second waits.

The processes are those of tests/ports/test_migrations.py; here it is the office that meets the newer schema."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import create_engine, text

from ledger.adapters.sql_store import SqlStore, migrate
from ledger.bootstrap import open_office
from ledger.errors import ConfigurationError
from tests.office import running_office
from tests.ports.test_record_store import accept, application

NEWER = "UPDATE alembic_version SET version_num = '9999'"


def test_fault_47_migrations_at_once_keep_what_is_there_and_all_succeed(url: str) -> None:
    together = Barrier(4)

    def start(_number: int) -> None:
        together.wait()
        migrate(url)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(start, range(4)))
    store = SqlStore(url)
    accept(store)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(start, range(4)))
    assert store.application("one") == application()
    store.close()


def test_fault_47_a_newer_schema_is_refused_and_nothing_in_it_is_changed(url: str) -> None:
    migrate(url)
    store = SqlStore(url)
    accept(store)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(NEWER))
    with pytest.raises(ConfigurationError, match="newer version"):
        migrate(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
    assert store.application("one") == application()
    store.close()
    engine.dispose()


def test_fault_47_an_office_of_an_older_version_does_not_open(tmp_path: Path) -> None:
    with running_office(tmp_path) as running:
        with running.office.store._engine.begin() as connection:
            connection.execute(text(NEWER))
        with pytest.raises(ConfigurationError, match="newer version"):
            open_office(running.office.settings)
