"""FAULTS row 43, of the store: a database restored from yesterday, with the chain a day ahead of it."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

from ledger.bootstrap import open_office
from tests.office import TestOffice, record_of, running_office


def restore(database: Path, backup: Path) -> None:
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    copyfile(backup, database)


def certified(office: TestOffice) -> str:
    application = office.approve(office.issue(office.request()))
    assert office.certify(application.id).state == "certified"
    return application.id


def test_fault_43_a_database_of_yesterday_gives_no_nonce_twice_and_follows_what_it_has_missed(tmp_path: Path) -> None:
    with running_office(tmp_path) as running:
        certified(running)
        store, relayer = running.office.store, next(iter(running.office.publisher.relayers))
        register = str(running.trusted().name)
        database, backup = Path(running.office.settings.database.removeprefix("sqlite:///")), tmp_path / "yesterday"
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

        restored = TestOffice(open_office(running.office.settings), running.registrars, running.judges, running.numbers)
        store = restored.office.store
        assert (store.highest_nonce(relayer), store.history(register, record_id)) == (yesterday, [])
        after = store.transaction_of(certified(restored))
        assert after is not None and after.nonce == today + 1
        assert store.history(register, record_id) == history
        restored.office.close()
