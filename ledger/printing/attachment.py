"""Finds the certificate that a PDF carries.

This is no PDF reader, and is none on purpose: it follows no reference and no page, so that a hostile file has nothing
to lead it in circles with. It looks for the streams that call themselves embedded files (ISO 32000-2 section 7.11.4),
which stand in a file as they are however it was saved or signed, and unpacks a few of them up to a limit.
"""

from __future__ import annotations

import re
import zlib

from ledger.errors import BadInput, TooLarge

MAX_PDF_BYTES = 25_000_000
MAX_ATTACHMENTS = 16
_MAX_DICTIONARY = 4096

_EMBEDDED = re.compile(rb"/Type\s{0,8}/EmbeddedFile(?![A-Za-z0-9])")
_STREAM = re.compile(rb">>\s{0,8}stream\r?\n")
_OBJECT = re.compile(rb"\d\s{1,8}obj(?![A-Za-z0-9])")
_FILTER = re.compile(rb"/Filter\s{0,8}(?:/([A-Za-z0-9]+)|\[\s{0,8}/([A-Za-z0-9]+)\s{0,8}\])")
_LENGTH = re.compile(rb"/Length\s{1,8}([0-9]{1,9})(?!\s{1,8}[0-9]{1,9}\s{1,8}R)(?![0-9])")
_HINT = "Use the PDF as the office gave it, or its .json file."


def is_pdf(data: bytes) -> bool:
    return data.startswith(b"%PDF-")


def attached_certificate(data: bytes, format_names: tuple[str, ...], limit: int) -> bytes:
    """The one attachment of a PDF that is of one of these formats, at most `limit` bytes of it: more is for the caller
    to refuse. Reads every byte a bounded number of times. Raises BadInput, TooLarge."""
    if len(data) > MAX_PDF_BYTES:
        raise TooLarge(f"The PDF has more than {MAX_PDF_BYTES:,} bytes.", _HINT)
    found: set[bytes] = set()
    for number, match in enumerate(_EMBEDDED.finditer(data)):
        if number == MAX_ATTACHMENTS:
            raise BadInput(f"The PDF has more than {MAX_ATTACHMENTS} attachments.", _HINT)
        content = _content(data, match.start(), limit)
        if any(f'"{name}"'.encode() in content for name in format_names):
            found.add(content)
    if not found:
        raise BadInput("The PDF carries no certificate.", _HINT)
    if len(found) > 1:
        raise BadInput("The PDF carries several certificates, and nothing says which is meant.", _HINT)
    return found.pop()


def _content(data: bytes, position: int, limit: int) -> bytes:
    """What the stream holds in whose dictionary `position` is; nothing if it is none, or packed in another way."""
    stream = _STREAM.search(data, position, position + _MAX_DICTIONARY)
    if stream is None:
        return b""
    before = data[max(0, position - _MAX_DICTIONARY) : position]
    opening = [match.end() for match in _OBJECT.finditer(before)]
    dictionary = before[opening[-1] if opening else 0 :] + data[position : stream.start()]
    packed = _FILTER.search(dictionary)
    if packed is None and b"/Filter" not in dictionary:
        length = _LENGTH.search(dictionary)
        size = int(length[1]) if length else 0
        return data[stream.end() : stream.end() + min(size, limit)]
    if packed is None or (packed[1] or packed[2]) != b"FlateDecode" or b"/DecodeParms" in dictionary:
        return b""
    try:
        return zlib.decompressobj().decompress(memoryview(data)[stream.end() :], limit)
    except zlib.error:
        return b""
