"""Asks an office's parts how they are (ledger.status says what the answers mean)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ledger.errors import ChainMismatch, InvalidProof, KhalayakError, NotFound, Unavailable
from ledger.model import ApplicationState, Block, Lease, Nonces, Waiting
from ledger.ports import Chain, Clock, DocumentStore, RecordStore
from ledger.status import (
    Obstacle,
    Part,
    Relayer,
    Status,
    chain_part,
    database_part,
    documents_part,
    publisher_part,
    queue_part,
)
from ledger.trust import TrustRoot

FOLLOWER_LEASE = "follower"  # whoever runs an office's steps renews it with each
_SOME_CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"


@dataclass(frozen=True)
class _Node:
    latest: Block
    final: Block | None
    max_fee: int
    relayers: Mapping[str, tuple[int, int]]  # next nonce and balance


@dataclass(frozen=True)
class _Stored:
    schema: tuple[str, str]
    waiting: Mapping[ApplicationState, Waiting]
    leases: Sequence[Lease]
    nonces: Mapping[str, Nonces]
    followed: Mapping[str, int | None]


@dataclass(frozen=True)
class Health:
    """`check` raises ChainMismatch when the node serves another chain. `closed` says why this office publishes nothing,
    empty where it does; `hindered`, asked only while the node answers, what keeps the publisher from going on, and
    `replicas` how many documents are still to be copied."""

    trust: TrustRoot
    store: RecordStore
    chain: Chain
    documents: DocumentStore
    clock: Clock
    relayers: Sequence[str]
    check: Callable[[], None]
    closed: str = ""
    hindered: Callable[[], Sequence[str]] = field(default=lambda: ())
    replicas: Callable[[], int | None] = field(default=lambda: None)

    def status(self) -> Status:
        """Raises nothing of ours: what does not answer is an obstacle."""
        now = self.clock.now()
        # The chain before the database: whatever is sent in between, the database then knows at least as much.
        node = self._node()
        stored = self._stored()
        return Status(now, [*self._parts(node, stored, now), self._documents()])

    def _parts(self, node: _Node | Obstacle, stored: _Stored | Obstacle, now: int) -> list[Part]:
        away = [item for item in (node, stored) if isinstance(item, Obstacle)]
        followed = {} if isinstance(stored, Obstacle) else stored.followed
        if isinstance(node, Obstacle):
            chain = Part("chain", {"followed": followed}, [node])
        else:
            chain = chain_part(node.latest, node.final, followed, now)
        if isinstance(stored, Obstacle):
            return [*(Part(name, {}, [stored]) for name in ("database", "queue")), chain, Part("publisher", {}, away)]
        told = [Obstacle("verify-only", self.closed)] if self.closed else []
        relayers, max_fee = [Relayer(name, nonces) for name, nonces in stored.nonces.items()], None
        if isinstance(node, _Node):
            # Not without the node: an outage is told as that, and not as something that keeps the publisher.
            told += [Obstacle("publisher-waits", reason) for reason in self.hindered()]
            relayers = [Relayer(name, nonces, *node.relayers[name]) for name, nonces in stored.nonces.items()]
            max_fee = node.max_fee
        return [
            database_part(stored.schema),
            queue_part(stored.waiting, stored.leases, FOLLOWER_LEASE, now),
            chain,
            publisher_part(relayers, max_fee, now, [*away, *told]),
        ]

    def _node(self) -> _Node | Obstacle:
        try:
            self.check()
            latest = self.chain.block("latest")
            relayers = {name: (self.chain.next_nonce(name), self.chain.balance(name)) for name in self.relayers}
            return _Node(latest, self._final(), self.chain.fees().max_fee, relayers)
        except ChainMismatch as error:
            return Obstacle("chain-mismatch", error.message)
        except InvalidProof as error:
            return Obstacle("node-contradicts-itself", error.message)
        except KhalayakError as error:
            return Obstacle("node-unreachable", error.message)

    def _final(self) -> Block | None:
        try:
            return self.chain.block("finalized")
        except NotFound:
            return None

    def _stored(self) -> _Stored | Obstacle:
        store, registers = self.store, self.trust.registers
        try:
            return _Stored(
                store.schema(),
                store.waiting(),
                store.leases(),
                {name: store.nonces(name) for name in self.relayers},
                {register.kind: store.cursor(str(register.name)) for register in registers},
            )
        except Unavailable as error:
            return Obstacle("database-unreachable", error.message)

    def _documents(self) -> Part:
        try:
            self.documents.has(_SOME_CID)
            return documents_part(self.documents.name, self.replicas(), [])
        except KhalayakError as error:
            return documents_part(self.documents.name, None, [Obstacle("documents-unreachable", error.message)])
