"""FAULTS row 49: bodies whose length is a lie, or that never end: 413 or 400, flat memory, and nothing accepted."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from api.limits import MAX_BODY_BYTES
from tests.faults.served import Served

FORM = b"Content-Type: multipart/form-data; boundary=b\r\nIdempotency-Key: raw\r\n"
FILE_PART = b'--b\r\nContent-Disposition: form-data; name="request"; filename="d"\r\n\r\n'
CHUNK = b"10000\r\n" + bytes(0x10000) + b"\r\n"
MEBIBYTES = 1024  # in kB


@pytest.fixture
def alive_and_empty(house: Served) -> Iterator[Served]:
    yield house
    assert httpx.get(f"{house.url}/healthz").status_code == 200
    assert house.process.poll() is None


def refused(answer: bytes, status: int, code: bytes) -> bool:
    return answer.startswith(b"HTTP/1.1 %d " % status) and b"urn:khalayak:problem:" + code in answer


def test_fault_49_a_length_over_the_cap_is_refused_before_any_body(alive_and_empty: Served) -> None:
    for length in (b"%d" % (MAX_BODY_BYTES + 1), b"9" * 15):
        answer, sent = alive_and_empty.send_raw(FORM + b"Content-Length: %s\r\n" % length)
        assert refused(answer, 413, b"too-large") and b"connection: close" in answer.lower()
        assert sent == 0


@pytest.mark.parametrize("length", [b"-1", b"1e9", b"0x10", b"9" * 400, b"5, 6", b"5\r\nContent-Length: 6"])
def test_fault_49_a_length_that_is_none_is_refused(alive_and_empty: Served, length: bytes) -> None:
    answer, _ = alive_and_empty.send_raw(FORM + b"Content-Length: %s\r\n" % length)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 "))


def test_fault_49_what_comes_beyond_the_length_is_never_part_of_the_body(alive_and_empty: Served) -> None:
    body = [FILE_PART, *[bytes(0x10000)] * 500]
    before = alive_and_empty.peak_memory()
    answer, _ = alive_and_empty.send_raw(FORM + b"Content-Length: %d\r\n" % len(FILE_PART), body)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert alive_and_empty.peak_memory() - before < 30 * MEBIBYTES


def test_fault_49_a_body_that_ends_before_its_length_is_not_accepted(alive_and_empty: Served) -> None:
    answer, _ = alive_and_empty.send_raw(FORM + b"Content-Length: 1000000\r\n", [FILE_PART, b"{}"], leaves=True)
    assert not answer.startswith(b"HTTP/1.1 2")


def test_fault_49_an_endless_chunked_body_is_cut_off_with_flat_memory(alive_and_empty: Served) -> None:
    def endless() -> Iterator[bytes]:
        yield b"%x\r\n%s\r\n" % (len(FILE_PART), FILE_PART)
        for _ in range(4 * MAX_BODY_BYTES // 0x10000):
            yield CHUNK

    before = alive_and_empty.peak_memory()
    answer, sent = alive_and_empty.send_raw(FORM + b"Transfer-Encoding: chunked\r\n", endless())
    assert refused(answer, 413, b"too-large") and b"connection: close" in answer.lower()
    assert sent < 2 * MAX_BODY_BYTES
    assert alive_and_empty.peak_memory() - before < 40 * MEBIBYTES


def test_fault_49_a_short_length_beside_an_endless_chunked_body_hides_nothing(alive_and_empty: Served) -> None:
    head = FORM + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
    answer, sent = alive_and_empty.send_raw(head, (CHUNK for _ in range(4 * MAX_BODY_BYTES // 0x10000)))
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 "))
    assert sent < 2 * MAX_BODY_BYTES
