"""FAULTS row 50: a million form parts, giant part headers. 4xx within a second of the server's own time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.faults.served import Served
from tests.faults.test_fault_49_lengths import FORM, MEBIBYTES

PART = b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="documents"; filename="f"\r\n\r\n\r\n'


def chunked(block: bytes, times: int) -> Iterator[bytes]:
    """A form of one block, again and again, which ends in order."""
    for piece in (*[block] * times, b"\r\n--b--\r\n", b""):
        yield b"%x\r\n%s\r\n" % (len(piece), piece)


BODIES: dict[str, Callable[[], Iterator[bytes]]] = {
    "a million fields": lambda: chunked(PART * 1000, 1000),
    "a hundred thousand files": lambda: chunked(FILE * 1000, 100),
    "one header of 20 MB": lambda: chunked(b"--b\r\nContent-Disposition: " + b"a" * 1_000_000, 20),
    "a header name of 20 MB": lambda: chunked(b"--b\r\n" + b"a" * 1_000_000, 20),
    "a million headers of one part": lambda: chunked(b"--b\r\n" + b"a: b\r\n" * 100_000, 10),
    "a field of 20 MB": lambda: chunked(PART.removesuffix(b"\r\n") + b"a" * 1_000_000, 20),
    "a boundary that nearly comes, 20 MB long": lambda: chunked(FILE + b"\r\n--" * 250_000, 20),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_fault_50_what_no_form_has_is_refused_within_a_second_of_processor_time(
    house: Served, body: Callable[[], Iterator[bytes]]
) -> None:
    before, memory = house.processor_seconds(), house.peak_memory()
    answer, _ = house.send_raw(FORM + b"Transfer-Encoding: chunked\r\n", body())
    used = house.processor_seconds() - before
    assert answer.startswith(b"HTTP/1.1 4"), answer[:200]
    assert b"urn:khalayak:problem:" in answer
    assert used < 1
    assert house.peak_memory() - memory < 60 * MEBIBYTES
    assert httpx.get(f"{house.url}/healthz").status_code == 200


def test_fault_50_a_boundary_of_sixty_thousand_characters_is_refused(house: Served) -> None:
    before = house.processor_seconds()
    head = b"Idempotency-Key: raw\r\nContent-Type: multipart/form-data; boundary=" + b"b" * 60_000 + b"\r\n"
    answer, _ = house.send_raw(head + b"Content-Length: 2\r\n", [b"--"])
    assert answer.startswith(b"HTTP/1.1 4")
    assert house.processor_seconds() - before < 1
