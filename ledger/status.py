"""The health of an office: what its parts say of themselves, and what that means. What could not be asked is "cannot
tell" with the reason, and never taken for something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ledger.model import ApplicationState, Block, Lease, Nonces, Waiting

State = Literal["fine", "troubled", "unknown"]

QUEUE_SECONDS = 600  # that an application may wait for the office itself, or a transaction for a block
FINALITY_SECONDS = 1_800  # Ethereum's own is 768 to 1,152
WORKER_SECONDS = 300
LAG_BLOCKS = 64
TRANSACTION_GAS = 500_000  # six single titles, or a batch of many: what a relayer should be able to pay for

# Every obstacle by its stable name, and whether it says that nothing can be told. docs/operations.md says what to do.
OBSTACLES: Mapping[str, State] = {
    "database-unreachable": "unknown",
    "schema-mismatch": "troubled",
    "queue-stuck": "troubled",
    "no-worker": "troubled",
    "node-unreachable": "unknown",
    "chain-mismatch": "troubled",
    "node-contradicts-itself": "troubled",
    "no-finality": "troubled",
    "finality-late": "troubled",
    "register-behind": "troubled",
    "verify-only": "troubled",
    "publisher-waits": "troubled",
    "out-of-funds": "troubled",
    "nonce-stuck": "troubled",
    "database-behind-chain": "troubled",
    "documents-unreachable": "unknown",
}


class Obstacle(NamedTuple):
    """`name` is one of OBSTACLES, `reason` a sentence with the figures and no personal data."""

    name: str
    reason: str


@dataclass(frozen=True)
class Part:
    """`figures` are JSON values: ages in seconds, amounts in wei as text. What is not known is left out."""

    name: str
    figures: Mapping[str, Any]
    obstacles: Sequence[Obstacle] = ()

    @property
    def state(self) -> State:
        return _worst([OBSTACLES[obstacle.name] for obstacle in self.obstacles])


@dataclass(frozen=True)
class Status:
    """As of `time`, in seconds since 1970."""

    time: int
    parts: Sequence[Part]

    @property
    def state(self) -> State:
        return _worst([part.state for part in self.parts])

    def as_json(self) -> dict[str, Any]:
        parts = {
            part.name: {
                "state": part.state,
                "obstacles": [obstacle._asdict() for obstacle in part.obstacles],
                **part.figures,
            }
            for part in self.parts
        }
        return {"time": self.time, "state": self.state, "parts": parts}


class Relayer(NamedTuple):
    """One relayer key, by the database and, where the node answers, by the chain: its next nonce and its wei."""

    address: str
    nonces: Nonces
    next_nonce: int | None = None
    balance: int | None = None


def database_part(schema: tuple[str, str]) -> Part:
    found, expected = schema
    figures = {"schema": found, "programSchema": expected}
    if found == expected:
        return Part("database", figures)
    return Part(
        "database",
        figures,
        [Obstacle("schema-mismatch", f"The schema is {found}, and this program is written for {expected}.")],
    )


def queue_part(waiting: Mapping[ApplicationState, Waiting], leases: Sequence[Lease], worker: str, now: int) -> Part:
    """`worker` is the lease that whoever runs the office's steps renews with each."""
    ages: dict[str, int] = {state: max(0, now - item.since) for state, item in waiting.items()}
    figures = {
        "waiting": {state: {"number": waiting[state].number, "oldestSeconds": ages[state]} for state in waiting},
        "leases": [lease._asdict() for lease in leases],
    }
    obstacles = [
        Obstacle("queue-stuck", f"An application has been {state} for {_minutes(ages[state])}.")
        for state in ("approved", "final")
        if ages.get(state, 0) > QUEUE_SECONDS
    ]
    left = next((lease.seconds for lease in leases if lease.name == worker), None)
    if left is None or left < -WORKER_SECONDS:
        since = "yet" if left is None else f"for {_minutes(-left)}"
        obstacles.append(Obstacle("no-worker", f"No worker has run {since}."))
    return Part("queue", figures, obstacles)


