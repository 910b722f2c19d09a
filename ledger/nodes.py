"""What nodes of the reader's own choice say about a block: they must agree, and each must call it final."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.encoding import to_hex
from ledger.errors import ChainMismatch, NotFound, Unavailable
from ledger.model import Block
from ledger.ports import Chain


def final_block(chains: Mapping[str, Chain], number: int, chain_id: int, genesis: bytes | None) -> Block:
    """The block of a number that all these nodes (name → node) call final. Each node must serve the chain of this id,
    and of this genesis block where one is given. Raises ChainMismatch (another chain, or the nodes disagree),
    Unavailable (a node does not answer, or does not call the block final yet)."""
    found = {name: _final_block(name, chain, number, chain_id, genesis) for name, chain in chains.items()}
    hashes = {block.hash for block in found.values()}
    if len(hashes) > 1:
        told = ", ".join(f"{name} {to_hex(block.hash)}" for name, block in found.items())
        raise ChainMismatch(
            f"The nodes disagree about block {number}: {told}.", "One of them is wrong; ask others too."
        )
    return next(iter(found.values()))


def block_at(chain: Chain, time: int) -> Block:
    """The last final block that is not later than a time in seconds. Raises NotFound when the chain began later or its
    newest final block is earlier, Unavailable."""
    final = chain.block("finalized")
    if final.time < time:
        raise NotFound(f"The newest final block, {final.number}, is earlier than that.", "Ask again later.")
    low, high = chain.block(0), final
    if low.time > time:
        raise NotFound("The chain began later than that.")
    while high.number - low.number > 1:
        middle = chain.block((low.number + high.number) // 2)
        low, high = (middle, high) if middle.time <= time else (low, middle)
    return high if high.time <= time else low


def _final_block(name: str, chain: Chain, number: int, chain_id: int, genesis: bytes | None) -> Block:
    if chain.chain_id() != chain_id:
        raise ChainMismatch(f"{name} serves chain {chain.chain_id()}, not {chain_id}.", "Check the RPC URL.")
    if genesis is not None and chain.genesis_hash() != genesis:
        raise ChainMismatch(f"{name} serves another chain of the same number.", "Its genesis block is not the trusted.")
    try:
        if chain.block("finalized").number >= number:
            return chain.block(number)
    except NotFound:
        pass
    raise Unavailable(f"{name} does not call block {number} final yet.", "Nothing can be told now; try again later.")
