"""DocumentStore in an IPFS node (Kubo). What the node answers is checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ledger import car, unixfs
from ledger.adapters.kubo_node import KuboNode
from ledger.cid import DAG_PB, RAW, Cid, blocks, parse
from ledger.errors import DocumentCorrupt, DocumentMissing


class KuboStore:
    """Implements ledger.ports.DocumentStore. Threads may share one. It is as durable as the node: see the warning in
    KuboNode. "Missing" means that this node does not hold the document.

    A document is kept by a pin of its own, or with others by the pin of a directory that names each by its CID.
    """

    name = "kubo"

    def __init__(self, address: str, timeout: float = 30.0) -> None:
        """`address` is the multiaddr of the node's RPC API, as /ip4/127.0.0.1/tcp/5001; `timeout` is seconds a call.
        The node is not contacted yet. Raises ConfigurationError."""
        self.address = address
        self._node = KuboNode(address, timeout)

    def put(self, data: bytes) -> str:
        return self.put_stream((data,))

    def put_stream(self, pieces: Iterable[bytes]) -> str:
        roots = list[Cid]()

        def leaves() -> Iterator[bytes | memoryview]:
            for block in blocks(pieces):
                roots[:] = [block.cid]
                if block.cid.codec == RAW:
                    yield block.data

        answered = self._node.add(leaves())
        _check_answer(answered, *roots)
        return str(answered)

    def put_known(self, cid: str, pieces: Iterable[bytes | memoryview]) -> None:
        """As `put_stream`, of a document whose CID is known: nothing is stored where `pieces` raise an error."""
        _check_answer(self._node.add(pieces), parse(cid))

    def put_many(self, documents: Iterable[bytes]) -> list[str]:
        """One archive for some thousand documents, whose root is a directory of them: a pin for all."""
        cids = list[str]()
        for batch in unixfs.batches(documents, len):
            archive = car.Writer()
            sections = list[bytes | memoryview]()
            for data in batch:
                tree = list(blocks(data))
                sections += archive.add(tree)
                cids.append(str(tree[-1].cid))
            root = unixfs.directory(archive.documents)
            body = [car.header(root.cid), *sections, *car.section(root)]
            _check_answer(self._node.import_car(body), root.cid)
        return cids

    def get(self, cid: str, size_limit: int) -> bytes:
        return b"".join(self.read(cid, size_limit))

    def read(self, cid: str, size_limit: int) -> Iterator[bytes]:
        return unixfs.read(parse(cid), size_limit, self._node.block)

    def has(self, cid: str) -> bool:
        """Whether the node holds the root block."""
        return self._node.has_block(parse(cid))

    def cids(self) -> Iterator[str]:
        """What pins keep. A pinned root that cannot be read is listed as if it were a document."""
        found = {cid for _, documents in self._pinned() for cid in documents}
        return (str(cid) for cid in found)

    def delete(self, cid: str) -> None:
        wanted = parse(cid)
        tree = list(unixfs.tree(wanted, self._node.block))
        self._node.unpin(wanted)
        for root, documents in self._pinned():
            if wanted in documents:
                self._replace(root, {other: total for other, total in documents.items() if other != wanted})
        self._node.remove_blocks(tree)

    def block(self, cid: Cid, limit: int) -> bytes:
        """One block, unchecked, cut after `limit` + 1 bytes. Raises DocumentMissing."""
        return self._node.block(cid, limit)

    def _pinned(self) -> Iterator[tuple[Cid, dict[Cid, int]]]:
        """Each pinned root with the documents that it keeps."""
        return ((root, self._kept_by(root)) for root in self._node.pins())

    def _kept_by(self, root: Cid) -> dict[Cid, int]:
        if root.codec == DAG_PB:
            try:
                data = unixfs.block(root, self._node.block)
            except (DocumentMissing, DocumentCorrupt):
                return {root: 0}
            documents = unixfs.documents_of(data)
            if documents is not None:
                return documents
            if not unixfs.is_file(data):
                return {}  # another program's pin on the same node
        return {root: 0}

    def _replace(self, old: Cid, documents: dict[Cid, int]) -> None:
        """Pin a directory without a document in place of the one with it."""
        if documents:
            new = unixfs.directory(documents)
            self._node.put_node(new.data)
            self._node.pin_instead(new.cid, old)
        else:
            self._node.unpin(old)
        self._node.remove_blocks([old])


def _check_answer(answered: Cid, expected: Cid) -> None:
    if answered != expected:
        raise DocumentCorrupt(
            f"The IPFS node stored document {expected} as {answered}.", "Check its version and its Import settings."
        )
