"""FAULTS rows 35 and 36: a node whose disk is full, and a node of a version that nobody has tried."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ledger.adapters.document_audit import audit
from ledger.adapters.kubo_store import KuboStore
from tests.faults.documents import BIG, SMALL, bring_all, data_of, documents_at, fail_at
from tests.kubo import Daemon, ipfs_or_skip, proxied, says, start_kubo

_ON_A_SMALL_DISK = """#!/bin/sh
[ "$1" = daemon ] || exec {ipfs} "$@"
echo $$ > "$IPFS_PATH/pid"
exec unshare -Umr sh -c '
    cp -r "$IPFS_PATH/blocks" "$IPFS_PATH/kept" && mount -t tmpfs -o size=16m none "$IPFS_PATH/blocks" &&
    cp -r "$IPFS_PATH/kept/." "$IPFS_PATH/blocks" && exec {ipfs} "$@"' sh "$@"
"""


@contextmanager
def node_on_a_small_disk(folder: Path) -> Iterator[tuple[str, Path]]:
    """A node whose blocks lie on a disk of 16 MiB of their own, and where that disk is seen from outside."""
    if not shutil.which("unshare") or subprocess.run(["unshare", "-Umr", "true"], capture_output=True).returncode:
        pytest.skip("needs `unshare -Umr`, for a small disk of the node's own")
    program, repo = folder / "ipfs", folder / "kubo"
    program.write_text(_ON_A_SMALL_DISK.format(ipfs=ipfs_or_skip()))
    program.chmod(0o755)
    with start_kubo(program, repo) as address:
        pid = (repo / "pid").read_text().strip()
        yield address, Path(f"/proc/{pid}/root{repo}/blocks")


def test_fault_35_a_node_whose_disk_is_full_is_an_alarm_and_gets_what_waits_once_it_has_room(
    tmp_path: Path, daemons: list[Daemon]
) -> None:
    with node_on_a_small_disk(tmp_path) as (address, disk):
        store = documents_at(tmp_path, [address, daemons[0].address], quorum=2)
        (disk / "filler").write_bytes(bytes(15 << 20))
        data = [data_of(SMALL, f"full {number}") for number in range(60)]
        cids = [*store.put_many(data), store.put(data_of(BIG, "full"))]
        with capture_logs() as logs:
            fail_at(store, 0)
        assert "no space left on device" in store.states()[0].problem
        alarms = [(log["log_level"], log["node"]) for log in logs if log["event"] == "documents_wait"]
        assert alarms == [("error", address)]
        assert store.below_quorum(cids)
        assert [store.get(cid, SMALL) for cid in cids[:-1]] == data
        (disk / "filler").unlink()
        with capture_logs() as logs:
            bring_all(store)
        assert [log["node"] for log in logs if log["event"] == "documents_flow"] == [address]
        assert store.below_quorum(cids) == []
        assert list(audit(store)) == []


def test_fault_36_a_node_of_an_unknown_version_works_and_is_named_in_the_log(
    tmp_path: Path, daemons: list[Daemon]
) -> None:
    with proxied(daemons[0].address) as proxy:
        proxy.changes["version"] = says(json.dumps({"Version": "1.0.0-future"}).encode())
        store = documents_at(tmp_path, [proxy.address])
        with capture_logs() as logs:
            cids = store.put_many([data_of(SMALL, f"version {number}") for number in range(3)])
            bring_all(store)
            assert list(audit(store)) == []
        named = [(log["log_level"], log["version"]) for log in logs if log["event"] == "ipfs_node"]
        assert named == [("warning", "1.0.0-future")]
        assert KuboStore(proxy.address).get(cids[0], SMALL) == data_of(SMALL, "version 0")
