"""What a register recorded in some blocks, as far as the node alone can be asked whether it is so: the half of
following that needs no database, and that a process of its own can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from secrets import SystemRandom
from typing import Any

import structlog

from ledger.collecting import uncollected
from ledger.encoding import keccak256
from ledger.errors import InvalidProof, StateDropped
from ledger.model import Block, Followed, Log, RecordedEntry
from ledger.nodes import check_heads
from ledger.ports import Chain
from ledger.registers import register_of_kind
from ledger.trust import TrustedRegister

PROVED_A_STEP = 32

log = structlog.get_logger()


@dataclass(frozen=True)
class Asked:
    """Blocks `first` to `last`, where the chain's newest final block is `final`, and one `beside` them, None at the
    beginning; of a node that has `expected` (ledger.ports.Chain.expect)."""

    first: int
    last: int
    final: int
    beside: int | None
    expected: Followed | None


@dataclass(frozen=True)
class Step:
    """The blocks that were `asked` for, the last one of them and the one beside them as the node has them now, the
    entries that they record and what their logs reveal (ledger.registers.base.Register.reveal)."""

    asked: Asked
    reached: Followed
    beside: Block | None
    recorded: Sequence[RecordedEntry]
    revealed: Mapping[bytes, Any]

    def __reduce__(self) -> tuple[Any, ...]:
        """In columns: from one process to another four times as fast as entry by entry."""
        others = {name: value for name, value in vars(self).items() if name != "recorded"}
        return partial(_of_columns, **others), (tuple(zip(*self.recorded, strict=True)),)


def _of_columns(columns: Sequence[Sequence[Any]], **others: Any) -> Step:
    return Step(recorded=list(map(RecordedEntry._make, zip(*columns, strict=True))), **others)


def read_step(chain: Chain, trusted: TrustedRegister, asked: Asked) -> Step:
    """The headers of the blocks with logs hash to what the logs name, every entry's approvers are those it commits to,
    and, at the end of the chain, the register's storage holds the heads of entries. Raises ChainUnreachable,
    RangeRefused, NotFound (a block is not there any more), InvalidProof."""
    chain.expect([asked.expected])
    with uncollected():
        logs = chain.logs(trusted.name.address, asked.first, asked.last)
        headers = _headers(chain, {asked.last} | ({asked.beside} if asked.beside is not None else set()), logs)
        register = register_of_kind(trusted.kind)
        recorded = register.decode(logs, {number: block.time for number, block in headers.items()})
        revealed = register.reveal(logs, recorded)
    last = headers[asked.last]
    if asked.last == asked.final:
        _check_heads(chain, trusted, recorded, last)
    beside = None if asked.beside is None else headers[asked.beside]
    return Step(asked, Followed(last.number, last.hash), beside, recorded, revealed)


def _headers(chain: Chain, numbers: set[int], logs: Sequence[Log]) -> Mapping[int, Block]:
    """Of these blocks and of those with logs, by number, in one request, checked against the logs."""
    named = {(log.block_number, log.block_hash) for log in logs}
    headers = {block.number: block for block in chain.blocks(sorted(numbers | {number for number, _ in named}))}
    for number, block_hash in named:
        if headers[number].hash != block_hash:
            raise InvalidProof(f"The node tells of logs in a block {number} that is not its own.", "Ask another node.")
    return headers


def _check_heads(chain: Chain, trusted: TrustedRegister, recorded: Sequence[RecordedEntry], block: Block) -> None:
    """That storage has the heads of some of what was recorded, which whoever makes up a log cannot choose."""
    heads = {item.record_id: item.words for item in recorded}
    chosen = SystemRandom().sample(sorted(heads), min(len(heads), PROVED_A_STEP))
    try:
        check_heads(chain, trusted.name.address, block, {i: keccak256(heads[i]) for i in chosen})
    except StateDropped:
        log.info("no proof of what was followed", block=block.number)
