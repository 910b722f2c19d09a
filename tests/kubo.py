"""Real IPFS nodes for tests, or a skip that says what to do; and a proxy before one that changes what it says."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from ledger.cid import parse
from scripts.tools.kubo import find_ipfs, start_kubo

__all__ = ["Daemon", "Proxy", "ipfs_or_skip", "proxied", "start_kubo"]

Change = Callable[["Proxy", int, bytes], tuple[int, Iterator[bytes]]]


def ipfs_or_skip() -> Path:
    """The ipfs program. Skips the test where there is none."""
    ipfs = find_ipfs()
    if ipfs is None:
        pytest.skip("no IPFS node: run `make tools` (needs Go) or set KHALAYAK_IPFS_BIN")
    return ipfs


@dataclass(frozen=True)
class Daemon:
    """A running node and the folder of its repository."""

    address: str
    repo: Path

    def ipfs(self, *arguments: str) -> str:
        """What the program says when it asks this node."""
        command = [ipfs_or_skip(), "--api", self.address, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def block_file(self, cid: str) -> Path:
        """Where the node keeps the bytes of a block."""
        key = base64.b32encode(b"\x12\x20" + parse(cid).digest).decode().rstrip("=")
        return next((self.repo / "blocks").rglob(f"{key}.data"))

    def damage(self, cid: str) -> None:
        """Other bytes of the same length for a block."""
        path = self.block_file(cid)
        data = path.read_bytes()
        path.chmod(0o600)
        path.write_bytes(bytes(byte ^ 1 for byte in data))


@dataclass
class Proxy:
    """`changes` maps an RPC command, as block/get, to what is done to the node's answer: status and body."""

    address: str = ""
    changes: dict[str, Change] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    ended: Event = field(default_factory=Event)


def says(body: bytes, status: int = 200) -> Change:
    return lambda proxy, _status, _body: (status, iter([body]))


def replaces(old: bytes, new: bytes) -> Change:
    return lambda proxy, status, body: (status, iter([body.replace(old, new)]))


def never_ends(piece: bytes) -> Change:
    def pieces(proxy: Proxy) -> Iterator[bytes]:
        while not proxy.ended.is_set():
            yield piece

    return lambda proxy, _status, _body: (200, pieces(proxy))


def hangs(proxy: Proxy, status: int, body: bytes) -> tuple[int, Iterator[bytes]]:
    proxy.ended.wait(30)
    return status, iter([body])


@contextmanager
def proxied(address: str) -> Iterator[Proxy]:
    """A proxy before the node at a multiaddr."""
    _, _, host, _, port = address.split("/")
    proxy = Proxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            command = self.path.removeprefix("/api/v0/").split("?")[0]
            proxy.asked.append(command)
            node = HTTPConnection(host, int(port), timeout=30)
            kept = ("Content-Type", "Content-Disposition")
            node.request("POST", self.path, self._body(), {name: self.headers[name] or "" for name in kept})
            answer = node.getresponse()
            status, pieces = answer.status, iter([answer.read()])
            if command in proxy.changes:
                status, pieces = proxy.changes[command](proxy, status, next(pieces))
            self.send_response(status)
            self.send_header("Content-Type", answer.getheader("Content-Type") or "text/plain")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                for piece in pieces:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b"")
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                self.close_connection = True
            node.close()

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, format: str, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    proxy.address = f"/ip4/127.0.0.1/tcp/{server.server_port}"
    try:
        yield proxy
    finally:
        proxy.ended.set()
        server.shutdown()
        server.server_close()
