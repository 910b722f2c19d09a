"""`make demo` as a newcomer meets it, and what it leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import khalayak

ROOT = Path(__file__).parent.parent.parent
FRAUDS = {
    "1-changed-field": 8,
    "2-changed-document": 11,
    "3-hidden-mandatory-field": 8,
    "4-stale-history": 6,
    "5-forged-state-proof": 5,
    "6-block-that-no-witness-signed": 3,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo is run: it writes to build/demo of it."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder: Path) -> Path:
    return folder / "build" / "demo"


@pytest.fixture(scope="module")
def output(folder: Path) -> str:
    command = [sys.executable, "-m", "scripts.demo"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=170)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def processes_in(folder: Path) -> set[int]:
    """Those that were started in a folder, as all that the demo starts."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or belongs to another
            if (process / "cwd").readlink() == folder.resolve():
                found.add(int(process.name))
    return found


def test_demo_refuses_all_seven_frauds_and_says_so(output: str) -> None:
    assert output.count("refused by check") == 6
    assert "refused on chain" in output and "TooFewApprovals" in output


def test_certificate_and_absence_verify_with_the_network_off(output: str, demo: Path) -> None:
    if not (shutil.which("unshare") and os.geteuid() == 0):
        pytest.skip("needs `unshare -n` as root to turn the network off")
    command = ["unshare", "-n", sys.executable, "-m", "scripts.cli", "verify"]
    for arguments, answer in (
        (["--document", demo / "document.pdf", demo / "certificate.json"], "OK: active"),
        ([demo / "absent.json"], "OK: never issued as of block"),
    ):
        done = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stdout.startswith(answer), done.stdout + done.stderr


@pytest.mark.parametrize(("name", "check"), FRAUDS.items())
def test_each_fraud_is_refused_by_its_own_check(output: str, demo: Path, name: str, check: int) -> None:
    document = demo / "frauds" / f"{name}.pdf"
    chosen = document if document.exists() else demo / "document.pdf"
    arguments = ("--json", "--trust", demo / "trust.json", "--document", chosen)
    code, said = khalayak("verify", *arguments, demo / "frauds" / f"{name}.json")
    verdict = json.loads(said)
    refused = [c["number"] for c in verdict["checks"] if c["outcome"] in ("failed", "unknown")]
    assert (code, verdict["valid"], refused) == (1, False, [check])


def test_demo_leaves_no_process_behind(output: str, folder: Path) -> None:
    assert "hardhat on 127.0.0.1:" in output
    with subprocess.Popen(["cat"], cwd=folder, stdin=subprocess.PIPE) as ours:
        assert processes_in(folder) == {ours.pid}
    assert processes_in(folder) == set()


def test_nothing_personal_is_on_chain_or_in_the_summary(output: str, demo: Path) -> None:
    certificate = json.loads((demo / "certificate.json").read_text())
    holder = next(f["value"] for f in certificate["content"]["fields"] if f["name"] == "holder")
    on_chain = json.dumps([certificate["entries"], certificate["approvers"], certificate["state"]])
    assert holder not in on_chain and holder not in output
