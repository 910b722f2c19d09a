"""The certificate in a PDF is found however the PDF was saved, and no PDF leads the reader astray."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from ledger.errors import BadInput, TooLarge
from ledger.printing.attachment import MAX_ATTACHMENTS, MAX_PDF_BYTES, attached_certificate
from ledger.printing.pdf import render
from ledger.verifier import verify
from tests.builders import World, as_bytes, trust_root

FORMAT = "khalayak-certificate@1"
FILE = b'{"format": "khalayak-certificate@1"}'
LIMIT = 1 << 20
CERTIFICATE = as_bytes(World().certificate())
PDF = render(CERTIFICATE, trust_root(), "https://kantor.example")


def find(pdf: bytes) -> bytes:
    return attached_certificate(pdf, (FORMAT,), LIMIT)


def stream(content: bytes, dictionary: bytes = b"/Type /EmbeddedFile", number: int = 1) -> bytes:
    return b"%d 0 obj\n<< %s >>\nstream\n%s\nendstream\nendobj\n" % (number, dictionary, content)


def flate(content: bytes) -> bytes:
    return stream(zlib.compress(content), b"/Type /EmbeddedFile /Filter /FlateDecode")


def written(change: Callable[[PdfWriter], None]) -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    change(writer)
    writer.write(out)
    return out.getvalue()


def test_it_is_found_as_it_was_attached() -> None:
    assert find(PDF) == CERTIFICATE


def test_it_is_found_after_another_tool_saved_the_pdf() -> None:
    saved = written(
        lambda writer: (
            writer.append(PdfReader(io.BytesIO(PDF))) or writer.clone_document_from_reader(PdfReader(io.BytesIO(PDF)))
        )
    )  # type: ignore[func-returns-value]
    assert saved != PDF and find(saved) == CERTIFICATE


def test_it_is_found_where_another_tool_attached_it_to_another_pdf() -> None:
    def attach(writer: PdfWriter) -> None:
        writer.add_blank_page(100, 100)
        writer.add_attachment("notes.txt", b"nothing")
        writer.add_attachment("certificate.json", CERTIFICATE)

    pdf = written(attach)
    assert find(pdf) == CERTIFICATE
    assert verify(pdf, trust_root()).valid


def test_a_plain_stream_is_read_to_its_length() -> None:
    dictionary = b"/Type/EmbeddedFile /Length %d" % len(FILE)
    assert find(b"%PDF-1.7\n" + stream(FILE + b"rest", dictionary)) == FILE


def test_one_certificate_twice_is_one_and_two_are_refused() -> None:
    assert find(b"%PDF-" + flate(FILE) + flate(FILE)) == FILE
    with pytest.raises(BadInput, match="several"):
        find(b"%PDF-" + flate(FILE) + flate(FILE + b" "))


@pytest.mark.parametrize(
    "pdf",
    [
        b"%PDF-",
        b"%PDF-1.7\n%%EOF",
        b"%PDF-" + flate(b"{}"),
        b"%PDF-" + stream(FILE),
        b"%PDF-" + stream(b"no zlib", b"/Type /EmbeddedFile /Filter /FlateDecode"),
        b"%PDF-" + stream(FILE, b"/Type /EmbeddedFile /Filter [/ASCIIHexDecode /FlateDecode]"),
        b"%PDF-" + stream(FILE, b"/Type /EmbeddedFile /Length 5 0 R"),
        b"%PDF-" + b"/Type /EmbeddedFile" + b" " * 5000 + stream(FILE, b""),
    ],
)
def test_a_pdf_without_one_is_refused_with_what_to_do(pdf: bytes) -> None:
    with pytest.raises(BadInput, match="carries no certificate") as refused:
        find(pdf)
    assert refused.value.hint


def test_a_bomb_is_unpacked_to_the_limit_and_no_further() -> None:
    bomb = flate(FILE + bytes(200 << 20))
    assert len(bomb) < 1 << 20 and len(find(b"%PDF-" + bomb)) == LIMIT
    verdict = verify(b"%PDF-" + bomb, trust_root())
    assert verdict.refusal is not None and verdict.refusal.number == 1


def test_many_attachments_and_a_large_file_are_refused() -> None:
    with pytest.raises(BadInput, match="more than 16"):
        find(b"%PDF-" + flate(b"{}") * (MAX_ATTACHMENTS + 1))
    with pytest.raises(TooLarge):
        find(b"%PDF-" + bytes(MAX_PDF_BYTES))


def test_objects_that_lead_in_circles_lead_nowhere() -> None:
    circle = b"1 0 obj\n<< /Type /EmbeddedFile /Length 2 0 R /Filter 1 0 R >>\nstream\n" * 10 + b"2 0 obj 1 0 R endobj"
    verdict = verify(b"%PDF-" + circle, trust_root())
    assert verdict.refusal is not None and verdict.refusal.number == 1


def test_a_file_of_nothing_but_openings_is_read_once() -> None:
    # Anything that looked for an end from each opening would read the file as often as it has openings.
    for unit in (b"/Type /EmbeddedFile", b"1 0 obj <<", b"stream\n", b"/Type        "):
        with pytest.raises(BadInput):
            find(b"%PDF-" + unit * (5_000_000 // len(unit)))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_pdf_gets_a_verdict(data: st.DataObject) -> None:
    damaged = bytearray(PDF)
    for _ in range(data.draw(st.integers(1, 20))):
        damaged[data.draw(st.integers(5, len(PDF) - 1))] = data.draw(st.integers(0, 255))
    verify(bytes(damaged[: data.draw(st.integers(5, len(PDF)))]), trust_root())
