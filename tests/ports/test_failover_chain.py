"""Several nodes: the next is asked while those before it are away, and none is believed that has another chain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.adapters.evm_chain import EvmChain
from ledger.adapters.failover_chain import FailoverChain, open_chain
from ledger.errors import ChainForked, ChainUnreachable, ConfigurationError, NotFound
from ledger.model import Followed
from scripts.devnet import free_port
from tests.forks import SHARED, Anvil, anvil


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with anvil(apart=1) as running:
        yield running


@pytest.fixture(scope="module")
def fork() -> Iterator[Anvil]:
    """Another chain from the block after the shared ones on."""
    with anvil(apart=2) as running:
        yield running


def away() -> str:
    return f"http://127.0.0.1:{free_port()}"


def test_the_first_that_answers_is_asked(node: Anvil) -> None:
    chain = open_chain(f"{away()} {node.url}")
    assert chain.block(1) == node.chain.block(1)
    assert chain.block("finalized").number == node.final
    with pytest.raises(NotFound):
        chain.block(10**6)


def test_one_node_alone_needs_nobody_else(node: Anvil) -> None:
    assert isinstance(open_chain(node.url), EvmChain)
    with pytest.raises(ConfigurationError):
        open_chain(" ")


def test_none_answers_if_all_are_away() -> None:
    with pytest.raises(ChainUnreachable):
        open_chain(f"{away()} {away()}").chain_id()


def test_a_node_with_another_final_block_is_refused_by_its_name(node: Anvil, fork: Anvil) -> None:
    first, second = EvmChain(node.url), EvmChain(fork.url)
    nodes = {"first": first, "second": second}
    chain = FailoverChain(nodes)
    assert chain.block("finalized").number > SHARED
    nodes["first"] = EvmChain(away())
    with pytest.raises(ChainForked, match="second is refused"):
        chain.block(1)
    nodes["third"] = first
    assert chain.block(1) == first.block(1)


def test_what_was_followed_before_decides_at_the_start(node: Anvil, fork: Anvil) -> None:
    final = node.chain.block("finalized")
    chain = FailoverChain({"fork": fork.chain, "node": node.chain})
    chain.expect([None, Followed(final.number, final.hash), Followed(10**6, None)])
    assert chain.block(final.number) == final


def test_a_node_that_is_behind_is_passed_over(node: Anvil) -> None:
    chain = FailoverChain({"node": node.chain})
    chain.expect([Followed(10**6, b"h" * 32)])
    with pytest.raises(ChainUnreachable, match="node is behind"):
        chain.chain_id()
