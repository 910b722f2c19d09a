"""`make demo` as a newcomer meets it, and what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DEMO = ROOT / "build" / "demo"
FRAUDS = {
    "1-changed-field": 8,
    "2-changed-document": 11,
    "3-hidden-mandatory-field": 8,
    "4-stale-history": 6,
    "5-forged-state-proof": 5,
    "6-block-that-no-witness-signed": 3,
}


@pytest.fixture(scope="module")
def output() -> str:
    command = [sys.executable, "-m", "scripts.demo"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def khalayak(*arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-m", "scripts.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_demo_refuses_all_seven_frauds_and_says_so(output: str) -> None:
    assert output.count("refused by check") == 6
    assert "refused on chain" in output and "TooFewApprovals" in output


def test_certificate_and_absence_verify_with_the_network_off(output: str) -> None:
    prefix = ("unshare", "-n") if shutil.which("unshare") and os.geteuid() == 0 else ()
    if not prefix:
        pytest.skip("needs `unshare -n` as root to turn the network off")
    document = ("--document", f"{DEMO}/document.pdf")
    verified = khalayak("verify", *document, f"{DEMO}/certificate.json", prefix=prefix)
    assert verified.returncode == 0 and verified.stdout.startswith("OK: "), verified.stdout + verified.stderr
    absent = khalayak("verify", f"{DEMO}/absent.json", prefix=prefix)
    assert absent.returncode == 0 and "never issued as of block" in absent.stdout


@pytest.mark.parametrize(("name", "check"), FRAUDS.items())
def test_each_fraud_is_refused_by_its_own_check(output: str, name: str, check: int) -> None:
    document = DEMO / "frauds" / f"{name}.pdf"
    chosen = document if document.exists() else DEMO / "document.pdf"
    arguments = ("--json", "--trust", f"{DEMO}/trust.json", "--document", str(chosen))
    result = khalayak("verify", *arguments, f"{DEMO}/frauds/{name}.json")
    verdict = json.loads(result.stdout)
    refused = [c["number"] for c in verdict["checks"] if c["outcome"] in ("failed", "unknown")]
    assert (result.returncode, verdict["valid"], refused) == (1, False, [check])


def test_demo_leaves_no_process_behind(output: str) -> None:
    port = re.search(r"hardhat on 127\.0\.0\.1:(\d+)", output)
    assert port
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [c for c in commands if port[1].encode() in c.split(b"\0") or b"build/demo/ipfs" in c]


def test_nothing_personal_is_on_chain_or_in_the_summary(output: str) -> None:
    certificate = json.loads((DEMO / "certificate.json").read_text())
    holder = next(f["value"] for f in certificate["content"]["fields"] if f["name"] == "holder")
    on_chain = json.dumps([certificate["entries"], certificate["approvers"], certificate["state"]])
    assert holder not in on_chain and holder not in output
