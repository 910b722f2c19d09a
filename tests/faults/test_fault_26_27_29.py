"""FAULTS 26, 27 and 29: a node leaves out a log, or tells of blocks twice and out of order; a clock is a day off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.evm_chain import EvmChain
from ledger.adapters.sql_store import SqlStore
from ledger.errors import EntryMissing, InvalidProof
from ledger.follower import Follower
from ledger.registers.forms import Change
from tests.databases import empty_store
from tests.fakes import FakeClock
from tests.faults.proxy import ask, proxied
from tests.office import TestOffice, record_of, running_office
from wallet.keys import new_key
from wallet.signer import LocalSigner


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("gaps")) as office:
        yield office


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with empty_store(tmp_path) as opened:
        yield opened


class Forgetful:
    """A node that leaves out the logs of block `hidden`, and calls no block behind `until` final."""

    def __init__(self) -> None:
        self.hidden: int | None = None
        self.until: int | None = None

    def __call__(self, request: dict[str, Any], forward: Callable[[], Any]) -> Any:
        if self.until is not None and request["params"][:1] == ["finalized"]:
            request["params"][0] = hex(self.until)
        found = forward()
        if request["method"] == "eth_getLogs" and "result" in found:
            kept = [log for log in found["result"] if int(log["blockNumber"], 16) != self.hidden]
            found["result"] = kept
        return found


def sold(desk: TestOffice) -> tuple[bytes, int, int]:
    """A title that was issued and transferred: its record, and both blocks."""
    seller, buyer = LocalSigner(new_key()), LocalSigner(new_key())
    request = desk.request(seller)
    application = desk.done("land", Change("issue", (request,)))
    change = Change("transfer", (replace(request, holder=""),), details={"recipient": buyer.address})
    desk.done("land", change, ("holder", seller), ("recipient", buyer))
    first, second = desk.office.store.history(str(desk.trusted().name), record_of(application))
    return record_of(application), first.block_number, second.block_number


def test_fault_26_what_was_left_out_once_is_read_again_and_added(desk: TestOffice, store: SqlStore) -> None:
    name, node = str(desk.trusted().name), Forgetful()
    record_id, issued, _ = sold(desk)
    whole = desk.office.store.entries(name)
    with proxied(desk.office.settings.rpc_url, node) as proxy:
        follower = Follower(desk.trusted(), store, EvmChain(proxy.url))
        # It ends behind the block left out, so that no head in storage is compared with it.
        node.hidden, node.until = issued, issued
        follower.run_once()
        assert store.cursor(name) == issued and store.history(name, record_id) == []
        node.hidden = node.until = None
        follower.run_once()
    assert store.entries(name) == whole
    assert store.history(name, record_id) == desk.office.store.history(name, record_id)


def test_fault_26_what_is_left_out_for_good_is_an_alarm_and_the_cursor_stays(desk: TestOffice, store: SqlStore) -> None:
    name, node = str(desk.trusted().name), Forgetful()
    record_id, issued, _ = sold(desk)
    with proxied(desk.office.settings.rpc_url, node) as proxy:
        follower = Follower(desk.trusted(), store, EvmChain(proxy.url))
        node.hidden, node.until = issued, issued
        follower.run_once()
        node.until = None
        for _ in range(2):
            with pytest.raises(EntryMissing):
                follower.run_once()
            assert store.cursor(name) == issued
    assert store.history(name, record_id) == []
    Follower(desk.trusted(), store, desk.office.chain).run_once()
    assert store.history(name, record_id) == desk.office.store.history(name, record_id)


def backwards(logs: list[Any]) -> list[Any]:
    return logs[::-1]


def twice(logs: list[Any]) -> list[Any]:
    return [*logs, *logs]


def telling(order: Callable[[list[Any]], list[Any]]) -> Callable[[dict[str, Any], Callable[[], Any]], Any]:
    def answer(request: dict[str, Any], forward: Callable[[], Any]) -> Any:
        found = forward()
        return found | {"result": order(found["result"])} if request["method"] == "eth_getLogs" else found

    return answer


def test_fault_27_logs_out_of_order_are_rows_in_the_order_of_the_chain(desk: TestOffice, store: SqlStore) -> None:
    name = str(desk.trusted().name)
    sold(desk)
    with proxied(desk.office.settings.rpc_url, telling(backwards)) as proxy:
        Follower(desk.trusted(), store, EvmChain(proxy.url)).run_once()
    assert store.entries(name) == desk.office.store.entries(name) != []


def test_fault_27_a_block_told_twice_is_refused_and_then_one_row(desk: TestOffice, store: SqlStore) -> None:
    name = str(desk.trusted().name)
    sold(desk)
    with proxied(desk.office.settings.rpc_url, telling(twice)) as proxy, pytest.raises(InvalidProof):
        Follower(desk.trusted(), store, EvmChain(proxy.url)).run_once()
    Follower(desk.trusted(), store, desk.office.chain).run_once()
    assert store.entries(name) == desk.office.store.entries(name)


def test_fault_27_followers_at_once_make_one_row_of_each_entry(desk: TestOffice, store: SqlStore) -> None:
    name = str(desk.trusted().name)
    sold(desk)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: Follower(desk.trusted(), store, desk.office.chain).run_once(), range(4)))
    Follower(desk.trusted(), store, desk.office.chain).run_once()
    assert store.entries(name) == desk.office.store.entries(name)


@pytest.mark.parametrize("off", [-86_400, 86_400])
def test_fault_29_with_a_clock_a_day_off_block_time_decides(desk: TestOffice, off: int) -> None:
    applications = desk.office.applications
    right = applications.clock
    applications.clock = FakeClock(right.now() + off)
    try:
        application = desk.done("land", Change("issue", (desk.request(),)))
    finally:
        applications.clock = right
    (entry,) = desk.office.store.history(str(desk.trusted().name), record_of(application))
    block = ask(desk.office.settings.rpc_url, "eth_getBlockByNumber", [hex(entry.block_number), False])["result"]
    assert entry.entry["time"] == int(block["timestamp"], 16)
    assert abs(entry.entry["time"] - right.now()) < 3600
    verdict = desk.verdict("land", record_of(application))
    assert verdict.valid
