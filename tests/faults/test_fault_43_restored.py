"""FAULTS row 43: a database restored from yesterday, with the chain a day ahead of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copyfile

import pytest
from structlog.testing import capture_logs

from ledger.bootstrap import open_office
from ledger.upkeep import audit, rebuild
from tests.office import TestOffice, record_of, running_office


def restore(database: Path, backup: Path) -> None:
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    copyfile(backup, database)


def certified(office: TestOffice) -> str:
    application = office.approve(office.issue(office.request()))
    assert office.certify(application.id).state == "certified"
    return application.id


def reopened(running: TestOffice) -> TestOffice:
    running.office.close()
    return replace(running, office=open_office(running.office.settings))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("restored")) as office:
        yield office


def database_of(running: TestOffice) -> Path:
    return Path(running.office.settings.database.removeprefix("sqlite:///"))


def relayer_of(running: TestOffice) -> str:
    assert running.office.publisher is not None
    return next(iter(running.office.publisher.relayers))


def test_fault_43_a_database_of_yesterday_gives_no_nonce_twice_and_follows_what_it_has_missed(
    running: TestOffice, tmp_path: Path
) -> None:
    certified(running)
    store, relayer = running.office.store, relayer_of(running)
    register = str(running.trusted().name)
    database, backup = database_of(running), tmp_path / "yesterday"
    store.close()
    copyfile(database, backup)
    yesterday = store.highest_nonce(relayer)
    lost = running.approve(running.issue(running.request()))
    running.certify(lost.id)
    record_id, today = record_of(lost), store.highest_nonce(relayer)
    history = store.history(register, record_id)
    assert yesterday is not None and today == yesterday + 1 and len(history) == 1
    store.close()
    restore(database, backup)

    restored = reopened(running)
    store = restored.office.store
    assert (store.highest_nonce(relayer), store.history(register, record_id)) == (yesterday, [])
    after = store.transaction_of(certified(restored))
    assert after is not None and after.nonce == today + 1
    assert store.history(register, record_id) == history
    restored.office.close()


def test_fault_43_what_was_applied_for_since_yesterday_comes_back_and_nothing_is_sent_twice(
    running: TestOffice, tmp_path: Path
) -> None:
    running = reopened(running)
    rebuild(running.office, True, lambda: None)
    pending = running.approve(running.issue(running.request()))
    database, backup = database_of(running), tmp_path / "yesterday"
    running.office.store.close()
    copyfile(database, backup)
    since = running.approve(running.issue(running.request()))
    assert [running.certify(item.id).state for item in (pending, since)] == ["certified"] * 2
    waiting = running.issue(running.request())
    today = {item.id: running.office.store.dossier(item.id) for item in (pending, since, waiting)}
    spent = running.office.chain.next_nonce(relayer_of(running))
    running.office.close()
    restore(database, backup)

    with capture_logs() as logs:
        running = reopened(running)
    assert [line["event"] for line in logs] == ["the chain is ahead of the database"]
    office, store = running.office, running.office.store
    assert store.application(pending.id).state == "approved"
    missing = {f"id={item.id}" for item in (since, waiting)}
    found = list(audit(office, lambda: None))
    assert missing == {item.key for item in found if (item.table, item.column) == ("applications", "")}
    assert ("applications", f"id={pending.id}", "state") in {(item.table, item.key, item.column) for item in found}

    done, strange = rebuild(office, True, lambda: None)
    assert (done.restored, done.lost, list(strange)) == (3, [], [])
    assert {name: store.dossier(name) for name in today} == today
    assert list(audit(office, lambda: None)) == []
    office.run_once()
    assert office.chain.next_nonce(relayer_of(running)) == spent
    with capture_logs() as logs:
        reopened(running).office.close()
    assert logs == []