def chain_part(latest: Block, final: Block | None, followed: Mapping[str, int | None], now: int) -> Part:
    """`followed` is the last block that was read of each register, by its kind."""
    figures: dict[str, Any] = {"latest": latest.number, "followed": dict(followed)}
    if final is None:
        return Part("chain", figures, [Obstacle("no-finality", "The node calls no block final.")])
    age, obstacles = max(0, now - final.time), []
    lags = {kind: max(0, final.number - (-1 if block is None else block)) for kind, block in followed.items()}
    # A chain without transactions may make no blocks: where the newest is final, nothing waits for finality.
    if final.number < latest.number and age > FINALITY_SECONDS:
        obstacles.append(Obstacle("finality-late", f"Finality is {_minutes(age)} old."))
    for kind, lag in lags.items():
        if followed[kind] is None:
            obstacles.append(Obstacle("register-behind", f"The register {kind} has not been read yet."))
        elif lag > LAG_BLOCKS:
            obstacles.append(Obstacle("register-behind", f"The register {kind} is {lag} final blocks behind."))
    return Part("chain", {**figures, "final": final.number, "finalitySeconds": age, "lag": lags}, obstacles)


def publisher_part(relayers: Sequence[Relayer], max_fee: int | None, now: int, told: Sequence[Obstacle]) -> Part:
    """`max_fee` is in wei a gas, None where the node does not answer; `told` is what else is known of the publisher."""
    obstacles = [*told, *(found for relayer in relayers for found in _relayer_obstacles(relayer, max_fee, now))]
    return Part("publisher", {"relayers": {relayer.address: _figures(relayer, now) for relayer in relayers}}, obstacles)


def _figures(relayer: Relayer, now: int) -> dict[str, Any]:
    nonces = relayer.nonces
    figures = {
        "signed": nonces.signed,
        "sent": nonces.sent,
        "included": nonces.included,
        "highestNonce": nonces.highest,
        "lowestUnmined": nonces.lowest_unmined,
        "unminedSeconds": None if nonces.since is None else max(0, now - nonces.since),
        "nextNonce": relayer.next_nonce,
        "balance": None if relayer.balance is None else str(relayer.balance),
    }
    return {name: value for name, value in figures.items() if value is not None}


def _relayer_obstacles(relayer: Relayer, max_fee: int | None, now: int) -> list[Obstacle]:
    address, nonces, found = relayer.address, relayer.nonces, []
    if relayer.balance is not None and max_fee is not None and relayer.balance < max_fee * TRANSACTION_GAS:
        found.append(Obstacle("out-of-funds", f"{address} has {relayer.balance} wei left."))
    if nonces.since is not None and now - nonces.since > QUEUE_SECONDS:
        age = _minutes(now - nonces.since)
        found.append(Obstacle("nonce-stuck", f"Nonce {nonces.lowest_unmined} of {address} waits for {age}."))
    known = -1 if nonces.highest is None else nonces.highest
    if relayer.next_nonce is not None and relayer.next_nonce > known + 1:
        unknown = relayer.next_nonce - known - 1
        reason = f"The chain is ahead of the database: {address} has sent {unknown} transactions that it does not hold."
        found.append(Obstacle("database-behind-chain", reason))
    return found


def documents_part(store: str, waiting: int | None, told: Sequence[Obstacle]) -> Part:
    """`waiting` is how many documents are still to be replicated, None for a store that replicates nothing."""
    return Part("documents", {"store": store} | ({} if waiting is None else {"waiting": waiting}), told)


def _worst(states: Sequence[State]) -> State:
    return "troubled" if "troubled" in states else "unknown" if "unknown" in states else "fine"


def _minutes(seconds: int) -> str:
    return f"{seconds // 60:,} minutes"
