"""Content identifiers: CIDv1 of bytes under UnixFS profile `unixfs-v1-2025` (IPIP-499), computed here.

The profile: chunks of 1 MiB, at most 1,024 links a node, raw leaves, SHA-256, balanced dag-pb tree. One chunk needs no
tree: its CID is that of the raw block. Sources: github.com/multiformats/cid, ipld.io/specs/codecs/dag-pb/spec,
specs.ipfs.tech/unixfs.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from ledger.errors import BadInput, DocumentCorrupt

CHUNK_SIZE = 1 << 20
MAX_LINKS = 1024
RAW, DAG_PB = 0x55, 0x70  # the codecs of blocks

_SHA2_256 = b"\x12\x20"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LONGEST_CID = 128
_REMEMBERED = 10_000  # CIDs, for they are written and read again and again while some thousand documents are stored


@dataclass(frozen=True)
class Cid:
    """What a CID says, whatever way it was written. `codec` is 0x55 (raw) or 0x70 (dag-pb); `digest` is 32 bytes."""

    codec: int
    digest: bytes

    @property
    def binary(self) -> bytes:
        """The 36 bytes of CIDv1."""
        return bytes((1, self.codec)) + _SHA2_256 + self.digest

    def __str__(self) -> str:
        """CIDv1 in base32, lower case: the one form that this project writes."""
        return _text(self.binary)


@dataclass(frozen=True)
class Block:
    """One IPLD block. `data` hashes to `cid.digest`."""

    cid: Cid
    data: bytes | memoryview


@dataclass(frozen=True)
class Link:
    """A child as its parent names it. `size` counts bytes of content, `total` those of its block and all below."""

    cid: Cid
    size: int
    total: int


def cid_of(data: bytes | Iterable[bytes], chunk_size: int = CHUNK_SIZE, max_links: int = MAX_LINKS) -> str:
    """CIDv1 of `data`, whole or in pieces, as text. Other sizes than the profile's are for tests with other tools."""
    return str(root_of(blocks(data, chunk_size, max_links)))


def root_of(tree: Iterable[Block]) -> Cid:
    """The CID of the last of some blocks, of which there is one at least."""
    root = None
    for block in tree:
        root = block.cid
    assert root is not None
    return root


def verify(cid: str, data: bytes) -> None:
    """Recompute the CID of `data` and compare. Raises DocumentCorrupt, BadInput (`cid` is none)."""
    expected = parse(cid)
    if parse(cid_of(data)) != expected:
        raise DocumentCorrupt(
            f"The {len(data)} bytes that came for document {expected} are not that document.",
            "Fetch it again, or from another store: the copy is damaged, or was stored under another UnixFS profile.",
        )


def normalise(cid: str) -> str:
    """The text of `cid` as CIDv1 in base32. Raises BadInput."""
    return str(parse(cid))


@lru_cache(_REMEMBERED)
def parse(text: str) -> Cid:
    """Read a CIDv0 or a CIDv1 in base32, base58btc or base16. Raises BadInput, also for another codec or hash."""
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST_CID:
        raise _bad("it is empty, too long or no text")
    if len(text) == 46 and text.startswith("Qm"):
        binary = bytes((1, DAG_PB)) + _base58_decode(text)
    elif text[0] in "bB":
        binary = _base32_decode(text)
    elif text[0] == "z":
        binary = _base58_decode(text[1:])
    elif text[0] in "fF":
        binary = _base16_decode(text[1:])
    else:
        raise _bad("its first letter names no known base")
    if len(binary) != 36 or binary[0] != 1:
        raise _bad("it is cut off, has something appended, or is not of version 0 or 1")
    if binary[1] not in (RAW, DAG_PB) or binary[2:4] != _SHA2_256:
        raise _bad("only raw and dag-pb blocks with a SHA-256 digest are read here")
    return Cid(binary[1], binary[4:])


def blocks(data: bytes | Iterable[bytes], chunk_size: int = CHUNK_SIZE, max_links: int = MAX_LINKS) -> Iterator[Block]:
    """The blocks of a document, whole or in pieces of any size: leaves first in order, then the tree level by level;
    the root is last. Holds one chunk at a time, and some 300 bytes for each chunk before it."""
    if isinstance(data, bytes) and len(data) <= chunk_size:
        yield Block(Cid(RAW, sha256(data).digest()), data)
        return
    level: list[Link] = []
    for chunk in _chunks((data,) if isinstance(data, bytes) else data, chunk_size):
        leaf = Cid(RAW, sha256(chunk).digest())
        level.append(Link(leaf, len(chunk), len(chunk)))
        yield Block(leaf, chunk)
    while len(level) > 1:
        parents: list[Link] = []
        for start in range(0, len(level), max_links):
            children = level[start : start + max_links]
            node = file_node(children)
            cid = Cid(DAG_PB, sha256(node).digest())
            total = len(node) + sum(child.total for child in children)
            parents.append(Link(cid, sum(child.size for child in children), total))
            yield Block(cid, node)
        level = parents


def _chunks(pieces: Iterable[bytes], size: int) -> Iterator[bytes | memoryview]:
    """Chunks of `size` bytes, the last one shorter; one empty chunk where there are no bytes."""
    waiting, empty = bytearray(), True
    for piece in pieces:
        view = memoryview(piece)
        while view:
            whole = not waiting and len(view) >= size
            taken, view = view[: size - len(waiting)], view[size - len(waiting) :]
            if not whole:
                waiting += taken
            if whole or len(waiting) == size:
                yield taken if whole else bytes(waiting)
                waiting.clear()
                empty = False
    if waiting or empty:
        yield bytes(waiting)


def file_node(children: list[Link]) -> bytes:
    """A dag-pb node (links before data, as the codec demands) that holds a UnixFS file message without own bytes."""
    unixfs = b"\x08\x02" + number_field(3, sum(child.size for child in children))
    unixfs += b"".join(number_field(4, child.size) for child in children)
    links = b"".join(
        bytes_field(2, bytes_field(1, child.cid.binary) + bytes_field(2, b"") + number_field(3, child.total))
        for child in children
    )
    return links + bytes_field(1, unixfs)


def number_field(field: int, value: int) -> bytes:
    return bytes((field << 3,)) + varint(value)


def bytes_field(field: int, value: bytes) -> bytes:
    return bytes((field << 3 | 2,)) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


@lru_cache(_REMEMBERED)
def _text(binary: bytes) -> str:
    return "b" + base64.b32encode(binary).decode().rstrip("=").lower()


def _base32_decode(text: str) -> bytes:
    digits = text[1:].upper() if text[0] == "b" and text == text.lower() else text[1:]
    try:
        binary = base64.b32decode(digits + "=" * (-len(digits) % 8))
    except (binascii.Error, ValueError) as error:
        raise _bad("it is not base32, or mixes upper and lower case") from error
    # The decoder ignores the bits left over in the last digit; with it, one CID would have several spellings.
    if _text(binary)[1:] != digits.lower():
        raise _bad("its last letter is wrong")
    return binary


def _base58_decode(text: str) -> bytes:
    number = 0
    for letter in text:
        value = _BASE58.find(letter)
        if value < 0:
            raise _bad("it is not base58")
        number = number * 58 + value
    return bytes(len(text) - len(text.lstrip("1"))) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _base16_decode(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise _bad("it is not base16") from error


def _bad(why: str) -> BadInput:
    return BadInput(f"This is not a CID that can be used: {why}.", "Copy it again, whole, as in bafkrei... or Qm...")
