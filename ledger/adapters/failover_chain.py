"""Several nodes of one chain, asked in the order in which they are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import structlog

from ledger.encoding import to_hex
from ledger.errors import ChainForked, ChainUnreachable, NotFound, RangeRefused
from ledger.model import AccountProof, Block, BlockTag, Fees, Followed, Log, Receipt
from ledger.ports import Chain

T = TypeVar("T")
log = structlog.get_logger()


class FailoverChain:
    """See ledger.ports.Chain. A question goes to the first node that answers. None is believed that has not the newest
    final block that another one told of, or that was followed (`expect`): one that is behind waits, and one that has
    another block there is refused, by its name, until it has the right one; ChainForked if no other is left."""

    def __init__(self, nodes: Mapping[str, Chain]) -> None:
        self._nodes = nodes
        self._final: Followed | None = None
        self._agreed: dict[str, Followed | None] = {}

    def expect(self, block: Followed) -> None:
        """No node is believed that has not this block."""
        self._final = block

    def chain_id(self) -> int:
        return self._ask(lambda chain: chain.chain_id())

    def genesis_hash(self) -> bytes:
        return self._ask(lambda chain: chain.genesis_hash())

    def block(self, at: int | BlockTag) -> Block:
        return self._ask(lambda chain: chain.block(at), final=at == "finalized")

    def blocks(self, numbers: Sequence[int]) -> list[Block]:
        return self._ask(lambda chain: chain.blocks(numbers))

    def code(self, address: str) -> bytes:
        return self._ask(lambda chain: chain.code(address))

    def call(self, to: str, data: bytes) -> bytes:
        return self._ask(lambda chain: chain.call(to, data))

    def next_nonce(self, address: str) -> int:
        return self._ask(lambda chain: chain.next_nonce(address))

    def fees(self) -> Fees:
        return self._ask(lambda chain: chain.fees())

    def estimate_gas(self, sender: str, to: str, data: bytes) -> int:
        return self._ask(lambda chain: chain.estimate_gas(sender, to, data))

    def send(self, raw: bytes) -> None:
        self._ask(lambda chain: chain.send(raw))

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        return self._ask(lambda chain: chain.receipt(transaction_hash))

    def logs(self, address: str, first: int, last: int) -> list[Log]:
        return self._ask(lambda chain: chain.logs(address, first, last))

    def proof(self, address: str, slots: Sequence[bytes], block_number: int) -> AccountProof:
        return self._ask(lambda chain: chain.proof(address, slots, block_number))

    def _ask(self, question: Callable[[Chain], T], final: bool = False) -> T:
        problem: ChainUnreachable | ChainForked | None = None
        for name, chain in self._nodes.items():
            try:
                self._check(name, chain)
                answer = question(chain)
            except RangeRefused:
                raise
            except (ChainUnreachable, ChainForked) as error:
                if isinstance(error, ChainForked) or problem is None:
                    problem = error
                self._agreed.pop(name, None)
                continue
            if final and isinstance(answer, Block) and (self._final is None or answer.number > self._final.number):
                self._final = self._agreed[name] = Followed(answer.number, answer.hash)
            return answer
        assert problem
        raise problem

    def _check(self, name: str, chain: Chain) -> None:
        expected = self._final
        if expected is None or self._agreed.get(name) == expected:
            return
        try:
            found = chain.block(expected.number)
        except NotFound:
            raise ChainUnreachable(f"{name} is behind: it has no block {expected.number} yet.", "") from None
        if found.hash != expected.hash:
            wanted = to_hex(expected.hash or b"")
            log.error("node refused", node=name, block=expected.number, hash=to_hex(found.hash), expected=wanted)
            raise ChainForked(
                f"{name} is refused: its block {expected.number} is {to_hex(found.hash)}, not {wanted}.",
                "Take it out of KHALAYAK_RPC_URL, or ask the witnesses which block they signed.",
            )
        self._agreed[name] = expected
