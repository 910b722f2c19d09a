"""FAULTS row 7: of two processes with one relayer key, the second is refused the lease."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree
from threading import Barrier

import pytest

from ledger.bootstrap import open_office
from ledger.errors import Unavailable
from ledger.ports import RecordStore
from tests.office import running_office

KEY = "relayer 0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
LONG, NOW = 3600, 0


def test_fault_07_the_second_holder_is_refused_the_lease_and_told_who_has_it(
    open_store: Callable[[], RecordStore],
) -> None:
    first, second = open_store(), open_store()
    first.lease(KEY, "one.example", LONG)
    with pytest.raises(Unavailable, match=r"one\.example has the lease"):
        second.lease(KEY, "two.example", LONG)
    first.lease(KEY, "one.example", LONG)
    second.lease("another key", "two.example", LONG)


def test_fault_07_a_lease_that_has_expired_or_was_let_go_is_free(store: RecordStore) -> None:
    store.lease(KEY, "one.example", LONG)
    store.lease(KEY, "one.example", NOW)
    store.lease(KEY, "two.example", LONG)
    with pytest.raises(Unavailable, match=r"two\.example"):
        store.lease(KEY, "one.example", NOW)


def test_fault_07_of_eight_that_ask_at_once_one_has_the_lease(open_store: Callable[[], RecordStore]) -> None:
    stores = [open_store() for _ in range(8)]
    together = Barrier(len(stores))

    def ask(number: int) -> bool:
        together.wait()
        try:
            stores[number].lease(KEY, f"host-{number}", LONG)
        except Unavailable:
            return False
        return True

    with ThreadPoolExecutor(len(stores)) as threads:
        assert sum(threads.map(ask, range(len(stores)))) == 1


def test_fault_07_an_office_elsewhere_with_the_same_key_publishes_nothing(tmp_path: Path) -> None:
    with running_office(tmp_path) as running:
        first = running.office
        first.run_once()
        copytree(first.settings.data, tmp_path / "elsewhere", ignore=lambda _folder, names: set(names) & {"office.db"})
        settings = first.settings.model_copy(
            update={"data": tmp_path / "elsewhere", "database_url": first.settings.database}
        )
        second = open_office(settings)
        application = running.approve(running.issue(running.request()))
        with pytest.raises(Unavailable, match="has the lease"):
            second.run_once()
        assert first.store.application(application.id).state == "approved"
        again = open_office(first.settings)
        again.run_once()
        assert first.store.application(application.id).state != "approved"
        second.close()
        again.close()
