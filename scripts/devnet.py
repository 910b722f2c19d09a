"""Starts the local devnet: hardhat's node on 127.0.0.1, which ends with us."""

from __future__ import annotations

import re
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import ConfigurationError
from scripts.node import HARDHAT, NODE, WORKSPACE, install
from scripts.tools.process import running, wait_for

_ENDPOINT = re.compile(r"JSON-RPC server at (http://127\.0\.0\.1:\d+)")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def start_hardhat(port: int = 0) -> Iterator[str]:
    """A fresh devnet, chain id 31337, until the block ends; port 0 is one that the system chooses. Yields its RPC URL.
    Raises ConfigurationError (port taken), Unavailable (it did not start)."""
    check_port_free(port)
    install()
    command = [NODE, HARDHAT, "--config", WORKSPACE / "hardhat.config.js", "node"]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "hardhat.log"
        environment = {"HARDHAT_DISABLE_TELEMETRY_PROMPT": "true", "CI": "true"}
        with running([*command, "--hostname", "127.0.0.1", "--port", str(port)], log, environment) as process:
            yield wait_for(process, log, lambda: _url(log), 60)


def check_port_free(port: int) -> None:
    """Raises ConfigurationError when something listens on 127.0.0.1:port."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ConfigurationError(f"Port {port} of 127.0.0.1 is taken.", "Stop what uses it, or name another.")


def _url(log: Path) -> str | None:
    found = _ENDPOINT.search(log.read_text(errors="replace"))
    return found[1] if found else None
