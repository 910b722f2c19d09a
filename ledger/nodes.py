"""What nodes of the reader's own choice say about a block: they must agree, and each must call it final."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from ledger.cosigner import check_genesis
from ledger.encoding import ZERO32, keccak256, to_hex
from ledger.errors import ChainForked, ChainLost, ChainMismatch, InvalidProof, NotFound, Unavailable
from ledger.model import Block, Followed
from ledger.ports import Chain
from ledger.registers.base import head_slot
from ledger.state_proof import parse_header, prove_account, prove_slot
from ledger.trust import TrustRoot

PROVED_AT_ONCE = 100  # slots of one eth_getProof


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


def check_chain(chain: Chain, trust: TrustRoot) -> None:
    """That the node serves the chain of the trust root, with the trusted code. Raises ChainMismatch."""
    check_genesis(chain, trust)
    for register in trust.registers:
        for address, code_hash in (
            (register.name.address, register.code_hash),
            (register.authority, register.authority_code_hash),
        ):
            code = chain.code(address)
            if keccak256(code) != code_hash:
                found = (
                    f"The code at {address} is not the trusted one" if code else f"There is no contract at {address}"
                )
                raise ChainMismatch(
                    f"{found}.", "Check the RPC URL and the trust root, and whether the node has lost its data."
                )


def followed_block(chain: Chain, followed: Followed) -> Block:
    """The last block that was followed, which the chain must still have. Raises ChainForked, ChainLost, Unavailable."""
    # Asked first: a node that was set back may still answer with blocks that its chain has not any more.
    newest = chain.block("latest").number
    if newest >= followed.number:
        with suppress(NotFound):
            return same_block(followed, chain.block(followed.number))
    raise ChainLost(
        f"Block {followed.number} was followed and is not there; the node's newest is {newest}.",
        "Wait if it is still in step with others. If its data is lost, restore it or name another node in "
        "KHALAYAK_RPC_URL; if none has the chain, begin another: `khalayak deploy`, `khalayak reanchor`.",
    )


def same_block(followed: Followed, found: Block) -> Block:
    """The block of this number that the chain has now, if it is the one followed. Raises ChainForked."""
    if followed.hash is not None and found.hash != followed.hash:
        raise ChainForked(
            f"Block {found.number} was final as {to_hex(followed.hash)}; now it is {to_hex(found.hash)}.",
            "Nothing is changed. Ask the witnesses which one they signed, and follow a node that has it.",
        )
    return found


def check_heads(chain: Chain, address: str, block: Block, heads: Mapping[bytes, bytes]) -> None:
    """That these are the heads (record id → head, zero for none) in a register's storage as of a block. Raises
    InvalidProof, StateDropped, ChainUnreachable."""
    asked = list(heads)
    for first in range(0, len(asked), PROVED_AT_ONCE):
        part = asked[first : first + PROVED_AT_ONCE]
        proof = chain.proof(address, [head_slot(record_id) for record_id in part], block.number)
        account = prove_account(parse_header(block.header).state_root, address, proof.account)
        for record_id, nodes in zip(part, proof.slots, strict=True):
            head = prove_slot(account.storage_root, head_slot(record_id), nodes) if account else ZERO32
            if head != heads[record_id]:
                raise InvalidProof(
                    f"As of block {block.number} the head of record {to_hex(record_id)} is not that of the newest "
                    "entry that the node told of.",
                    "The node left out or made up an entry: compare with another node.",
                )


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
