"""What is read in other processes is what is read here, whatever becomes of them."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ledger import follower as follower_module
from ledger.adapters.chain_process import ChainProcess
from ledger.adapters.sql_store import SqlStore
from ledger.errors import ChainUnreachable, NotFound
from ledger.follower import Follower
from ledger.model import Block, Followed, RecordedEntry
from ledger.ports import Chain
from ledger.steps import Asked, Step
from scripts.devnet import free_port
from tests.databases import empty_store
from tests.faults.proxy import ask
from tests.forks import anvil
from tests.office import TestOffice, running_office


def process_id(_chain: Chain) -> int:
    return os.getpid()


def header(chain: Chain, number: int) -> Block:
    return chain.block(number)


def end(_chain: Chain) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("elsewhere")) as office:
        for _ in range(6):
            office.certify(office.approve(office.issue(*(office.request() for _ in range(3)))).id)
            ask(office.office.settings.rpc_url, "hardhat_mine", [hex(10)])
        yield office


@pytest.fixture
def elsewhere(desk: TestOffice) -> Iterator[ChainProcess]:
    process = ChainProcess(desk.office.settings.rpc_url)
    yield process
    process.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with empty_store(tmp_path) as opened:
        yield opened


class Counted:
    """Counts what it hands on, and ends the process instead of handing on the one that is `killing`."""

    def __init__(self, process: ChainProcess, killing: int = 0) -> None:
        self.process, self.killing, self.given = process, killing, 0

    def submit(self, work: Callable[..., Step], /, *arguments: Any) -> Future[Any]:
        self.given += 1
        return self.process.submit(end) if self.given == self.killing else self.process.submit(work, *arguments)


@pytest.fixture(autouse=True)
def little_is_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "MUCH", 1)
    monkeypatch.setattr(follower_module, "BLOCKS_A_STEP", 5)


def followed_into(store: SqlStore, desk: TestOffice) -> list[RecordedEntry]:
    name = str(desk.trusted().name)
    assert store.followed(name) == desk.office.store.followed(name)
    return store.entries(name)


def test_a_follower_reads_elsewhere_what_it_reads_here(
    desk: TestOffice, store: SqlStore, elsewhere: ChainProcess
) -> None:
    desk.office.run_once()
    counted = Counted(elsewhere)
    Follower(desk.trusted(), store, desk.office.chain, elsewhere=counted).run_once()
    assert followed_into(store, desk) == desk.office.store.entries(str(desk.trusted().name))
    assert len(followed_into(store, desk)) == 18 and counted.given > 5


def test_few_entries_start_no_process(
    desk: TestOffice, store: SqlStore, elsewhere: ChainProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "MUCH", 10**4)
    desk.office.run_once()
    counted = Counted(elsewhere)
    Follower(desk.trusted(), store, desk.office.chain, elsewhere=counted).run_once()
    assert len(followed_into(store, desk)) == 18 and counted.given == 0


def test_a_follower_reads_here_what_a_killed_process_has_not_read(
    desk: TestOffice, store: SqlStore, elsewhere: ChainProcess
) -> None:
    desk.office.run_once()
    killing = Counted(elsewhere, killing=3)
    with capture_logs() as logs:
        Follower(desk.trusted(), store, desk.office.chain, elsewhere=killing).run_once()
    assert followed_into(store, desk) == desk.office.store.entries(str(desk.trusted().name))
    assert [line["event"] for line in logs] == ["the process that reads has ended"]


def test_after_processes_that_were_killed_come_others(elsewhere: ChainProcess) -> None:
    first = elsewhere.submit(process_id).result()
    assert first != os.getpid()
    assert elsewhere.submit(end).exception()
    assert elsewhere.submit(process_id).result() not in (first, os.getpid())


def test_what_goes_wrong_there_is_told_here(desk: TestOffice, elsewhere: ChainProcess) -> None:
    assert elsewhere.submit(header, 1).result() == desk.office.chain.block(1)
    with pytest.raises(NotFound) as there:
        elsewhere.submit(header, 10**6).result()
    with pytest.raises(NotFound) as here:
        desk.office.chain.block(10**6)
    assert (there.value.message, there.value.hint) == (here.value.message, here.value.hint)


def test_a_node_that_is_away_is_away_there_too() -> None:
    process = ChainProcess(f"http://127.0.0.1:{free_port()}")
    try:
        with pytest.raises(ChainUnreachable):
            process.submit(header, 1).result()
    finally:
        process.close()


def expecting(chain: Chain, followed: Followed) -> Block:
    chain.expect([followed])
    return chain.block(followed.number)


def test_there_too_a_node_is_refused_that_has_not_what_was_followed() -> None:
    with anvil(apart=1) as node, anvil(apart=2) as fork:
        final = node.chain.block("finalized")
        process = ChainProcess(f"{fork.url} {node.url}")
        try:
            assert process.submit(header, final.number).result() == fork.chain.block(final.number) != final
            assert process.submit(expecting, Followed(final.number, final.hash)).result() == final
        finally:
            process.close()


def test_a_follower_expects_of_all_nodes_what_it_followed(
    desk: TestOffice, store: SqlStore, elsewhere: ChainProcess
) -> None:
    Follower(desk.trusted(), store, desk.office.chain).run_once()
    followed = store.followed(str(desk.trusted().name))
    desk.certify(desk.approve(desk.issue(desk.request())).id)
    asked: list[Asked] = []

    class Noting(Counted):
        def submit(self, work: Callable[..., Step], /, *arguments: Any) -> Future[Any]:
            asked.append(arguments[1])
            return super().submit(work, *arguments)

    ask(desk.office.settings.rpc_url, "hardhat_mine", [hex(10)])
    Follower(desk.trusted(), store, desk.office.chain, elsewhere=Noting(elsewhere)).run_once()
    assert asked and {each.expected for each in asked} == {followed}


def test_they_end_with_whoever_started_them() -> None:
    program = (
        "import os, signal\n"
        "from tests.ports.test_chain_process import ChainProcess, process_id\n"
        "print(ChainProcess('http://127.0.0.1:9').submit(process_id).result(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    found = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)
    number = int(found.stdout)
    if Path(f"/proc/{number}").exists():
        assert select.select([os.pidfd_open(number)], [], [], 30)[0], "a process outlives whoever started it"
