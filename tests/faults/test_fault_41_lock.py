"""FAULTS row 41: a lock is held beyond the time that a writer waits. 503 with Retry-After; readers are not stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, make_url, text

from ledger.adapters import sql_engine
from ledger.errors import StoreUnavailable
from ledger.ports import RecordStore
from ledger.transaction import Attempt
from tests.api.conftest import Applicant, Problem
from tests.ports.test_record_store import accept, application, follow, recorded, signing


@contextmanager
def somebody_writing(url: str) -> Iterator[None]:
    """Another program holds what writers of applications need."""
    with create_engine(url).connect() as connection:
        if make_url(url).get_backend_name() == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("LOCK TABLE applications IN EXCLUSIVE MODE"))
        yield
        connection.rollback()


def test_fault_41_a_writer_gives_up_in_time_and_readers_go_on(
    url: str, open_store: Callable[[], RecordStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(open_store())
    monkeypatch.setattr(sql_engine, "WAIT_MILLISECONDS", 50)
    impatient = open_store()
    with somebody_writing(url):
        assert impatient.application("one") == application()
        with pytest.raises(StoreUnavailable, match="lock"):
            accept(impatient, "two")
        assert impatient.applications("submitted") == [application()]
    assert accept(impatient, "two").id == "two"


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_fault_41_writers_of_other_rows_do_not_wait_for_each_other(
    url: str, open_store: Callable[[], RecordStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(open_store())
    monkeypatch.setattr(sql_engine, "WAIT_MILLISECONDS", 50)
    impatient = open_store()
    with create_engine(url).connect() as other:
        other.execute(text("UPDATE applications SET reason = 'held' WHERE id = 'one'"))
        accept(impatient, "two")
        impatient.move("two", "submitted", "approved")
        follow(impatient, 7, [recorded()])
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            impatient.move("one", "submitted", "approved")


def test_fault_41_the_api_answers_503_with_retry_after(
    applicant: Applicant, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = applicant.parts.office.store
    monkeypatch.setattr(sql_engine, "WAIT_MILLISECONDS", 50)
    store._engine.dispose()  # its connections wait as long as they were told when they were opened
    with somebody_writing(str(store._engine.url)):
        answer = applicant.apply(applicant.parts.request(), "locked")
        problem(answer, 503, "store-unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert applicant.apply(applicant.parts.request(), "unlocked").status_code == 201
    store._engine.dispose()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_fault_41_a_connection_that_is_lost_is_unavailable_and_the_next_call_has_a_new_one(
    url: str, store: RecordStore
) -> None:
    accept(store)
    others = "pid <> pg_backend_pid() AND datname = current_database()"
    kill = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"

    def cut(nonce: int) -> Attempt:
        with create_engine(url).connect() as other:
            other.execute(text(kill))
        return signing("one")(nonce)

    store.move("one", "submitted", "approved")
    with pytest.raises(StoreUnavailable, match="terminat") as refusal:
        store.add_transaction(["one"], "0x" + "11" * 20, 0, cut)
    assert "not known" in refusal.value.hint
    assert (store.application("one").state, store.transaction_of("one")) == ("approved", None)
