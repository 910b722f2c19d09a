"""A transaction of a relayer key: the attempts it was signed in, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ledger.model import Receipt

AttemptState = Literal["signed", "sent", "included", "final", "failed", "replaced", "lost"]

_BY_WEIGHT: Sequence[AttemptState] = ("final", "failed", "included", "sent", "signed", "lost", "replaced")


@dataclass(frozen=True)
class Attempt:
    """One signed form of a transaction. `raw` is durable before it is sent; `hash` is keccak256(raw). Fees are in wei a
    gas, `signed_at` in seconds since 1970."""

    hash: bytes
    raw: bytes
    max_fee: int
    priority_fee: int
    signed_at: int
    state: AttemptState = "signed"
    block_number: int | None = None
    block_hash: bytes | None = None


@dataclass(frozen=True)
class Transaction:
    """What a sender does with one of its nonces. The chain takes one of the attempts (oldest first, each kept for ever)
    and carries out the applications with these ids in their order."""

    sender: str
    nonce: int
    applications: tuple[str, ...]
    attempts: tuple[Attempt, ...]

    @property
    def state(self) -> AttemptState:
        """signed, sent, included, final, failed or lost; what becomes of all attempts together."""
        states = [attempt.state for attempt in self.attempts]
        return next(state for state in _BY_WEIGHT if state in states)

    @property
    def newest(self) -> Attempt:
        return self.attempts[-1]

    @property
    def leading(self) -> Attempt:
        """The attempt that is in a block, else the newest."""
        return next((attempt for attempt in self.attempts if attempt.block_hash), self.newest)

    @property
    def hash(self) -> bytes:
        return self.leading.hash

    @property
    def block_number(self) -> int | None:
        return self.leading.block_number

    def sent(self) -> Transaction:
        """As it is once a node has taken the newest attempt."""
        return replace(self, attempts=(*self.attempts[:-1], replace(self.newest, state="sent")))

    def mined(self, attempt_hash: bytes, state: AttemptState, receipt: Receipt) -> Transaction:
        """As it is with one attempt in a block, which replaces all others."""

        def changed(attempt: Attempt) -> Attempt:
            if attempt.hash != attempt_hash:
                return replace(attempt, state="replaced", block_number=None, block_hash=None)
            return replace(attempt, state=state, block_number=receipt.block_number, block_hash=receipt.block_hash)

        return replace(self, attempts=tuple(map(changed, self.attempts)))

    def unmined(self, state: AttemptState) -> Transaction:
        """As it is when a reorganisation took its block away (sent), or another transaction has its nonce (lost)."""
        changed = [replace(attempt, state=state, block_number=None, block_hash=None) for attempt in self.attempts]
        return replace(self, attempts=tuple(changed))
