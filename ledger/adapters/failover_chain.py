"""Several nodes of one chain, asked in the order in which they are named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, cast

import structlog

from ledger.adapters.evm_chain import EvmChain
from ledger.encoding import to_hex
from ledger.errors import ChainForked, ChainUnreachable, NotFound, RangeRefused
from ledger.model import Block, BlockTag, Followed
from ledger.ports import Chain

log = structlog.get_logger()


def open_chain(urls: str, **options: Any) -> Chain:
    """The node at a URL, or those at several with spaces between. `options` are those of EvmChain. Raises
    ConfigurationError."""
    nodes = [EvmChain(url, **options) for url in urls.split() or [""]]
    if len(nodes) == 1:
        return nodes[0]
    return cast(Chain, FailoverChain({f"node {number} at {node.name}": node for number, node in enumerate(nodes, 1)}))


class FailoverChain:
    """See ledger.ports.Chain. A question goes to the first node that answers. None is believed that has not the newest
    final block that another one told of, or that was followed (`expect`): one that is behind waits, and one that has
    another block there is refused, by its name, until it has the right one; ChainForked if no other is left."""

    def __init__(self, nodes: Mapping[str, Chain]) -> None:
        self._nodes = nodes
        self._final: Followed | None = None
        self._agreed: dict[str, Followed] = {}

    def expect(self, blocks: Iterable[Followed | None]) -> None:
        known = [block for block in (self._final, *blocks) if block and block.hash]
        self._final = max(known, default=None, key=lambda block: block.number)

    def block(self, at: int | BlockTag) -> Block:
        block: Block = self._ask("block", at)
        if at == "finalized" and (self._final is None or block.number > self._final.number):
            self._final = Followed(block.number, block.hash)
        return block

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return partial(self._ask, name)

    def _ask(self, question: str, *arguments: Any) -> Any:
        problem: ChainUnreachable | ChainForked | None = None
        for name, chain in self._nodes.items():
            try:
                self._check(name, chain)
                return getattr(chain, question)(*arguments)
            except RangeRefused:
                raise
            except (ChainUnreachable, ChainForked) as error:
                self._agreed.pop(name, None)
                if problem is None or isinstance(error, ChainForked):
                    problem = error
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
