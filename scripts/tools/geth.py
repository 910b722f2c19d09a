"""Find and start a private geth chain of one node that keeps its data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.tools.process import find_tool, running, wait_for

_ENDPOINT = re.compile(r"HTTP server started\s+endpoint=(127\.0\.0\.1:\d+) auth=false")


def find_geth() -> Path | None:
    """KHALAYAK_GETH_BIN, else `geth` on PATH, else the one that `make tools` built. Raises ConfigurationError."""
    return find_tool("geth", "KHALAYAK_GETH_BIN")


@contextmanager
def start_geth(geth: Path, data: Path, period: int = 1) -> Iterator[str]:
    """Run a development chain (id 1337) over the folder `data` with a block every `period` seconds, 0 for one a
    transaction, and yield the address of its JSON-RPC on a free port of 127.0.0.1. Its log is `data`/geth.log.

    The hash scheme with all old states is what survives a kill: geth's default restarts at block 0. Raises Unavailable.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = data / "geth.log"
    with running(geth_command(geth, data, period), log) as process:
        yield wait_for(process, log, lambda: endpoint(log))


def geth_command(geth: Path, data: Path, period: int, scheme: str = "hash") -> list[str | Path]:
    command: list[str | Path] = [geth, "--dev", "--dev.period", str(period), "--datadir", data]
    command += ["--state.scheme", scheme, *(("--gcmode", "archive") if scheme == "hash" else ())]
    command += ["--ipcdisable", "--nodiscover", "--maxpeers", "0", "--port", "0", "--authrpc.port", "0"]
    return [*command, "--http", "--http.addr", "127.0.0.1", "--http.port", "0", "--http.api", "eth,net,web3,debug"]


def endpoint(log: Path) -> str | None:
    """Where the node listens, once its log says so."""
    found = _ENDPOINT.search(log.read_text(errors="replace"))
    return f"http://{found[1]}" if found else None
