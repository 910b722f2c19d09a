"""FAULTS rows 12, 17 and 43, as the status tells them: each with its own reason, and an outage as nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.adapters.evm_chain import EvmChain
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.bootstrap import open_health
from ledger.status import Part, Status
from scripts.cli import app
from scripts.devnet import free_port
from tests.faults.proxy import Proxy, ask, proxied
from tests.office import TestOffice, running_office


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("status")) as office:
        certified = office.approve(office.issue(office.request()))
        office.certify(certified.id)
        yield office


def names(status: Status) -> dict[str, list[str]]:
    return {part.name: [item.name for item in part.obstacles] for part in status.parts if part.obstacles}


def part_of(status: Status, name: str) -> Part:
    return next(part for part in status.parts if part.name == name)


def through(desk: TestOffice, proxy: Proxy) -> Status:
    return replace(desk.office.health, chain=EvmChain(proxy.url)).status()


def final_as_of(number: int) -> Callable[[dict[str, Any], Callable[[], Any]], Any]:
    """A node whose finality is stuck at a block."""

    def answer(request: dict[str, Any], forward: Callable[[], Any]) -> Any:
        if request["params"][:1] == ["finalized"]:
            request["params"] = [hex(number), False]
        return forward()

    return answer


def test_fault_12_an_office_at_work_is_fine(desk: TestOffice) -> None:
    status = desk.office.health.status()
    assert names(status) == {}
    relayer = part_of(status, "publisher").figures["relayers"][next(iter(desk.office.publisher.relayers))]
    assert (relayer["nextNonce"], relayer["highestNonce"], relayer["sent"]) == (1, 0, 0)
    assert set(part_of(status, "chain").figures["lag"].values()) == {0}


def test_fault_12_a_relayer_without_funds_is_told_as_that(desk: TestOffice) -> None:
    url, relayer = desk.office.settings.rpc_url, next(iter(desk.office.publisher.relayers))
    before = desk.office.chain.balance(relayer)
    ask(url, "hardhat_setBalance", [relayer, "0x1"])
    try:
        assert names(desk.office.health.status()) == {"publisher": ["out-of-funds"]}
    finally:
        ask(url, "hardhat_setBalance", [relayer, hex(before)])


def test_fault_12_what_keeps_the_publisher_is_told_in_its_own_words(desk: TestOffice) -> None:
    reason = "The base fee is 80 gwei and the cap 50."
    publisher = part_of(replace(desk.office.health, hindered=lambda: [reason]).status(), "publisher")
    assert [tuple(item) for item in publisher.obstacles] == [("publisher-waits", reason)]


def test_fault_12_an_outage_is_told_as_an_outage_alone(desk: TestOffice) -> None:
    lonely = replace(desk.office.health, chain=EvmChain(f"http://127.0.0.1:{free_port()}"))
    status = replace(lonely, check=lambda: None, hindered=lambda: ["The node does not answer."]).status()
    assert names(status) == {"chain": ["node-unreachable"], "publisher": ["node-unreachable"]}
    assert status.state == "unknown"


@pytest.mark.parametrize("method", ["eth_getBalance", "eth_getTransactionCount", "eth_feeHistory"])
def test_fault_12_a_node_that_answers_in_part_is_told_as_an_outage_alone(desk: TestOffice, method: str) -> None:
    def answer(request: dict[str, Any], forward: Callable[[], Any]) -> Any:
        if request["method"] == method:
            return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32005, "message": "limit exceeded"}}
        return forward()

    with proxied(desk.office.settings.rpc_url, answer) as proxy:
        assert names(through(desk, proxy)) == {"chain": ["node-unreachable"], "publisher": ["node-unreachable"]}


def test_fault_12_a_database_that_is_away_is_told_as_that_alone(desk: TestOffice, tmp_path: Path) -> None:
    gone = SqlStore(f"sqlite:///{tmp_path / 'empty.db'}")
    status = replace(desk.office.health, store=gone).status()
    assert names(status) == {name: ["database-unreachable"] for name in ("database", "queue", "publisher")}
    gone.close()


def test_fault_17_finality_that_is_an_hour_old_is_told_with_its_age(desk: TestOffice) -> None:
    url = desk.office.settings.rpc_url
    old = desk.office.chain.block("latest").number
    ask(url, "hardhat_mine", ["0x2", hex(3600)])
    desk.office.run_once()
    with proxied(url, final_as_of(old)) as proxy:
        clock = type("Later", (), {"now": lambda self: desk.office.chain.block("latest").time})()
        health = replace(desk.office.health, chain=EvmChain(proxy.url), clock=clock)
        chain = part_of(health.status(), "chain")
    assert [tuple(item) for item in chain.obstacles] == [("finality-late", "Finality is 60 minutes old.")]


def test_fault_43_a_chain_that_is_ahead_of_the_database_is_told_as_that(desk: TestOffice, tmp_path: Path) -> None:
    settings = desk.office.settings.model_copy(update={"database_url": f"sqlite:///{tmp_path / 'new.db'}"})
    with open_health(settings) as health:
        assert names(health.status())["database"] == ["database-unreachable"]
        migrate(settings.database)
        found = names(health.status())
    assert found["publisher"] == ["database-behind-chain"]
    assert found["queue"] == ["no-worker"]


@pytest.mark.parametrize(("away", "code", "state"), [(False, 0, "fine"), (True, 5, "unknown")])
def test_fault_12_the_command_says_it_with_its_exit_code(
    desk: TestOffice, monkeypatch: pytest.MonkeyPatch, away: bool, code: int, state: str
) -> None:
    url = f"http://127.0.0.1:{free_port()}" if away else desk.office.settings.rpc_url
    monkeypatch.setenv("KHALAYAK_DATA", str(desk.office.settings.data))
    monkeypatch.setenv("KHALAYAK_RPC_URL", url)
    desk.office.run_once()
    said = CliRunner().invoke(app, ["status", "--json"])
    assert (said.exit_code, json.loads(said.stdout)["state"]) == (code, state)
    words = CliRunner().invoke(app, ["status"])
    assert words.exit_code == code
    assert ("node-unreachable: The node at" in words.stdout) == away
