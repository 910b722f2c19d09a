"""Slither finds nothing of weight. Where it is wrong, the code says why, on the line it is told to skip."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from scripts.compile import CONTRACTS, SETTINGS, _sources
from scripts.node import SOLC

SLITHER = Path(__file__).parents[2] / ".tools" / "slither" / "bin" / "slither"
OUTPUT = {"": ["ast"], "*": ["abi", "metadata", "devdoc", "userdoc", "evm.bytecode", "evm.deployedBytecode"]}


def findings(folder: Path, sources: dict[str, str]) -> list[str]:
    """What slither says of these sources with an impact of medium or more."""
    for name, text in sources.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    contents = {name: {"content": text} for name, text in sources.items()}
    settings = {**SETTINGS, "outputSelection": {"*": OUTPUT}}
    standard_input = {"language": "Solidity", "sources": contents, "settings": settings}
    (folder / "input.json").write_text(json.dumps(standard_input))
    compiler = ["--compile-force-framework", "solc-json", "--solc", str(SOLC)]
    command = [str(SLITHER), "input.json", *compiler, "--filter-paths", "@openzeppelin", "--json", "-"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert run.stdout, run.stderr
    report = json.loads(run.stdout)
    assert report["success"], report["error"]
    found = report["results"].get("detectors", [])
    return [f"{f['check']}: {f['description']}" for f in found if f["impact"] in ("High", "Medium")]


@pytest.fixture(autouse=True)
def _needs_slither() -> None:
    if not SLITHER.exists():
        pytest.skip("slither is not installed: run `make slither`")


def test_slither_finds_nothing_of_weight(tmp_path: Path) -> None:
    assert findings(tmp_path, _sources()) == []


def test_slither_does_find_a_contract_that_anybody_can_end(tmp_path: Path) -> None:
    # Alone, since the others take long and have just been read.
    contract = "contract Open { function end(address payable to) external { selfdestruct(to); } }"
    sources = {"Open.sol": f"pragma solidity ^0.8.0; {contract}"}
    assert any(finding.startswith("suicidal") for finding in findings(tmp_path, sources))


def test_every_line_that_slither_skips_says_why() -> None:
    text = "".join(path.read_text() for path in CONTRACTS.glob("*.sol"))
    assert all(" - " in line for line in re.findall(r"slither-disable.*", text))
