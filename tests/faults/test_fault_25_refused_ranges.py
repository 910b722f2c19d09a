"""FAULTS 25: a node refuses ranges of logs that are too wide. The follower asks for half, and leaves no gap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.evm_chain import EvmChain
from ledger.adapters.sql_store import SqlStore
from ledger.errors import RangeRefused
from ledger.follower import Follower
from tests.databases import empty_store
from tests.faults.proxy import ask, proxied
from tests.office import TestOffice, record_of, running_office


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("ranges")) as office:
        yield office


def at_most(width: int) -> Callable[[dict[str, Any], Callable[[], Any]], Any]:
    def answer(request: dict[str, Any], forward: Callable[[], Any]) -> Any:
        if request["method"] == "eth_getLogs":
            first, last = (int(request["params"][0][name], 16) for name in ("fromBlock", "toBlock"))
            if last - first + 1 > width:
                error = {"code": -32000, "message": f"query exceeds max block range {width}"}
                return {"jsonrpc": "2.0", "id": request["id"], "error": error}
        return forward()

    return answer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with empty_store(tmp_path) as opened:
        yield opened


def test_fault_25_halves_the_range_and_leaves_no_gap(desk: TestOffice, store: SqlStore) -> None:
    url, applications = desk.office.settings.rpc_url, []
    for _ in range(3):
        applications.append(desk.approve(desk.issue(desk.request())))
        desk.certify(applications[-1].id)
        ask(url, "hardhat_mine", [hex(40)])
    with proxied(url, at_most(7)) as proxy:
        Follower(desk.trusted(), store, EvmChain(proxy.url)).run_once()
        asked = [r["params"][0] for r in proxy.requests if r["method"] == "eth_getLogs"]
    name = str(desk.trusted().name)
    final = desk.office.chain.block("finalized").number
    assert store.cursor(name) == final and len(asked) < final
    for application in applications:
        record_id = record_of(application)
        assert store.history(name, record_id) == desk.office.store.history(name, record_id) != []


def test_fault_25_a_node_that_gives_no_block_at_all_is_unreachable(desk: TestOffice, store: SqlStore) -> None:
    with proxied(desk.office.settings.rpc_url, at_most(0)) as proxy:
        with pytest.raises(RangeRefused):
            Follower(desk.trusted(), store, EvmChain(proxy.url)).run_once()
        assert store.cursor(str(desk.trusted().name)) is None
