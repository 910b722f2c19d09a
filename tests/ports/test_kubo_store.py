"""KuboStore against a simulator of nodes that lie, stall, break off or are no IPFS node at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ledger.adapters.kubo_store import KuboStore
from ledger.cid import cid_of
from ledger.errors import ConfigurationError, DocumentCorrupt, DocumentStoreUnavailable, TooLarge
from ledger.ports import DocumentStore
from scripts.tools.kubo import start_kubo
from tests.kubo import ipfs_or_skip

CID = cid_of(b"sealed")
FLATFS = {"type": "mount", "mounts": [{"type": "measure", "child": {"type": "flatfs", "sync": True}}]}
Answer = Callable[[BaseHTTPRequestHandler], None]


def sends(body: bytes, status: int = 200, announced: int | None = None) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body) if announced is None else announced))
        request.end_headers()
        request.wfile.write(body)

    return answer


def sends_json(value: Any, status: int = 200) -> Answer:
    return sends(json.dumps(value).encode(), status)


def goes_on(piece: bytes, pause: float) -> Answer:
    """Sends HTTP chunks, as Kubo does, and never ends."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        try:
            while True:
                request.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                time.sleep(pause)
        except OSError:
            return

    return answer


@contextmanager
def node(answers: dict[str, Answer], version: str = "0.43.1", spec: dict[str, Any] = FLATFS) -> Iterator[DocumentStore]:
    """A store over a simulated node that answers the named RPC commands as told."""
    known = {
        "version": sends_json({"Version": version}),
        "config/show": sends_json({"Datastore": {"Spec": spec}}),
        **answers,
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            if "chunked" in self.headers.get("Transfer-Encoding", ""):
                while size := int(self.rfile.readline(), 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()
            command = self.path.removeprefix("/api/v0/").split("?")[0]
            known.get(command, sends(b"404 page not found", 404))(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield KuboStore(f"/ip4/127.0.0.1/tcp/{server.server_port}", timeout=0.5)
    finally:
        server.shutdown()
        server.server_close()


def test_a_node_that_stores_under_another_cid_is_caught() -> None:
    with (
        node({"add": sends_json({"Name": "", "Hash": cid_of(b"other"), "Size": "1"})}) as store,
        pytest.raises(DocumentCorrupt, match=CID),
    ):
        store.put(b"sealed")


def test_a_node_that_answers_no_cid_is_unavailable() -> None:
    for answer in (sends_json({"Hash": "Qm"}), sends_json({}), sends(b""), sends(b"<html>"), sends_json([])):
        with node({"add": answer}) as store, pytest.raises(DocumentStoreUnavailable):
            store.put(b"sealed")


def test_a_node_that_sends_other_bytes_is_caught() -> None:
    with node({"block/get": sends(b"forged")}) as store, pytest.raises(DocumentCorrupt, match=CID):
        store.get(CID, 10)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(sends(b"sea", announced=6), id="breaks off"),
        pytest.param(goes_on(b".", 0.1), id="drips"),
        pytest.param(lambda request: time.sleep(2), id="stalls"),
        pytest.param(sends_json({"Message": "disk full", "Code": 0, "Type": "error"}, 500), id="fails"),
        pytest.param(sends(b"bad gateway", 502), id="is behind a broken proxy"),
    ],
)
def test_a_node_that_does_not_deliver_is_unavailable_and_never_missing(answer: Answer) -> None:
    with node({"block/get": answer}) as store, pytest.raises(DocumentStoreUnavailable):
        store.get(CID, 1_000_000)


def test_whether_a_node_holds_a_document_is_unknown_when_it_fails() -> None:
    answer = sends_json({"Message": "disk full", "Code": 0, "Type": "error"}, 500)
    with node({"block/stat": answer}) as store, pytest.raises(DocumentStoreUnavailable, match="disk full"):
        store.has(CID)


def test_a_node_that_ignores_the_length_is_cut_off() -> None:
    with node({"block/get": goes_on(bytes(65536), 0)}) as store, pytest.raises(TooLarge):
        store.get(CID, 100_000)


def test_another_service_on_the_port_is_unavailable() -> None:
    for answer in (sends(b"404 page not found", 404), sends(b"<html>"), sends_json({}), sends_json([])):
        with node({"version": answer}) as store, pytest.raises(DocumentStoreUnavailable):
            store.get(CID, 10)


def test_an_untested_version_is_used_and_named_once_in_the_log() -> None:
    with capture_logs() as logs, node({"block/get": sends(b"sealed")}, version="0.99.0-rc1") as store:
        assert store.get(CID, 10) == store.get(CID, 10) == b"sealed"
    assert logs == [
        {"event": "ipfs_node", "log_level": "warning", "version": "0.99.0-rc1", "tested": False, "durable": True}
    ]


def test_a_node_that_leaves_blocks_in_the_page_cache_is_named_in_the_log() -> None:
    spec = {"type": "mount", "mounts": [{"type": "measure", "child": {"type": "flatfs", "sync": False}}]}
    with capture_logs() as logs, node({"block/get": sends(b"sealed")}, spec=spec) as store:
        store.get(CID, 10)
    assert [(entry["log_level"], entry["durable"]) for entry in logs] == [("warning", False)]


def test_the_node_that_we_start_is_tested_and_durable(tmp_path: Path) -> None:
    with capture_logs() as logs, start_kubo(ipfs_or_skip(), tmp_path) as address:
        KuboStore(address).put(b"sealed")
    assert [(entry["log_level"], entry["tested"], entry["durable"]) for entry in logs] == [("info", True, True)]


@pytest.mark.parametrize("address", ["", "127.0.0.1:5001", "/ip4/127.0.0.1", "/ip4/127.0.0.1/udp/5001"])
def test_what_is_no_address_is_refused_at_once(address: str) -> None:
    with pytest.raises(ConfigurationError, match="address of an IPFS node"):
        KuboStore(address)
