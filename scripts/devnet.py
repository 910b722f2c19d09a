"""Starts the local devnet: hardhat's node on 127.0.0.1, which ends with us."""

from __future__ import annotations

import json
import socket
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import ConfigurationError
from scripts.node import HARDHAT, NODE, WORKSPACE, install
from scripts.tools.process import running, wait_for


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def start_hardhat(port: int) -> Iterator[str]:
    """A fresh devnet, chain id 31337, until the block ends. Yields its RPC URL. Raises ConfigurationError (port taken),
    Unavailable (it did not start)."""
    check_port_free(port)
    install()
    url = f"http://127.0.0.1:{port}"
    command = [NODE, HARDHAT, "--config", WORKSPACE / "hardhat.config.js", "node"]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "hardhat.log"
        environment = {"HARDHAT_DISABLE_TELEMETRY_PROMPT": "true", "CI": "true"}
        with running([*command, "--hostname", "127.0.0.1", "--port", str(port)], log, environment) as process:
            wait_for(process, log, lambda: _chain_id(url), 60)
            yield url


def check_port_free(port: int) -> None:
    """Raises ConfigurationError when something listens on 127.0.0.1:port."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ConfigurationError(f"Port {port} of 127.0.0.1 is taken.", "Stop what uses it, or name another.")


def _chain_id(url: str) -> str | None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:  # nosec B310 - a URL of our own
            return str(json.load(answer)["result"])
    except (urllib.error.URLError, OSError, ValueError):
        return None
