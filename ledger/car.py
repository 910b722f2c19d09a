"""CARv1 archives (ipld.io/specs/transport/car/carv1) of documents: one root, a directory of them.

Written for `dag import` of an IPFS node and as an exit from any store; read with nothing believed and within limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from ledger import unixfs
from ledger.cid import RAW, Block, Cid, parse, varint
from ledger.errors import BadInput, DocumentCorrupt, TooLarge

MAX_BLOCKS = 65_536  # of one archive: 64 GiB in leaves of 1 MiB

_HEAD, _TAIL = b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x00", b"\x67version\x01"  # dag-cbor, around a CID of 36 bytes
HEADER_SIZE = 1 + len(_HEAD) + 36 + len(_TAIL)


class Writer:
    """The blocks of one archive, each once, then their directory. `documents` are those taken so far."""

    def __init__(self) -> None:
        self.documents: dict[Cid, int] = {}
        self._written: set[bytes] = set()

    def add(self, tree: Iterable[Block]) -> Iterator[bytes | memoryview]:
        """The sections of a document's blocks (ledger.cid.blocks)."""
        total = 0
        for block in tree:
            total += len(block.data)
            root = block.cid
            if block.cid.digest not in self._written:
                self._written.add(block.cid.digest)
                yield from section(block)
        self.documents[root] = total

    @property
    def has_room(self) -> bool:
        """Whether a document of at least a GiB fits in."""
        return len(self.documents) < unixfs.MAX_ENTRIES and len(self._written) < MAX_BLOCKS - 1100


def header(root: Cid) -> bytes:
    return varint(HEADER_SIZE - 1) + _HEAD + root.binary + _TAIL


def section(block: Block) -> Iterator[bytes | memoryview]:
    yield varint(36 + len(block.data)) + block.cid.binary
    yield block.data


@dataclass(frozen=True)
class Archive:
    """A CAR whose every block hashes to its CID. `sizes` are the bytes of each document of its directory."""

    file: BinaryIO
    index: dict[Cid, tuple[int, int]]
    sizes: dict[Cid, int]

    @classmethod
    def open(cls, file: BinaryIO) -> Archive:
        """Read a file that can seek, in flat memory, and check all of it before any document is read. Raises BadInput,
        TooLarge."""
        root, index = _scan(file)
        archive = cls(file, index, {})
        documents = unixfs.documents_of(archive.block(root, unixfs.MAX_BLOCK)) if root.codec != RAW else None
        if documents is None:
            raise _bad("its root is no directory of documents by their CIDs")
        reached = {root}
        for cid in documents:
            archive.sizes[cid] = archive._measure(cid, reached)
        if len(reached) != len(index):
            raise _bad(f"{len(index) - len(reached)} of its blocks belong to no document")
        return archive

    def read(self, cid: Cid) -> Iterator[bytes]:
        return unixfs.read(cid, self.sizes[cid], self.block)

    def block(self, cid: Cid, limit: int) -> bytes:
        if cid not in self.index:
            raise _bad(f"block {cid} is not in it")
        at, length = self.index[cid]
        self.file.seek(at)
        return self.file.read(min(length, limit + 1))

    def _measure(self, root: Cid, reached: set[Cid]) -> int:
        """The size of a document; its blocks are added to `reached`. Leaves are not read again."""
        level, size, visits = [root], 0, 0
        while level:
            cid = level.pop()
            visits += 1
            if visits > MAX_BLOCKS:
                raise TooLarge(f"Document {root} of the archive has more than {MAX_BLOCKS} blocks.", "It is refused.")
            reached.add(cid)
            data = self.block(cid, unixfs.MAX_BLOCK if cid.codec != RAW else 0)
            if cid.codec == RAW:
                size += self.index[cid][1]
                continue
            try:
                level += [link.cid for link in unixfs.file_links(root, data)]
            except DocumentCorrupt as error:
                raise _bad(f"document {root} has a node of another form") from error
        return size


def _scan(file: BinaryIO) -> tuple[Cid, dict[Cid, tuple[int, int]]]:
    """The root, and where the bytes of each block lie."""
    head = file.read(HEADER_SIZE)
    try:
        root = parse("f" + head[1 + len(_HEAD) :][:36].hex())
    except BadInput:
        root = None
    if root is None or head != header(root):
        raise _bad("it does not begin as CAR version 1 with one root")
    index: dict[Cid, tuple[int, int]] = {}
    at = HEADER_SIZE
    while True:
        file.seek(at)
        start = file.read(10 + 36)
        if not start:
            break
        if len(index) == MAX_BLOCKS:
            raise TooLarge(f"The archive has more than {MAX_BLOCKS} blocks.", "Export it in parts.")
        length, used = _number(start)
        cid = _cid(start[used : used + 36], at)
        at += used + length
        if not 36 <= length <= 36 + unixfs.MAX_BLOCK:
            raise _bad(f"block {cid} has a size that no block has")
        file.seek(at - length + 36)
        data = file.read(length - 36)
        if len(data) != length - 36:
            raise _bad(f"it is cut off in block {cid}")
        if sha256(data).digest() != cid.digest:
            raise _bad(f"the bytes of block {cid} are others")
        if cid in index:
            raise _bad(f"block {cid} is in it twice")
        index[cid] = (at - len(data), len(data))
    if root not in index:
        raise _bad(f"its root {root} is not in it")
    return root, index


def _number(start: bytes) -> tuple[int, int]:
    """An unsigned varint and its length."""
    value = 0
    for i, byte in enumerate(start[:10]):
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, i + 1
    raise _bad("the size of a block cannot be read")


def _cid(binary: bytes, at: int) -> Cid:
    try:
        return parse("f" + binary.hex())
    except BadInput as error:
        raise _bad(f"at byte {at} there is no CID that is read here") from error


def _bad(why: str) -> BadInput:
    return BadInput(f"The archive cannot be used: {why}.", "Nothing was stored. Fetch it again, or export it anew.")
