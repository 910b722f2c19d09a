"""FAULTS row 44: a damaged page of the database stops the start, and never becomes an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from ledger.adapters.sql_engine import check_integrity
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.bootstrap import open_office
from ledger.errors import StoreUnavailable
from tests.databases import administer, server
from tests.office import running_office
from tests.ports.test_record_store import accept

PAGE = 4096


def damage(path: Path, offset: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xa5" * length)


def damage_middle(url: str) -> None:
    """A page that holds applications, which nobody needs to open the file."""
    path = Path(url.removeprefix("sqlite:///"))
    damage(path, path.stat().st_size // PAGE // 2 * PAGE, PAGE)


def filled(url: str) -> None:
    migrate(url)
    store = SqlStore(url)
    for number in range(200):
        accept(store, f"n{number}")
    store.close()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_fault_44_sqlite_with_a_damaged_page_does_not_start(url: str) -> None:
    filled(url)
    check_integrity(url)
    damage_middle(url)
    with pytest.raises(StoreUnavailable, match="malformed"):
        check_integrity(url)


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_fault_44_postgresql_with_a_damaged_page_gives_no_answer(url: str) -> None:
    filled(url)
    place = make_url(url)
    copy = place.set(database=f"{place.database}_copy")
    # The server has no page of a copied file in memory yet: it will read them from the disk.
    administer(f"CREATE DATABASE {copy.database} TEMPLATE {place.database} STRATEGY file_copy")
    engine = create_engine(copy)
    with engine.connect() as connection:
        path = connection.execute(text("SELECT pg_relation_filepath('applications')")).scalar()
    engine.dispose()
    damage(server().pgdata / str(path), 4000, 200)
    store = SqlStore(copy.render_as_string(hide_password=False))
    with pytest.raises(StoreUnavailable, match="invalid page"):
        store.applications("submitted")
    store.close()
    administer(f"DROP DATABASE {copy.database} WITH (FORCE)")


def test_fault_44_an_office_with_a_damaged_database_does_not_open(tmp_path: Path) -> None:
    with running_office(tmp_path) as running:
        settings = running.office.settings
        running.office.store.close()
        filled(settings.database)
        damage_middle(settings.database)
        with pytest.raises(StoreUnavailable, match="malformed"):
            open_office(settings)
