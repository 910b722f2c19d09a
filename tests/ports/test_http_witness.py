"""What a witness that is away, slow or lying does to the one who asks. The servers are real; their answers are not."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.adapters.http_witness import HttpWitness
from ledger.bootstrap import open_witnesses
from ledger.checkpoint import MAX_BYTES, Checkpoint, VerifierKey, cosigners, note
from ledger.cosigned import cosigned
from ledger.errors import ConfigurationError, KhalayakError, MalformedProof, SplitView, Unavailable
from ledger.model import Block
from ledger.settings import Settings
from ledger.trust import TrustRoot
from scripts.devnet import free_port
from tests.fakes import FakeClock

ORIGIN = "demo/eip155:31337"
BLOCK = Checkpoint(ORIGIN, 7, b"\x07" * 32)
KEYS = {name: Ed25519PrivateKey.from_private_bytes(name.encode() * 32) for name in "abcx"}
KEYS_TRUSTED = tuple(str(VerifierKey(name, KEYS[name].public_key().public_bytes_raw())) for name in "abc")
NOTE = note(BLOCK, [BLOCK.sign("a", KEYS["a"], 100)])
GZIP = gzip.compress(NOTE.encode())


def answer(body: bytes | str, status: str = "200 OK", *headers: str) -> bytes:
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def signed(checkpoint: Checkpoint, *names: str) -> bytes:
    return answer(note(checkpoint, [checkpoint.sign(name, KEYS[name], 100) for name in names]))


@contextmanager
def server(*pieces: bytes, forever: bytes = b"", pause: float = 0) -> Iterator[str]:
    """Answers every connection with `pieces`, then with `forever` again and again, and holds it open."""
    done = threading.Event()

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.recv(65536)
            for piece in pieces:
                connection.sendall(piece)
            while not done.wait(pause):
                connection.sendall(forever)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            done.set()
            door.shutdown(socket.SHUT_RDWR)


HEAD = b"HTTP/1.1 200 OK\r\n"
ENDLESS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BAD: dict[str, tuple[Callable[[], contextlib.AbstractContextManager[str]], type[KhalayakError]]] = {
    "says nothing": (lambda: server(pause=0.1), Unavailable),
    "trickles headers for ever": (lambda: server(HEAD, forever=b"a: b\r\n", pause=0.05), Unavailable),
    "trickles a body for ever": (lambda: server(ENDLESS, forever=b"1\r\na\r\n", pause=0.05), Unavailable),
    "streams for ever": (lambda: server(ENDLESS, forever=b"1000\r\n" + b"a" * 4096 + b"\r\n"), Unavailable),
    "is too long": (lambda: server(answer("a" * (MAX_BYTES + 1))), Unavailable),
    "is compressed": (lambda: server(answer(GZIP, "200 OK", "Content-Encoding: gzip")), MalformedProof),
    "is no HTTP": (lambda: server(b"\x00\x01\x02\r\n\r\n"), Unavailable),
    "breaks off": (lambda: server(answer(NOTE)[:-40], forever=b"", pause=0.1), Unavailable),
    "is garbage": (lambda: server(answer("<html>")), MalformedProof),
    "is no text": (lambda: server(answer(b"\xff\xfe")), MalformedProof),
    "is not final there": (lambda: server(answer("", "404 Not Found")), Unavailable),
    "is an error": (lambda: server(answer(NOTE, "500 Oh no")), Unavailable),
    "sends elsewhere": (lambda: server(answer("", "302 Found", "Location: http://127.0.0.1:1/")), Unavailable),
    "is of another block": (lambda: server(signed(Checkpoint(ORIGIN, 8, BLOCK.block_hash), "a")), MalformedProof),
    "is of another chain": (lambda: server(signed(replace(BLOCK, origin="demo/eip155:1"), "a")), MalformedProof),
    "is of two witnesses": (lambda: server(signed(BLOCK, "a", "b")), MalformedProof),
    "is of another hash": (lambda: server(signed(Checkpoint(ORIGIN, 7, b"\x08" * 32), "a")), SplitView),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_an_error_of_its_own(name: str) -> None:
    start, error = BAD[name]
    with start() as url, pytest.raises(error) as caught:
        HttpWitness(url, deadline=0.5)(BLOCK)
    assert type(caught.value) is error


def test_a_good_answer_is_the_witnesss_line() -> None:
    with server(answer(NOTE)) as url:
        assert HttpWitness(f"{url}/")(BLOCK) == NOTE.splitlines()[-1]


def test_a_witness_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        HttpWitness(f"http://127.0.0.1:{free_port()}")(BLOCK)


@pytest.mark.parametrize(
    "url", ["", "ftp://a/", "a.example", "http://", "http://a:b@c/", "http://a/?b=c", "http://a:x/"]
)
def test_what_is_no_url_of_a_witness_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(ConfigurationError, match="witness") as caught:
        HttpWitness(url)
    assert "a:b" not in str(caught.value)


def checkpoint(*urls: str) -> str:
    """What the witnesses at these addresses sign of the block, for a trust root with the keys of a, b and c."""
    trust = TrustRoot("demo", 31337, bytes(32), (), KEYS_TRUSTED, 2)
    block = Block(BLOCK.number, BLOCK.block_hash, 0, b"")
    return cosigned(block, trust, [HttpWitness(url, 2) for url in urls])


def test_no_witness_spoils_what_the_others_sign() -> None:
    """k of n are collected beside one of each that is away, slow, lies, or signs with a key that nobody trusts."""
    with contextlib.ExitStack() as running:
        good = [running.enter_context(server(signed(BLOCK, name))) for name in "abb"]
        bad = [running.enter_context(start()) for start, _ in BAD.values()]
        bad.append(running.enter_context(server(signed(BLOCK, "x"))))
        forged = answer(note(BLOCK, [NOTE.splitlines()[-1].replace("— a", "— c")]))
        bad.append(running.enter_context(server(forged)))
        collected = checkpoint(*bad, *good)
    assert cosigners(collected, ORIGIN, KEYS_TRUSTED) == {"a", "b"}
    assert len(collected.splitlines()) == 6  # three of the checkpoint, an empty one, two signatures


def test_where_nobody_signs_that_counts_there_is_no_checkpoint() -> None:
    with server(signed(BLOCK, "x")) as url, pytest.raises(Unavailable, match="No witness"):
        checkpoint(url)


def test_the_settings_name_the_witnesses() -> None:
    settings = Settings(witnesses="http://a.example:8547  https://b.example/witness\n")
    assert [type(w) for w in open_witnesses(settings, FakeClock(1))] == [HttpWitness] * 2
    with pytest.raises(ConfigurationError):
        open_witnesses(Settings(witnesses="http://a.example, b"), FakeClock(1))
