"""UnixFS trees as IPFS nodes keep them: documents read block by block, and directories that hold documents together.

Sources: specs.ipfs.tech/unixfs, ipld.io/specs/codecs/dag-pb/spec. Trees are read in the one form in which ledger.cid
writes them; what only looks alike is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import TypeVar

from ledger.cid import DAG_PB, RAW, Block, Cid, Link, bytes_field, file_node, number_field, parse
from ledger.errors import BadInput, DocumentCorrupt, DocumentMissing, TooLarge

MAX_BLOCK = 2 << 20  # bytes: IPFS nodes exchange none that are larger
MAX_ENTRIES = 4096  # documents of a directory, so that its block stays well below MAX_BLOCK
MAX_TOGETHER = 32 << 20  # bytes of documents that are held in memory and stored at once

_DIRECTORY = b"\x08\x01"
_MAX_DEPTH = 6

Fetch = Callable[[Cid, int], bytes]
T = TypeVar("T")


def read(root: Cid, size_limit: int, fetch: Fetch) -> Iterator[bytes]:
    """A document in pieces of a leaf each, which is checked before it is yielded. `fetch(cid, limit)` gives the bytes
    of a block, cut after `limit` + 1. Raises DocumentCorrupt, TooLarge, and what `fetch` raises."""
    limit = min(size_limit, MAX_BLOCK) if root.codec == RAW else MAX_BLOCK
    data = fetch(root, limit)
    if len(data) > limit and limit < MAX_BLOCK:
        raise _too_large(root, size_limit)
    _check(root, root, data)
    if root.codec == RAW:
        yield data
        return
    links = file_links(root, data)
    if sum(link.size for link in links) > size_limit:
        raise _too_large(root, size_limit)
    yield from _leaves(root, links, fetch, _MAX_DEPTH)


def tree(root: Cid, fetch: Fetch) -> Iterator[Cid]:
    """The CIDs of a document's blocks, as far as they can be reached: what lies below a block that is missing or
    damaged is not known. Raises what else `fetch` does."""
    yield root
    if root.codec == RAW:
        return
    try:
        links = file_links(root, block(root, fetch))
    except (DocumentCorrupt, DocumentMissing):
        return
    for link in links:
        yield from tree(link.cid, fetch)


def block(cid: Cid, fetch: Fetch) -> bytes:
    """The bytes of a block, checked. Raises DocumentCorrupt and what `fetch` raises."""
    data = fetch(cid, MAX_BLOCK)
    _check(cid, cid, data)
    return data


def file_links(root: Cid, node: bytes) -> list[Link]:
    """The children of a node of the document `root`. Raises DocumentCorrupt where it is none in our form."""
    try:
        links, data = _node(node)
        sizes = [value for field, value in _fields(data) if field == 4 and isinstance(value, int)]
        children = [Link(cid, size, total) for (_, cid, total), size in zip(links, sizes, strict=True)]
    except (BadInput, ValueError, KeyError) as error:
        raise _corrupt(root) from error
    # No leaf is empty, or a few blocks could stand for a walk without end.
    if not children or 0 in sizes or file_node(children) != node:
        raise _corrupt(root)
    return children


def directory(totals: Mapping[Cid, int]) -> Block:
    """The block of a directory of at most MAX_ENTRIES documents, each under its own CID as its name. `totals` are the
    bytes of all blocks of each."""
    entries = sorted((str(cid), cid, total) for cid, total in totals.items())
    links = [
        bytes_field(2, bytes_field(1, cid.binary) + bytes_field(2, name.encode()) + number_field(3, total))
        for name, cid, total in entries
    ]
    node = b"".join(links) + bytes_field(1, _DIRECTORY)
    return Block(Cid(DAG_PB, sha256(node).digest()), node)


def is_file(node: bytes) -> bool:
    """Whether a node is the root of a document of more than one chunk."""
    try:
        return bool(file_links(Cid(DAG_PB, bytes(32)), node))
    except DocumentCorrupt:
        return False


def documents_of(node: bytes) -> dict[Cid, int] | None:
    """What `directory` was given for this block, or None where it is not such a directory."""
    try:
        links, _ = _node(node)
    except (BadInput, ValueError, KeyError):
        return None
    totals = {cid: total for _, cid, total in links}
    return totals if directory(totals).data == node else None


def batches(items: Iterable[T], size: Callable[[T], int], together: int = MAX_TOGETHER) -> Iterator[list[T]]:
    """Lists of at most MAX_ENTRIES, and of no more than `together` bytes where they have more than one item."""
    batch, filled = list[T](), 0
    for item in items:
        if batch and (len(batch) == MAX_ENTRIES or filled + size(item) > together):
            yield batch
            batch, filled = [], 0
        batch.append(item)
        filled += size(item)
    if batch:
        yield batch


def _leaves(root: Cid, links: list[Link], fetch: Fetch, depth: int) -> Iterator[bytes]:
    if not depth:
        raise _corrupt(root)
    for link in links:
        limit = min(link.size, MAX_BLOCK) if link.cid.codec == RAW else MAX_BLOCK
        data = fetch(link.cid, limit)
        _check(root, link.cid, data)
        if link.cid.codec == RAW:
            if len(data) != link.size:
                raise _corrupt(root)
            yield data
            continue
        below = file_links(root, data)
        if sum(child.size for child in below) != link.size:
            raise _corrupt(root)
        yield from _leaves(root, below, fetch, depth - 1)


def _check(root: Cid, cid: Cid, data: bytes) -> None:
    if len(data) > MAX_BLOCK or sha256(data).digest() != cid.digest:
        raise _corrupt(root)


def _node(node: bytes) -> tuple[list[tuple[str, Cid, int]], bytes]:
    """Links (name, CID, total) and data of a dag-pb node."""
    links, data = list[tuple[str, Cid, int]](), b""
    for field, value in _fields(node):
        if not isinstance(value, bytes):
            raise ValueError
        if field == 1:
            data = value
            continue
        parts = dict(_fields(value))
        name, cid, total = parts[2], parts[1], parts[3]
        if not isinstance(cid, bytes) or not isinstance(name, bytes) or not isinstance(total, int):
            raise ValueError
        links.append((name.decode(), parse("f" + cid.hex()), total))
    return links, data


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values of a protobuf message of numbers and bytes. Raises ValueError."""
    at = 0

    def number() -> int:
        nonlocal at
        value = 0
        for shift in range(0, 70, 7):
            if at == len(message):
                raise ValueError
            byte, at = message[at], at + 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError

    while at < len(message):
        key = number()
        value: int | bytes = number()
        if key & 7 == 2:
            assert isinstance(value, int)
            end = at + value
            if end > len(message):
                raise ValueError
            value, at = message[at:end], end
        elif key & 7:
            raise ValueError
        yield key >> 3, value


def _too_large(root: Cid, size_limit: int) -> TooLarge:
    return TooLarge(f"Document {root} is larger than {size_limit} bytes.", "Raise the limit if it should be.")


def _corrupt(root: Cid) -> DocumentCorrupt:
    return DocumentCorrupt(
        f"The bytes that came for document {root} are not that document.",
        "Fetch it again, or from another store: the copy is damaged, or was stored under another UnixFS profile.",
    )
