"""The register follower: turns what the chain recorded into rows. It reads final blocks only: no row is undone.

A step asks for the logs of a range of blocks and then, in one request, for the headers of the block followed last, of
the last one of the step and of every block with logs (ledger.steps). Rows are kept if those headers hash to what the
logs name, the chain still has the block followed last, every entry follows the one before it, its approvers are those
it commits to, and, at the end of the chain, entries are those whose heads the register's storage holds. They and the
cursor move in one transaction, so a step that fails has left nothing behind. What it can notice and what not:
docs/protocol.md, section 9.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import structlog

from ledger.collecting import uncollected
from ledger.encoding import ZERO32, keccak256
from ledger.errors import (
    ChainUnreachable,
    Conflict,
    EntryMissing,
    InvalidProof,
    NotFound,
    RangeRefused,
    StateDropped,
)
from ledger.model import MAX_LOG_INDEX, Block, Followed, Place, RecordedEntry
from ledger.nodes import followed_block, same_block
from ledger.ports import Chain, RecordStore
from ledger.registers import register_of_kind
from ledger.state_proof import parse_header, prove_account
from ledger.steps import Asked, Step, read_step
from ledger.trust import TrustedRegister

BLOCKS_A_STEP = 1_000
STEPS_AHEAD = 3  # while one is kept, two are read
MUCH = 20_000  # events yet to be read, if blocks go on to be so full, that are worth the start of processes
EVENTS_A_STEP = 20_000  # about 30 MB while they are read; fewer would write the same pages of an index more often
_FIRST = ZERO32 + (1).to_bytes(32, "big")  # how the words of a record's first entry begin

Tell = Callable[[Sequence[RecordedEntry]], None]

log = structlog.get_logger()


class Elsewhere(Protocol):
    """See ledger.adapters.chain_process.ChainProcess."""

    def submit(self, work: Callable[..., Step], /, *arguments: Any) -> Future[Step]: ...


@dataclass(frozen=True)
class Lag:
    """How far things are. `final` and `followed` are None while there is no such block; `final_age` is in seconds since
    the time of the last final block, None without one."""

    head: int
    final: int | None
    followed: int | None
    final_age: int | None


def lag(head: Block, final: Block | None, followed: int | None, now: int) -> Lag:
    """`now` in seconds since 1970. A chain whose finality is stuck has a final block that grows old while its head does
    not: issuing goes on, and what it records stays "included"."""
    return Lag(head.number, final.number if final else None, followed, max(0, now - final.time) if final else None)


class Follower:
    """Several may follow one register into one database, at nodes of their own. `tell` hears what was recorded before
    it is kept: after a crash in between it hears the same again. `start` is the block of the register's deployment or
    an earlier one, for a node that has not kept the states in which to look for it. `elsewhere` is where much is read,
    with a connection to the node of its own."""

    def __init__(
        self,
        trusted: TrustedRegister,
        store: RecordStore,
        chain: Chain,
        tell: Tell = lambda recorded: None,
        start: int = 0,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.trusted = trusted
        self.name = str(trusted.name)
        self.register = register_of_kind(trusted.kind)
        self.store = store
        self.chain = chain
        self.tell = tell
        self.start = start
        self.elsewhere = elsewhere
        self._read_again: Followed | None = None

    def run_once(self) -> None:
        """Follow up to the newest final block. Raises ChainUnreachable, StoreUnavailable; ChainForked, ChainLost (the
        node has not the block that was followed last) and InvalidProof (it left out, made up or changed a log), after
        which nothing is written until the node has the chain again. The next run goes on where this one ended."""
        followed = self.store.followed(self.name)
        final = self._final(followed)
        if final is None:
            return
        try:
            for step in self._read(followed.number + 1 if followed else self._deployed(final), final, followed):
                if not self._kept_whole(followed, step):
                    return
                followed = step.reached
        except NotFound:
            if followed:
                followed_block(self.chain, followed)
            raise

    def _kept_whole(self, followed: Followed | None, step: Step) -> bool:
        """Check and save one step, after what was left out before it; False if another follower was quicker."""
        try:
            with uncollected():
                return self._keep(followed, step)
        except EntryMissing:
            if followed is None or followed == self._read_again:
                raise
            self._fill(followed)
            return self._keep(followed, read_step(self.chain, self.trusted, step.asked))

    def _deployed(self, final: int) -> int:
        """The first block whose state has the register's code, or `final` + 1: looked for in strides that double, since
        an operator who names a start names a near one, and then by halving. That a block has it not yet must be
        proved: a node that has dropped a state may say so of a block behind the deployment."""
        low, high, stride = self.start, final + 1, 1
        try:
            while low < high:
                middle = min(low + stride - 1, (low + high) // 2)
                low, high = (low, middle) if self._has_code(middle) else (middle + 1, high)
                stride *= 2
        except (ChainUnreachable, InvalidProof, StateDropped):
            return self.start
        return low

    def _has_code(self, number: int) -> bool:
        block, address = self.chain.block(number), self.trusted.name.address
        proof = self.chain.proof(address, [], number)
        account = prove_account(parse_header(block.header).state_root, address, proof.account)
        return account is not None and account.code_hash != keccak256(b"")

    def _read(self, first: int, final: int, followed: Followed | None, beside: int | None = None) -> Iterator[Step]:
        """What all blocks from `first` to `final` recorded, in steps, each with the block `beside` it or, without one,
        that before its first, from nodes that have the one `followed`. While one is kept the next ones are read:
        elsewhere, once there is much to read."""
        size, ahead = 1, deque[tuple[Asked, Future[Step]]]()
        with ThreadPoolExecutor(1) as here:
            read_here = partial(here.submit, partial(read_step, self.chain))
            read: Callable[..., Future[Step]] = read_here
            while first <= final or ahead:
                while first <= final and len(ahead) < STEPS_AHEAD:
                    known = beside if beside is not None else first - 1 if first else None
                    asked = Asked(first, min(first + size - 1, final), final, known, followed)
                    ahead.append((asked, read(self.trusted, asked)))
                    first = asked.last + 1
                asked, found = ahead.popleft()
                blocks = asked.last - asked.first + 1
                try:
                    step = found.result()
                except RangeRefused:
                    if blocks == 1:
                        raise
                    size, first = blocks // 2, asked.first
                    ahead.clear()
                    continue
                except BrokenExecutor:
                    log.warning("the process that reads has ended", register=self.name)
                    self.elsewhere, read, first = None, read_here, asked.first
                    ahead.clear()
                    continue
                size = _next_size(blocks, len(step.recorded))
                if self.elsewhere and len(step.recorded) * (final - asked.last) >= MUCH * blocks:
                    read = partial(self.elsewhere.submit, read_step)
                yield step

    def _final(self, followed: Followed | None) -> int | None:
        """The number of the newest final block, None while there is none, once the node has the block followed last."""
        try:
            final = self.chain.block("finalized").number
        except NotFound:
            final = None
        if followed and (final is None or final <= followed.number):
            followed_block(self.chain, followed)
        return final

    def _keep(self, followed: Followed | None, step: Step) -> bool:
        """Check and save one step; False if another follower was quicker."""
        if followed and step.beside:
            same_block(followed, step.beside)
        self._check_unbroken(step.recorded)
        self.tell(step.recorded)
        try:
            self.store.add_entries(self.name, followed, step.reached, step.recorded, step.revealed)
        except Conflict:
            if self.store.followed(self.name) != followed:
                return False
            raise InvalidProof(
                f"Blocks up to {step.reached.number} record again what was recorded.", "Compare with another node."
            ) from None
        return True

    def _fill(self, followed: Followed) -> None:
        """Read again all that was followed, and add what the node left out then; once for each block followed."""
        log.warning("an entry is missing, reading the register again", register=self.name, block=followed.number)
        self._read_again = followed
        for step in self._read(self._deployed(followed.number), followed.number, followed, followed.number):
            assert step.beside
            same_block(followed, step.beside)
            kept = self._kept(step.asked.first, step.asked.last)
            missed = [item for item in step.recorded if (item.block_number, item.log_index) not in kept]
            if missed:
                self._check_joined(missed)
                self.store.add_entries(self.name, followed, followed, missed, step.revealed)

    def _kept(self, first: int, last: int) -> set[tuple[int, int]]:
        """The places of the entries of these blocks that are in the database."""
        places, after = set[tuple[int, int]](), Place(first - 1, MAX_LOG_INDEX) if first else None
        while page := self.store.entries(self.name, after=after, limit=BLOCKS_A_STEP):
            places |= {(item.block_number, item.log_index) for item in page if item.block_number <= last}
            after = Place(page[-1].block_number, page[-1].log_index)
            if after.block_number > last:
                break
        return places

    def _check_joined(self, missed: Sequence[RecordedEntry]) -> None:
        """That entries that were left out and those that are kept make one history of each record."""
        for record_id in {item.record_id for item in missed}:
            whole = [*self.store.history(self.name, record_id), *(i for i in missed if i.record_id == record_id)]
            before = ZERO32
            for number, item in enumerate(sorted(whole, key=lambda item: _sequence(item.words)), 1):
                if (item.words[:32], _sequence(item.words)) != (before, number):
                    raise EntryMissing(
                        f"Block {item.block_number} changes a record whose entry before is still unknown.",
                        "The node does not tell the whole history of its records: use another node.",
                    )
                before = item.head

    def _check_unbroken(self, recorded: Sequence[RecordedEntry]) -> None:
        changed = {item.record_id for item in recorded if not item.words.startswith(ZERO32)}
        newest = dict(self.store.newest(self.name, changed))
        for item in recorded:
            record_id, _, words, *_ = item
            before = newest.get(record_id)
            follows = _FIRST if before is None else keccak256(before) + (_sequence(before) + 1).to_bytes(32, "big")
            if not words.startswith(follows):
                raise EntryMissing(
                    f"Block {item.block_number} changes a record whose entry before is unknown.",
                    "The node left out a log, or made one up: compare with another node.",
                )
            newest[record_id] = words


def _sequence(words: bytes) -> int:
    return int.from_bytes(words[32:64], "big")


def _next_size(blocks: int, events: int) -> int:
    """How many blocks to ask for next: as many as have so many events if they are as dense, and no more than twice as
    many as before."""
    return max(1, min(2 * blocks, BLOCKS_A_STEP, blocks * EVENTS_A_STEP // max(1, events)))
