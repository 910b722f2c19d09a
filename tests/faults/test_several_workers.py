"""Three processes with one database, one relayer and one chain: leases say who does what, and when one is killed the
others go on. Every application ends exactly once on the chain."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from shutil import copytree

import pytest
from sqlalchemy import create_engine, text

from ledger.model import Application
from tests.faults.served import Served, served
from tests.faults.test_fault_28_overloaded import wait_until
from tests.office import TestOffice, record_of, running_office

APPLICATIONS, WORKERS = 60, 3


@pytest.fixture
def desk(tmp_path: Path, url: str) -> Iterator[TestOffice]:
    with running_office(tmp_path, url) as office:
        yield office


def folder_of(desk: TestOffice, lease: str) -> str:
    """Of who has a lease."""
    return next(item.holder for item in desk.office.store.leases() if item.name.startswith(lease)).partition(":")[2]


def started(desk: TestOffice, folders: list[Path], until: ExitStack) -> dict[str, Served]:
    """A worker in each of several copies of the office's folder, as on several machines."""

    def start(folder: Path) -> Served:
        copytree(desk.office.settings.data, folder)
        return until.enter_context(served(desk.office.settings.model_copy(update={"data": folder})))

    pool = until.enter_context(ThreadPoolExecutor(len(folders)))  # a process ends with the thread that started it
    return dict(zip(map(str, folders), pool.map(start, folders), strict=True))


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_of_several_workers_one_is_killed_and_every_application_is_recorded_once(
    desk: TestOffice, url: str, tmp_path: Path
) -> None:
    store, name = desk.office.store, str(desk.trusted().name)

    def approve(number: int) -> list[Application]:
        return [desk.approve(desk.issue(desk.request())) for _ in range(number)]

    with ExitStack() as running:
        workers = started(desk, [tmp_path / f"machine-{number}" for number in range(WORKERS)], running)
        applications = approve(APPLICATIONS // 2)
        wait_until(lambda: len(store.applications("approved")) < APPLICATIONS // 2)
        victim = folder_of(desk, "relayer")
        workers[victim].process.send_signal(signal.SIGKILL)
        workers.pop(victim).process.wait(10)
        applications += approve(APPLICATIONS - len(applications))
        with create_engine(url).begin() as connection:
            # The minute passes in which nobody but the dead may publish.
            connection.execute(text("UPDATE leases SET expires = 0 WHERE holder LIKE :dead"), {"dead": f"%:{victim}"})
        wait_until(lambda: len(store.applications("certified", APPLICATIONS)) == APPLICATIONS)
        assert folder_of(desk, "relayer") in workers
        assert not [worker.log.read_text() for worker in workers.values() if "failed" in worker.log.read_text()]
        assert [worker.process.poll() for worker in workers.values()] == [None] * (WORKERS - 1)
    assert {len(store.history(name, record_of(item))) for item in applications} == {1}
    sent = [item for item in (store.transaction_of(application.id) for application in applications) if item]
    assert len(sent) == APPLICATIONS
    (relayer,), nonces = {item.sender for item in sent}, {item.nonce for item in sent}
    assert nonces == set(range(desk.office.chain.next_nonce(relayer)))
