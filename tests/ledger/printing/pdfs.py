"""PDFs that carry a certificate, and such that only seem to."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

from pypdf import PdfReader, PdfWriter

from ledger.printing.pdf import render
from tests.builders import World, as_bytes, trust_root

FILE = b'{"format": "khalayak-certificate@1"}'
CERTIFICATE = as_bytes(World().certificate())
PDF = render(CERTIFICATE, trust_root(), "https://kantor.example")


def stream(content: bytes, dictionary: bytes = b"/Type /EmbeddedFile", number: int = 1) -> bytes:
    return b"%d 0 obj\n<< %s >>\nstream\n%s\nendstream\nendobj\n" % (number, dictionary, content)


def flate(content: bytes) -> bytes:
    return stream(zlib.compress(content), b"/Type /EmbeddedFile /Filter /FlateDecode")


def written(change: Callable[[PdfWriter], None]) -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    change(writer)
    writer.write(out)
    return out.getvalue()


def saved_again(pdf: bytes) -> bytes:
    return written(lambda writer: writer.clone_document_from_reader(PdfReader(io.BytesIO(pdf))))


def attached(file: bytes) -> bytes:
    """Another PDF that the file and one more are attached to."""

    def attach(writer: PdfWriter) -> None:
        writer.add_blank_page(100, 100)
        writer.add_attachment("notes.txt", b"nothing")
        writer.add_attachment("certificate.json", file)

    return written(attach)


WITHOUT = [
    b"%PDF-",
    b"%PDF-1.7\n%%EOF",
    b"%PDF-" + flate(b"{}"),
    b"%PDF-" + stream(FILE),
    b"%PDF-" + stream(b"no zlib", b"/Type /EmbeddedFile /Filter /FlateDecode"),
    b"%PDF-" + stream(FILE, b"/Type /EmbeddedFile /Filter [/ASCIIHexDecode /FlateDecode]"),
    b"%PDF-" + stream(FILE, b"/Type /EmbeddedFile /Length 5 0 R"),
    b"%PDF-" + b"/Type /EmbeddedFile" + b" " * 5000 + stream(FILE, b""),
]
CIRCLE = (
    b"%PDF-"
    + b"1 0 obj\n<< /Type /EmbeddedFile /Length 2 0 R /Filter 1 0 R >>\nstream\n" * 10
    + b"2 0 obj 1 0 R endobj"
)
_UNITS = (b"/Type /EmbeddedFile", b"1 0 obj <<", b"stream\n", b"/Type        ")
OPENINGS = [b"%PDF-" + unit * (5_000_000 // len(unit)) for unit in _UNITS]
