"""The plain values that pass between registers, services and ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

ApplicationState = Literal[
    "submitted", "approved", "signed", "sent", "included", "final", "certified", "refused", "failed"
]
AttemptState = Literal["signed", "sent", "included", "final", "failed", "replaced", "lost"]
BlockTag = Literal["latest", "finalized"]

_BY_WEIGHT: Sequence[AttemptState] = ("final", "failed", "included", "sent", "signed", "lost", "replaced")


@dataclass(frozen=True)
class Block:
    """A block header. `time` is in seconds since 1970; `header` is its RLP, whose keccak256 is `hash`."""

    number: int
    hash: bytes
    time: int
    header: bytes


@dataclass(frozen=True)
class Log:
    """One event log. `address` is checksummed, topics are 32 bytes each."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int


@dataclass(frozen=True)
class Receipt:
    block_number: int
    block_hash: bytes
    succeeded: bool


@dataclass(frozen=True)
class Fees:
    """EIP-1559 fees in wei a gas: what the node advises, and the base fee of the next block."""

    max_fee: int
    priority_fee: int
    base_fee: int


@dataclass(frozen=True)
class AccountProof:
    """EIP-1186 proof nodes, root first: of the account, and of each storage slot asked for, in the order asked."""

    account: tuple[bytes, ...]
    slots: tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True)
class Application:
    """A request to change a register. `payload` is the register's own JSON (see ledger/registers/): `deadline` (unix
    seconds), `records` (a list of objects with recordId and digest as 0x-hex) and what else is signed. `access_digest`
    is SHA-256 of the applicant's access token."""

    id: str
    register: str
    action: str
    payload: Mapping[str, Any]
    state: ApplicationState
    created: int
    access_digest: bytes
    reason: str = ""

    def moved(self, state: ApplicationState, reason: str = "") -> Application:
        return replace(self, state=state, reason=reason)


@dataclass(frozen=True)
class Approval:
    """One signature over an application's typed data. `role`: see ledger.registers.base.Role. 65 bytes r, s, v."""

    signer: str
    role: str
    signature: bytes


@dataclass(frozen=True)
class StoredContent:
    """A content that an application brings. `fields` are [{"salt", "name", "value"}]."""

    digest: bytes
    record_id: bytes
    fields: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class StoredDocument:
    """A sealed document: CID of the ciphertext, SHA-256 and size in bytes of the plaintext, and the HPKE-wrapped key
    for each reader (reader name → wrap)."""

    cid: str
    sha256: bytes
    size: int
    media_type: str
    wraps: Mapping[str, bytes]


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


@dataclass(frozen=True)
class RecordedEntry:
    """An entry as the chain recorded it. `entry` is its JSON form (ledger/entries.py), approvers ascending."""

    record_id: bytes
    entry: Mapping[str, Any]
    approvers: tuple[str, ...]
    block_number: int
    log_index: int
    transaction_hash: bytes


class Place(NamedTuple):
    """Where an entry stands in the order of its register's log."""

    block_number: int
    log_index: int
