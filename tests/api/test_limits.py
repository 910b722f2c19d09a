"""Bodies are capped before they are parsed, whatever their sender claims. Over raw sockets, as an attacker would."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from api.limits import HEADERS, MAX_BODY_BYTES
from tests.api.conftest import Problem

FORM = b"Content-Type: multipart/form-data; boundary=b\r\nIdempotency-Key: raw\r\n"
FILE_PART = b'--b\r\nContent-Disposition: form-data; name="document"; filename="d"\r\n\r\n'
CHUNK = b"10000\r\n" + bytes(0x10000) + b"\r\n"


def _send(base_url: str, head: bytes, body: Iterator[bytes]) -> tuple[bytes, int]:
    """The answer to a request whose body goes on until the server answers or closes, and the bytes of body sent."""
    place = urlsplit(base_url)
    sent = 0
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        connection.sendall(b"POST /v1/land/titles HTTP/1.1\r\nHost: t\r\n" + FORM + head + b"\r\n")
        answer = bytearray()

        def read() -> None:
            # Each of these answers is one JSON object, and then the connection may stay open.
            while not answer.endswith(b"}") and (received := connection.recv(65536)):
                answer.extend(received)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            for piece in body:
                if answer:
                    break
                connection.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        reader.join()
    return bytes(answer), sent


def _peak_memory() -> int:
    """This process's highest resident size in kB; the server runs in it."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def _endless(first: bytes) -> Iterator[bytes]:
    """A body that has no end as far as its reader can know."""
    yield first
    for _ in range(4 * MAX_BODY_BYTES // 0x10000):
        yield CHUNK


def test_a_length_over_the_cap_is_refused_before_any_body(base_url: str) -> None:
    answer, sent = _send(base_url, b"Content-Length: %d\r\n" % (MAX_BODY_BYTES + 1), iter(()))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"urn:khalayak:problem:too-large" in answer
    assert b"connection: close" in answer.lower()
    assert sent == 0


def test_an_endless_body_is_cut_off_with_flat_memory(base_url: str) -> None:
    before = _peak_memory()
    part = b"%x\r\n%s\r\n" % (len(FILE_PART), FILE_PART)
    answer, sent = _send(base_url, b"Transfer-Encoding: chunked\r\n", _endless(part))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"urn:khalayak:problem:too-large" in answer
    assert b"connection: close" in answer.lower()
    assert sent < 2 * MAX_BODY_BYTES
    assert _peak_memory() - before < 40_000


def test_a_million_parts_are_refused_early(base_url: str) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n\r\n'
    block = part * 1000
    chunk = b"%x\r\n%s\r\n" % (len(block), block)
    answer, sent = _send(base_url, b"Transfer-Encoding: chunked\r\n", (chunk for _ in range(1000)))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"urn:khalayak:problem:bad-input" in answer
    assert sent < 1000 * len(chunk)


def test_an_endless_field_is_refused_early(base_url: str) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="fields"\r\n\r\n'
    answer, _ = _send(base_url, b"Transfer-Encoding: chunked\r\n", _endless(b"%x\r\n%s\r\n" % (len(part), part)))
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_an_approval_has_a_smaller_cap(http: httpx.Client, problem: Problem) -> None:
    answer = http.post(f"/v1/applications/{'0' * 32}/approvals", content=b" " * 20_000)
    problem(answer, 413, "too-large")


@pytest.mark.parametrize("path", ["/healthz", "/v1/trust", "/nowhere", "/v1/land/records/x"])
def test_every_answer_has_the_security_headers(http: httpx.Client, path: str) -> None:
    assert {name: http.get(path).headers[name] for name in HEADERS} == HEADERS
