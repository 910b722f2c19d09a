"""Reads the part of CBOR (RFC 8949) that paper needs, in its deterministic form (section 4.2) alone.

A full decoder makes regular expressions, huge powers and shared lists of what it reads; this one knows unsigned
numbers, bytes, text, arrays and null. Writing is left to cbor2.
"""

from __future__ import annotations

from typing import Any

from ledger.errors import BadInput

MAX_DEPTH = 8
_NULL = 0xF6


def loads(data: bytes) -> Any:
    """The one value that `data` encodes. Raises BadInput for any other form, type, or bytes behind it."""
    value, end = _item(data, 0, MAX_DEPTH)
    if end != len(data):
        raise _bad(end)
    return value


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if at >= len(data) or depth == 0:
        raise _bad(at)
    if data[at] == _NULL:
        return None, at + 1
    major, number, start = data[at] >> 5, *_argument(data, at)
    if major == 0:
        return number, start
    if major in (2, 3) and start + number <= len(data):
        content = data[start : start + number]
        try:
            return (content if major == 2 else content.decode()), start + number
        except UnicodeDecodeError:
            raise _bad(start) from None
    # Each item takes a byte at least, so a length that the data cannot hold is refused before anything is read.
    if major == 4 and number <= len(data) - start:
        items = []
        for _ in range(number):
            item, start = _item(data, start, depth - 1)
            items.append(item)
        return items, start
    raise _bad(at)


def _argument(data: bytes, at: int) -> tuple[int, int]:
    """The number of an item's head in its shortest form, and where the head ends."""
    short = data[at] & 31
    if short < 24:
        return short, at + 1
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(short, 0)
    number = int.from_bytes(data[at + 1 : at + 1 + size], "big")
    least = {1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}.get(size, 0)
    if size == 0 or at + 1 + size > len(data) or number < least:
        raise _bad(at)
    return number, at + 1 + size


def _bad(at: int) -> BadInput:
    return BadInput(f"The code cannot be read at byte {at + 1}.", "Scan it again.")
