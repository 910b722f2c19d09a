"""FAULTS row 40: the database's disk is full. Nothing is half issued, the API says 503, and it recovers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, event

from ledger.adapters.sql_store import SqlStore, migrate
from ledger.errors import NotFound, StoreUnavailable
from ledger.model import Application
from ledger.ports import RecordStore
from tests.api.conftest import Applicant, Problem
from tests.ports.test_record_store import BODY, application, contents, documents

MEBIBYTE = 1 << 20


def accept_much(store: RecordStore, name: str) -> Application:
    """An application that no database can compress, 2 MiB long."""
    much = application(name)
    much = Application(**{**vars(much), "payload": {**much.payload, "much": os.urandom(MEBIBYTE).hex()}})
    return store.add_application(much, contents(name), documents(name), f"key-{name}", BODY)


def fill(store: RecordStore) -> tuple[list[str], str]:
    """Accept until the disk is full: the names of what was accepted, and of what was not."""
    accepted: list[str] = []
    for number in range(100):
        try:
            accepted.append(accept_much(store, f"n{number}").id)
        except StoreUnavailable:
            return accepted, f"n{number}"
    raise AssertionError("the disk never got full")


def check_whole_and_nothing_else(store: RecordStore, accepted: list[str], refused: str) -> None:
    assert [item.id for item in store.applications("submitted")] == accepted
    for name in accepted:
        assert [store.document(document.cid) for document in documents(name)] == documents(name)
    with pytest.raises(NotFound):
        store.document(documents(refused)[0].cid)


def test_fault_40_sqlite_on_a_full_disk_keeps_whole_applications_and_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/office.db"
    migrate(url)
    store, pages = SqlStore(url), [1000]
    event.listen(store._engine, "begin", lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={pages[0]}"))
    accepted, refused = fill(store)
    check_whole_and_nothing_else(store, accepted, refused)
    pages[0] = 1_000_000
    assert accept_much(store, refused).id == refused
    store.close()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_fault_40_postgresql_on_a_full_disk_keeps_whole_applications_and_goes_on_when_there_is_room(
    open_store: Callable[[], SqlStore],
) -> None:
    store, room = open_store(), [str(64 * MEBIBYTE)]

    def limit(connection: Connection) -> None:
        # The server treats a file that may not grow as a disk that is full. Its log files of 16 MiB still fit.
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        # Its own user may set the limit; root in a container may not.
        command = ["prlimit", "--pid", str(pid), f"--fsize={room[0]}:unlimited"]
        subprocess.run(command, check=True, user=Path(f"/proc/{pid}").stat().st_uid)

    event.listen(store._engine, "begin", limit)
    accepted, refused = fill(store)
    check_whole_and_nothing_else(store, accepted, refused)
    room[0] = "unlimited"
    assert accept_much(store, refused).id == refused


def test_fault_40_the_api_answers_503_and_says_when_to_try_again(applicant: Applicant, problem: Problem) -> None:
    engine = applicant.parts.office.store._engine
    full = [True]

    def fill_up(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={1 if full[0] else 1_000_000}")

    event.listen(engine, "begin", fill_up)
    request, tried = applicant.parts.request(), 0
    answer: httpx.Response = applicant.apply(request, f"full-{tried}")
    while answer.status_code == 201 and tried < 200:
        tried += 1
        answer = applicant.apply(applicant.parts.request(), f"full-{tried}")
    problem(answer, 503, "store-unavailable")
    assert int(answer.headers["retry-after"]) > 0
    full[0] = False
    assert applicant.apply(request, f"full-{tried}").status_code == 201
    event.remove(engine, "begin", fill_up)
