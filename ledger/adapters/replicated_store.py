"""DocumentStore of an office: a copy in its own folder first, then copies on any number of IPFS nodes.

A document is durable here when `put` returns, whether or not a node answers. `run_once` brings it to the nodes; what
waits for that is `below_quorum`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import structlog

from ledger import unixfs
from ledger.adapters.directory_store import DirectoryStore
from ledger.adapters.kubo_store import KuboStore
from ledger.adapters.replica_table import HERE, ReplicaTable
from ledger.cid import RAW, Cid, normalise, parse
from ledger.errors import (
    ConfigurationError,
    DocumentCorrupt,
    DocumentMissing,
    DocumentStoreUnavailable,
    KhalayakError,
    TooLarge,
)

ANY_SIZE = 1 << 50
MAX_PAUSE_SECONDS = 60.0
AT_ONCE = 8 << 20  # bytes of small documents in one call to a node; as many more are read meanwhile
CALLS = 2  # at a time: a node mostly waits for its disk
_ANY = (DocumentStoreUnavailable, TooLarge, DocumentCorrupt, DocumentMissing)  # the gravest first: it cannot tell
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class NodeState:
    """What is to be done at a node: how many documents, since when (seconds since 1970, 0 for nothing), and the reason
    why the last attempt failed, empty where it did not."""

    address: str
    waiting: int
    since: int
    problem: str


class ReplicatedStore:
    """Implements ledger.ports.ReplicatedDocuments. Threads may share one; processes may share its folder."""

    def __init__(self, local: DirectoryStore, nodes: Sequence[KuboStore], quorum: int, table: Path) -> None:
        """`quorum` is how many nodes must hold a document before an application goes on; 0 stands for more than half
        of them. Raises ConfigurationError, DocumentStoreUnavailable."""
        if quorum > len(nodes):
            raise ConfigurationError(
                f"{quorum} IPFS nodes are to hold each document, and {len(nodes)} are named.",
                "Set KHALAYAK_DOCUMENTS and KHALAYAK_DOCUMENTS_QUORUM so that they agree.",
            )
        self.local, self.nodes = local, tuple(nodes)
        self.quorum = quorum or (len(nodes) // 2 + 1 if nodes else 0)
        self.name = f"directory, {len(nodes)} kubo" if nodes else local.name
        self.table = ReplicaTable(table, [node.address for node in nodes])
        self._problems: dict[str, str] = {}
        self._pauses: dict[str, tuple[float, float]] = {}  # length, end
        if self.table.empty:
            self.adopt(local.cids())

    def put(self, data: bytes) -> str:
        return self._kept([self.local.put(data)])[0]

    def put_stream(self, pieces: Iterable[bytes]) -> str:
        return self._kept([self.local.put_stream(pieces)])[0]

    def put_many(self, documents: Iterable[bytes]) -> list[str]:
        return [cid for batch in unixfs.batches(documents, len) for cid in self._kept(self.local.put_many(batch))]

    def get(self, cid: str, size_limit: int) -> bytes:
        return b"".join(self.read(cid, size_limit))

    def read(self, cid: str, size_limit: int) -> Iterator[bytes]:
        """From here; where this copy is missing or damaged, block by block from whichever node has it."""
        wanted = parse(cid)
        if self.table.is_erased(str(wanted)):
            raise DocumentMissing(f"Document {wanted} was erased.", "Nothing brings it back.")
        given = 0
        try:
            for piece in self.local.read(str(wanted), size_limit):
                given += len(piece)
                yield piece
            return
        except _ANY as error:
            if not self.nodes:
                raise
            _log.warning("document_read_from_nodes", cid=str(wanted), reason=error.message)
            here = error
        try:
            for piece in unixfs.read(wanted, size_limit, self._block):
                if given < len(piece):
                    yield piece[given:]
                given = max(0, given - len(piece))
        except _ANY as error:
            raise _gravest([here, error]) from error

    def has(self, cid: str) -> bool:
        cid = normalise(cid)
        if self.table.is_erased(cid):
            return False
        return self.local.has(cid) or any(node.has(cid) for node in self._best_first())

    def cids(self) -> Iterator[str]:
        return self.table.kept(HERE)

    def delete(self, cid: str) -> None:
        """Gone here when it returns, and from each node that answers once `run_once` has asked it."""
        cid = normalise(cid)
        self.table.erase(cid)
        self.local.delete(cid)

    def adopt(self, cids: Iterable[str]) -> None:
        """Keep documents that other books name, or that were laid into the folder. What was erased stays so."""
        self.table.keep(cid for cid in cids if not self.table.is_erased(cid))

    def below_quorum(self, cids: Iterable[str]) -> list[str]:
        """Which of these are not on as many nodes as they must be, or not known to be."""
        return [cid for cid in map(normalise, cids) if self._copies(cid) < self.quorum] if self.quorum else []

    def run_once(self) -> bool:
        """Bring to each node the next of what it lacks. Whether something was done: call again for the rest. A node
        that does not take it is asked again after a pause, and says why in `states`; nothing is raised for it."""
        done = [self.run_node(node) for node in self.nodes]
        return any(done)

    def run_node(self, node: KuboStore) -> bool:
        """As `run_once`, for one node."""
        length, end = self._pauses.get(node.address, (0.5, 0.0))
        if time.monotonic() < end:
            return False
        try:
            done = self._bring(node, self.table.due(node.address, unixfs.MAX_ENTRIES))
        except (DocumentStoreUnavailable, DocumentCorrupt) as error:
            length = min(2 * length, MAX_PAUSE_SECONDS)
            self._pauses[node.address] = (length, time.monotonic() + length)
            self._note(node, error.message)
            return False
        self._pauses.pop(node.address, None)
        self._note(node, "")
        return done

    def waiting(self) -> int | None:
        """How much is to be done at all nodes together; None where there is none."""
        return sum(self.table.waiting(node.address)[0] for node in self.nodes) if self.nodes else None

    def states(self) -> list[NodeState]:
        found = ((node, self.table.waiting(node.address)) for node in self.nodes)
        return [NodeState(node.address, *waiting, self._problems.get(node.address, "")) for node, waiting in found]

    def close(self) -> None:
        self.table.close()

    def _kept(self, cids: list[str]) -> list[str]:
        self.table.keep(cids)
        return cids

    def _copies(self, cid: str) -> int:
        known = self.table.copies(cid)
        if known is not None:
            return known
        # Another machine of this office has accepted it and brings it to the nodes.
        return sum(self._holds(node, cid) for node in self.nodes)

    def _holds(self, node: KuboStore, cid: str) -> bool:
        try:
            return node.has(cid)
        except DocumentStoreUnavailable:
            return False

    def _bring(self, node: KuboStore, due: list[tuple[str, str]]) -> bool:
        done = False
        for cid in (cid for cid, state in due if state == "erasing"):
            node.delete(cid)
            self.table.forget(node.address, cid)
            done = True
        waiting = [cid for cid, state in due if state == "waiting"]
        done |= self._bring_small(node, [cid for cid in waiting if parse(cid).codec == RAW])
        for cid in waiting:
            if parse(cid).codec != RAW:
                done |= self._bring_big(node, cid)
        return done

    def _bring_small(self, node: KuboStore, cids: Iterable[str]) -> bool:
        done, calls = False, deque[Future[None]]()
        with ThreadPoolExecutor(CALLS) as pool:
            for batch in unixfs.batches(self._readable(node, cids), lambda item: len(item[1]), AT_ONCE):
                if len(calls) == CALLS:
                    calls.popleft().result()
                calls.append(pool.submit(self._bring_batch, node, batch))
                done = True
            for call in calls:
                call.result()
        return done

    def _bring_batch(self, node: KuboStore, batch: list[tuple[str, bytes]]) -> None:
        node.put_many([data for _, data in batch])
        self.table.settle(node.address, [cid for cid, _ in batch])

    def _readable(self, node: KuboStore, cids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Those documents that can be read; the others wait longer, and hold up nobody."""
        for cid in cids:
            try:
                yield cid, self._copy(cid)
            except KhalayakError as error:
                self._postpone(node, cid, error)

    def _copy(self, cid: str) -> bytes:
        try:
            return self.local.get(cid, ANY_SIZE)
        except _ANY:
            return self.get(cid, ANY_SIZE)

    def _bring_big(self, node: KuboStore, cid: str) -> bool:
        broken = list[KhalayakError]()

        def source(pieces: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
            try:
                yield from pieces
            except KhalayakError as error:
                broken.append(error)
                raise

        # The node pins nothing when a source breaks off, be it at its end.
        for read in (self.local.read_once, self.read):
            broken.clear()
            try:
                node.put_known(cid, source(read(cid, ANY_SIZE)))
            except KhalayakError:
                if not broken:
                    raise
            else:
                self.table.settle(node.address, [cid])
                return True
        self._postpone(node, cid, broken[0])
        return False

    def _postpone(self, node: KuboStore, cid: str, error: KhalayakError) -> None:
        self.table.postpone(node.address, cid)
        _log.error("document_unreadable", cid=cid, node=node.address, reason=error.message)

    def _block(self, cid: Cid, limit: int) -> bytes:
        """A block from the first node whose copy is right."""
        errors, longer = list[KhalayakError](), b""
        for node in self._best_first():
            try:
                data = node.block(cid, limit)
            except DocumentMissing as error:
                errors.append(error)
            except DocumentStoreUnavailable as error:
                self._note(node, error.message)
                errors.append(error)
            else:
                if sha256(data).digest() == cid.digest:
                    return data
                longer = data if len(data) > limit else longer
                errors.append(DocumentCorrupt(f"The bytes of {cid} at {node.address} are others.", "Run an audit."))
                _log.error("document_corrupt", cid=str(cid), node=node.address)
        if longer:
            return longer  # too large, or noise: the caller knows what size it may have
        raise _gravest(errors)

    def _best_first(self) -> list[KuboStore]:
        """The nodes, those that failed last behind the others."""
        return sorted(self.nodes, key=lambda node: bool(self._problems.get(node.address)))

    def _note(self, node: KuboStore, problem: str) -> None:
        """Raise or end an alarm, once."""
        if problem != self._problems.get(node.address, ""):
            self._problems[node.address] = problem
            waiting, _ = self.table.waiting(node.address)
            if problem:
                _log.error("documents_wait", node=node.address, reason=problem, waiting=waiting)
            else:
                _log.info("documents_flow", node=node.address, waiting=waiting)


def _gravest(errors: list[KhalayakError]) -> KhalayakError:
    return min(errors, key=lambda error: next(i for i, kind in enumerate(_ANY) if isinstance(error, kind)))
