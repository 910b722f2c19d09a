"""FAULTS row 51: bombs. What an applicant brings is never unpacked, what a reader brings is unpacked up to a limit, and
sizes are capped."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from ledger.certificate import MAX_BYTES
from ledger.change_checks import MAX_DOCUMENT_BYTES
from ledger.printing.attachment import MAX_PDF_BYTES
from ledger.verifier import verify
from tests.api.conftest import Applicant, Problem

ZEROS = 1 << 30
ALLOWED = 120_000  # kB of memory over what the process had: less than an eighth of what a bomb unpacks to


def peak() -> int:
    """The highest resident size of this process so far, in kB; server and verifier run in it."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


@pytest.fixture(scope="module")
def packed() -> bytes:
    """A gigabyte of zeros in some megabytes."""
    packer, piece = zlib.compressobj(1), bytes(1 << 20)
    return b"".join(packer.compress(piece) for _ in range(ZEROS >> 20)) + packer.flush()


def pdf(packed: bytes, more: bytes = b"") -> bytes:
    stream = b"1 0 obj\n<< /Filter /FlateDecode /Length %d %s>>\nstream\n%s\nendstream\nendobj\n" % (
        len(packed),
        more,
        packed,
    )
    return b"%PDF-1.7\n" + stream + b"trailer << /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made, made.open("zeros", "w") as member:
        for _ in range(64):
            member.write(bytes(1 << 20))
    return file.getvalue()


def image() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1 << 20)))
        + chunk(b"IEND", b"")
    )


def apply(applicant: Applicant, document: bytes, key: str):  # type: ignore[no-untyped-def]
    request = applicant.parts.request()
    value = {"records": [{"fields": dict(request.fields), "holder": request.holder}]}
    return applicant.send("land", "issue", value, key, document)


@pytest.mark.parametrize("make", [archive, image])
def test_fault_51_what_is_no_pdf_is_refused_by_its_first_bytes(applicant: Applicant, problem: Problem, make) -> None:  # type: ignore[no-untyped-def]
    answer = problem(apply(applicant, make(), f"bomb-{make.__name__}"), 400, "bad-input")
    assert answer["pointer"] == "/records/0/document"


def test_fault_51_a_pdf_that_unpacks_to_a_gigabyte_is_sealed_as_it_is(applicant: Applicant, packed: bytes) -> None:
    before = peak()
    answer = apply(applicant, pdf(packed), "bomb-pdf")
    assert answer.status_code == 201
    assert peak() - before < ALLOWED


def test_fault_51_a_certificate_in_a_pdf_is_unpacked_up_to_its_limit(applicant: Applicant, packed: bytes) -> None:
    before = peak()
    for more in (b"/Type /EmbeddedFile /Subtype /application#2Fjson", b""):
        file = pdf(packed, more)
        assert len(file) < MAX_PDF_BYTES
        refusal = verify(file, applicant.parts.office.trust).refusal
        assert refusal is not None and (refusal.number, refusal.outcome) == (1, "failed")
    assert peak() - before < ALLOWED and MAX_BYTES < ZEROS // 8


def test_fault_51_a_document_over_the_limit_is_too_large(applicant: Applicant, problem: Problem) -> None:
    whole = pdf(b"")
    big = whole[:9] + bytes(MAX_DOCUMENT_BYTES + 1 - len(whole)) + whole[9:]
    problem(apply(applicant, big, "bomb-size"), 413, "too-large")
