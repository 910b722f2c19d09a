"""The documents of an office over real nodes, for the rows of FAULTS that are about them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ledger.adapters.directory_store import DirectoryStore
from ledger.adapters.kubo_store import KuboStore
from ledger.adapters.replicated_store import ReplicatedStore

MIB = 1 << 20
SMALL, BIG = 20_000, 5 * MIB // 2


def data_of(size: int, seed: str) -> bytes:
    return random.Random(f"{size}{seed}").randbytes(size)


def documents_at(folder: Path, addresses: Sequence[str], quorum: int = 0, timeout: float = 30) -> ReplicatedStore:
    folder.mkdir(exist_ok=True)
    local = DirectoryStore(folder / "documents")
    nodes = [KuboStore(address, timeout) for address in addresses]
    return ReplicatedStore(local, nodes, quorum, folder / "documents.db")


def run_until(store: ReplicatedStore, reached: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, store.states()
        if not store.run_once():
            time.sleep(0.05)


def bring_all(store: ReplicatedStore) -> None:
    """Run until nothing waits at any node."""
    run_until(store, lambda: not store.waiting())


def fail_at(store: ReplicatedStore, node: int) -> None:
    """Run until a node has failed."""
    run_until(store, lambda: bool(store.states()[node].problem))


def forget_here(store: ReplicatedStore, folder: Path, cid: str) -> None:
    """The office's own copy is lost, as with a broken disk."""
    next((folder / "documents").rglob(cid)).unlink()
