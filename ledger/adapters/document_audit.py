"""Audit of an office's documents: each is read here and at every node, and what is wrong is mended from a good copy.

A node never writes over a damaged block, so a document with one is deleted there first. What a node still waits for is
no finding, and a node that does not answer says nothing about a document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from ledger import unixfs
from ledger.adapters.kubo_store import KuboStore
from ledger.adapters.replica_table import HERE
from ledger.adapters.replicated_store import ANY_SIZE, ReplicatedStore
from ledger.cid import RAW, parse
from ledger.errors import DocumentCorrupt, DocumentMissing, DocumentStoreUnavailable, TooLarge
from ledger.ports import DocumentStore

Fault = Literal["missing", "corrupt", "unpinned", "unreachable"]
_MAX_ROUNDS = 4  # a damaged node of a tree hides what is damaged below it, and a tree has no more levels


@dataclass(frozen=True)
class Finding:
    """What was wrong with the copy of a document at a place, HERE or a node's address, and whether it is right now;
    None where that cannot be told. `cid` is empty for a node that did not answer."""

    cid: str
    place: str
    fault: Fault
    mended: bool | None


def audit(
    store: ReplicatedStore, others: Iterable[str] = (), progress: Callable[[int], None] = lambda count: None
) -> Iterator[Finding]:
    """All findings, and the mending. `others` are documents that the office keeps by other books, as its database.
    `progress` is called with the copies that were read since the last call, of `1 + len(store.nodes)` for each
    document. Run again, it goes on where it stopped. Raises DocumentStoreUnavailable for the office's own folder."""
    for cid in store.local.cids():
        if store.table.is_erased(cid):
            store.local.delete(cid)  # the office was killed in between
    store.adopt(chain(store.local.cids(), others))
    lost = set[str]()
    for cid in store.cids():
        fault = _fault(store.local, cid)
        if fault and not store.table.is_erased(cid):
            mended = _restore(store, cid)
            if not mended:
                lost.add(cid)
            yield Finding(cid, HERE, fault, mended)
        progress(1)
    for node in store.nodes:
        try:
            yield from _audit_node(store, node, lost, progress)
        except DocumentStoreUnavailable:
            yield Finding("", node.address, "unreachable", None)


def _audit_node(
    store: ReplicatedStore, node: KuboStore, lost: set[str], progress: Callable[[int], None]
) -> Iterator[Finding]:
    # The books first: what is pinned meanwhile is no surprise then, and what was pinned must still be.
    expected = list(store.table.kept(node.address))
    pinned = set(node.cids())
    faults = dict[str, Fault]()
    for cid in expected:
        fault: Fault | None = _fault(node, cid) or (None if cid in pinned else "unpinned")
        if fault and store.table.again(node.address, cid):
            faults[cid] = fault
        progress(1)
    for cid in pinned - set(expected) - set(store.cids()):
        if _is_unreadable_tree(node, cid):
            node.delete(cid)
    for _ in range(_MAX_ROUNDS):
        wrong = {cid for cid in faults if cid not in lost and _fault(node, cid) == "corrupt"}
        for cid in wrong:
            node.delete(cid)
            store.table.again(node.address, cid)
        _bring(store, node)
        if not wrong:
            break
    pinned = set(node.cids()) if faults else set()
    for cid, fault in faults.items():
        yield Finding(cid, node.address, fault, cid in pinned and _fault(node, cid) is None)


def _is_unreadable_tree(node: KuboStore, cid: str) -> bool:
    """A directory that cannot be read keeps nothing, hinders a new one, and no garbage is collected meanwhile."""
    root = parse(cid)
    if root.codec == RAW:
        return False
    try:
        unixfs.block(root, node.block)
    except (DocumentMissing, DocumentCorrupt):
        return True
    return False


def _bring(store: ReplicatedStore, node: KuboStore) -> None:
    """All that the node lacks. Raises DocumentStoreUnavailable where it takes no more."""
    while store.run_node(node):
        pass
    problem = next((state.problem for state in store.states() if state.address == node.address), "")
    if problem:
        raise DocumentStoreUnavailable(problem)


def _restore(store: ReplicatedStore, cid: str) -> bool | None:
    try:
        store.local.put_stream(store.read(cid, ANY_SIZE))
    except DocumentStoreUnavailable:
        return None
    except (DocumentMissing, DocumentCorrupt, TooLarge):
        return False
    return True


def _fault(store: DocumentStore, cid: str) -> Literal["missing", "corrupt"] | None:
    try:
        for _ in store.read(cid, ANY_SIZE):
            pass
    except DocumentMissing:
        return "missing"
    except (DocumentCorrupt, TooLarge):
        return "corrupt"
    return None
