"""A proxy between the office and a real node, which answers some requests in the node's place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

Answer = Callable[[dict[str, Any], Callable[[], Any]], Any]


class Lost(Exception):
    """What `answer` raises to break the connection off without an answer."""


@dataclass
class Proxy:
    """`requests` are all that it was asked, as parsed JSON-RPC."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)


def ask(url: str, method: str, parameters: list[Any]) -> Any:
    """The node's own answer to one JSON-RPC request."""
    return _forward(url, {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})


@contextmanager
def proxied(node: str, answer: Answer) -> Iterator[Proxy]:
    """`answer` is given each request and a function that asks the node itself; a number is an HTTP status."""
    proxy = Proxy("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests = asked if isinstance(asked, list) else [asked]
            proxy.requests.extend(requests)
            try:
                answers = [answer(request, partial(_forward, node, request)) for request in requests]
            except Lost:
                self.close_connection = True
                return
            status = next((number for number in answers if isinstance(number, int)), 200)
            body = json.dumps(answers if isinstance(asked, list) else answers[0]).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Whoever asked has gone."""

    server = Server(("127.0.0.1", 0), Handler)
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _forward(node: str, request: dict[str, Any]) -> Any:
    body = json.dumps(request).encode()
    with urlopen(Request(node, body, {"Content-Type": "application/json"}), timeout=30) as answer:
        return json.load(answer)
