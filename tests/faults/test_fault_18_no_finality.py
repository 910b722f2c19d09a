"""FAULTS 18: a node without a `finalized` tag. As many blocks on top count as the settings say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.adapters.evm_chain import EvmChain
from ledger.errors import NotFound
from scripts.devnet import start_hardhat
from tests.faults.proxy import ask, proxied


def without_finality(request: dict[str, object], forward: Callable[[], object]) -> object:
    if request["method"] == "eth_getBlockByNumber" and request["params"][0] == "finalized":  # type: ignore[index]
        return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32602, "message": "unknown block tag"}}
    return forward()


def test_fault_18_confirmations_stand_in_for_finality() -> None:
    with start_hardhat() as url, proxied(url, without_finality) as proxy:
        mine(url, 10)
        with pytest.raises(NotFound):
            EvmChain(proxy.url).block("finalized")
        latest = EvmChain(url).block("latest").number
        assert EvmChain(proxy.url, confirmations=3).block("finalized").number == latest - 3
        assert EvmChain(proxy.url, confirmations=1000).block("finalized").number == 0
        # A node that knows finality is asked first.
        assert EvmChain(url, confirmations=3).block("finalized").number == latest


def mine(url: str, count: int) -> None:
    ask(url, "hardhat_mine", [hex(count)])
