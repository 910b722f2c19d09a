"""Find and start a private Kubo node that speaks to nobody but us."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ledger.errors import Unavailable
from scripts.tools.process import find_tool, running, wait_for

_LOOPBACK = "/ip4/127.0.0.1/tcp/0"


def find_ipfs() -> Path | None:
    """KHALAYAK_IPFS_BIN, else `ipfs` on PATH, else the one that `make tools` built. Raises ConfigurationError."""
    return find_tool("ipfs", "KHALAYAK_IPFS_BIN")


@contextmanager
def start_kubo(ipfs: Path, repo: Path) -> Iterator[str]:
    """Run a daemon over `repo`, made when it is not there, and yield the multiaddr of its RPC API on 127.0.0.1,
    on a port that is free at its first start and the same from then on. Its log is `repo`/daemon.log. Raises
    Unavailable."""
    # Telemetry is on by default since Kubo 0.37.
    environment = {"IPFS_PATH": str(repo), "IPFS_TELEMETRY": "off"}
    if not (repo / "config").is_file():
        _initialise(ipfs, repo, environment)
    log, address_file = repo / "daemon.log", repo / "api"
    address_file.unlink(missing_ok=True)

    def address() -> str | None:
        return address_file.read_text().strip() or None if address_file.is_file() else None

    with running([ipfs, "daemon", "--offline"], log, environment) as process:
        found = wait_for(process, log, address)
        _configure(repo, lambda config: config["Addresses"].update(API=found))
        yield found


@contextmanager
def document_store(repo: Path) -> Iterator[str]:
    """The value of KHALAYAK_DOCUMENTS for a demo: a daemon over `repo` where an `ipfs` is found, else the directory."""
    ipfs = find_ipfs()
    if ipfs is None:
        yield "directory"
        return
    with start_kubo(ipfs, repo) as address:
        yield address


def _initialise(ipfs: Path, repo: Path, environment: dict[str, str]) -> None:
    repo.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = subprocess.run(
        [ipfs, "init", "--empty-repo", "--profile=server,test"], env=environment, capture_output=True, text=True
    )
    if made.returncode != 0:
        raise Unavailable(f"{ipfs} cannot make a repository in {repo}.", made.stderr.strip())
    _configure(repo, _make_private)


def _configure(repo: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = repo / "config"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config, indent=2))


def _make_private(config: dict[str, Any]) -> None:
    """The configuration without a way out: no peers, no routing, nothing fetched, all on loopback. And durable."""
    config["Addresses"].update({"API": _LOOPBACK, "Gateway": [], "Swarm": [_LOOPBACK]})
    config["Bootstrap"] = []
    config["AutoConf"] = {"Enabled": False}
    config["AutoTLS"] = {"Enabled": False}
    config["Routing"] = {"Type": "none", "DelegatedRouters": []}
    config["DNS"] = {"Resolvers": {}}
    config["Ipns"]["DelegatedPublishers"] = []
    # Kubo's default leaves blocks in the page cache: a document that was acknowledged can be lost with the power.
    for mount in config["Datastore"]["Spec"]["mounts"]:
        if mount["type"] == "flatfs":
            mount["sync"] = True
    config["Swarm"]["Transports"] = {"Network": {"QUIC": False, "WebTransport": False, "WebRTCDirect": False}}
