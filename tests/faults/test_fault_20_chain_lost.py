"""FAULTS 20: the node comes back empty, or behind what was read. The chain is lost, and nothing is called valid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from ledger.adapters.evm_chain import EvmChain
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.errors import ChainLost
from ledger.follower import Follower
from ledger.known import FinalState
from scripts.deploy import Plan, deploy
from scripts.tools.geth import endpoint, find_geth, geth_command
from scripts.tools.process import running, wait_for
from tests.faults.proxy import ask, proxied
from wallet.keys import address_of, new_key
from wallet.signer import LocalSigner


@contextmanager
def geth(data: Path, killed: bool) -> Iterator[str]:
    """Killed with SIGKILL when the block ends, or stopped in an orderly way. This scheme keeps states in memory."""
    program = find_geth()
    if program is None:
        pytest.skip("no geth: run `make tools` (needs Go) or set KHALAYAK_GETH_BIN")
    log = data / "geth.log"
    data.mkdir(exist_ok=True)
    with running(geth_command(program, data, 0, "path"), log) as process:
        yield wait_for(process, log, lambda: endpoint(log))
        if killed:
            process.kill()


def plan() -> Plan:
    people = [address_of(new_key()) for _ in range(5)]
    return Plan("lost.example", "Office", people[0], people[1], (people[2], people[3]), 2, (people[4],), 1, 86_400, 0)


def wait_for_balance(url: str, address: str) -> None:
    for _ in range(200):
        if ask(url, "eth_getBalance", [address, "latest"])["result"] != "0x0":
            return
        sleep(0.05)
    raise AssertionError("nothing was mined")


def final_at_once(request: dict[str, Any], forward: Any) -> Any:
    """geth alone calls no block final for long."""
    if request["params"][:1] == ["finalized"]:
        request["params"][0] = "latest"
    return forward()


@pytest.mark.parametrize("killed", [False, True])
def test_fault_20_a_node_that_comes_back_has_its_chain_or_has_lost_it(tmp_path: Path, killed: bool) -> None:
    url = f"sqlite:///{tmp_path / 'registers.db'}"
    migrate(url)
    store, deployer = SqlStore(url), LocalSigner(new_key())
    with geth(tmp_path / "chain", killed) as node, proxied(node, final_at_once) as proxy:
        rich = ask(node, "eth_accounts", [])["result"][0]
        ask(node, "eth_sendTransaction", [{"from": rich, "to": deployer.address, "value": hex(10**21)}])
        wait_for_balance(node, deployer.address)
        trust = deploy(EvmChain(node), deployer, plan(), ())
        trusted = trust.register_of_kind("land")
        Follower(trusted, store, EvmChain(proxy.url)).run_once()
    followed = store.followed(str(trusted.name))
    assert followed and followed.number > 0
    with geth(tmp_path / "chain", killed) as node, proxied(node, final_at_once) as proxy:
        chain = EvmChain(proxy.url)
        assert chain.genesis_hash() == trust.genesis
        if not killed:
            Follower(trusted, store, chain).run_once()
        else:
            with pytest.raises(ChainLost, match=f"Block {followed.number} was followed") as lost:
                Follower(trusted, store, chain).run_once()
            assert "khalayak deploy" in lost.value.hint
            with pytest.raises(ChainLost):
                FinalState(trusted, store, chain).block()
    assert store.followed(str(trusted.name)) == followed
    store.close()
