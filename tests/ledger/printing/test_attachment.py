"""The certificate in a PDF is found however the PDF was saved, and no PDF leads the reader astray."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import BadInput, TooLarge
from ledger.printing.attachment import MAX_ATTACHMENTS, MAX_PDF_BYTES, attached_certificate
from ledger.verifier import verify
from tests.builders import trust_root
from tests.ledger.printing.pdfs import (
    CERTIFICATE,
    CIRCLE,
    FILE,
    OPENINGS,
    PDF,
    WITHOUT,
    attached,
    flate,
    saved_again,
    stream,
)

FORMAT = "khalayak-certificate@1"
LIMIT = 1 << 20


def find(pdf: bytes) -> bytes:
    return attached_certificate(pdf, (FORMAT,), LIMIT)


def test_it_is_found_as_it_was_attached() -> None:
    assert find(PDF) == CERTIFICATE


def test_it_is_found_after_another_tool_saved_the_pdf() -> None:
    saved = saved_again(PDF)
    assert saved != PDF and find(saved) == CERTIFICATE


def test_it_is_found_where_another_tool_attached_it_to_another_pdf() -> None:
    pdf = attached(CERTIFICATE)
    assert find(pdf) == CERTIFICATE
    assert verify(pdf, trust_root()).valid


def test_a_plain_stream_is_read_to_its_length() -> None:
    dictionary = b"/Type/EmbeddedFile /Length %d" % len(FILE)
    assert find(b"%PDF-1.7\n" + stream(FILE + b"rest", dictionary)) == FILE


def test_one_certificate_twice_is_one_and_two_are_refused() -> None:
    assert find(b"%PDF-" + flate(FILE) + flate(FILE)) == FILE
    with pytest.raises(BadInput, match="several"):
        find(b"%PDF-" + flate(FILE) + flate(FILE + b" "))


@pytest.mark.parametrize("pdf", WITHOUT)
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
    verdict = verify(CIRCLE, trust_root())
    assert verdict.refusal is not None and verdict.refusal.number == 1


def test_a_file_of_nothing_but_openings_is_read_once() -> None:
    # Anything that looked for an end from each opening would read the file as often as it has openings.
    for pdf in OPENINGS:
        with pytest.raises(BadInput):
            find(pdf)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_pdf_gets_a_verdict(data: st.DataObject) -> None:
    damaged = bytearray(PDF)
    for _ in range(data.draw(st.integers(1, 20))):
        damaged[data.draw(st.integers(5, len(PDF) - 1))] = data.draw(st.integers(0, 255))
    verify(bytes(damaged[: data.draw(st.integers(5, len(PDF)))]), trust_root())
