"""Runs halmos over contracts/test/symbolic/: rules of the approval check and of the heads, for all inputs in bounds.

A `check_` must hold for all inputs; a `refute_` must have a counterexample, so that what holds is not about nothing.
Bounds: arrays of one (of up to three approvals in the approval check), signatures of 65 bytes, batches of one leaf.
Assumed: ecrecover and SHA-256 are functions of their input, keccak has no collisions.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.compile import ARTIFACTS, CONTRACTS
from scripts.node import WORKSPACE, foundry

HALMOS = Path(__file__).parents[2] / ".tools" / "halmos" / "bin" / "python"
# halmos 0.3.3 takes the bytes of what is hashed with SHA-256 (33 of a leaf, 65 of a node) for its bits, and fails.
LAUNCH = """
import sys
from halmos.__main__ import main
from halmos.utils import BitVecSorts
BitVecSorts.cache |= {size: BitVecSorts[8 * size] for size in (33, 65)}
sys.exit(main())
"""
BOUNDS = ["--default-array-lengths", "1", "--array-lengths", "place.path=0", "--default-bytes-lengths", "65"]
HOLDS, REFUTED = 0, 1
SUITES = sorted(path.name for path in (CONTRACTS / "test" / "symbolic").glob("*.t.sol"))
# By which a contract can see who calls, or run the code of others, or end.
FORBIDDEN = {
    0x32: "ORIGIN",
    0x33: "CALLER",
    0x3A: "GASPRICE",
    0x41: "COINBASE",
    0xF0: "CREATE",
    0xF1: "CALL",
    0xF2: "CALLCODE",
    0xF4: "DELEGATECALL",
    0xF5: "CREATE2",
    0xFF: "SELFDESTRUCT",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What halmos says, by file."""
    if not HALMOS.exists():
        pytest.skip("halmos is not installed: run `make halmos`")
    report = tmp_path_factory.mktemp("halmos") / "report.json"
    options = ["--function", "(check|refute)_", "--loop", "4", "--no-status", "--json-output", str(report)]
    command = [str(HALMOS), "-c", LAUNCH, "--forge-build-out", "out/symbolic", *options, *BOUNDS]
    path = f"{foundry('forge').parent}{os.pathsep}{os.environ['PATH']}"
    # halmos looks for its solver in the environment that is active, which is ours under `make test`.
    own = {"FOUNDRY_PROFILE": "symbolic", "PATH": path, "VIRTUAL_ENV": str(HALMOS.parents[1])}
    environment = {**os.environ, **own}
    run = subprocess.run(command, cwd=WORKSPACE, env=environment, capture_output=True, text=True, timeout=900)
    assert report.exists(), run.stdout + run.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    for name, tests in json.loads(report.read_text())["test_results"].items():
        found.setdefault(name.split(":")[0].rsplit("/", 1)[-1], []).extend(tests)
    return found


@pytest.mark.parametrize("suite", SUITES)
def test_what_is_to_hold_holds_and_what_is_to_be_refuted_is(results: dict[str, Any], suite: str) -> None:
    wanted = {"check": HOLDS, "refute": REFUTED}
    wrong = [test for test in results[suite] if test["exitcode"] != wanted[test["name"].split("_")[0]]]
    assert results[suite] and not wrong


@pytest.mark.parametrize("suite", SUITES)
def test_no_loop_is_cut_short(results: dict[str, Any], suite: str) -> None:
    assert not [test["name"] for test in results[suite] if test["num_bounded_loops"]]


def opcodes(code: bytes) -> Iterator[int]:
    """The instructions of some code, without the data that they push."""
    position = 0
    while position < len(code):
        opcode = code[position]
        yield opcode
        position += opcode - 0x5E if 0x60 <= opcode <= 0x7F else 1


@pytest.mark.parametrize("name", ["BatchRegister", "IdentityRegister", "LandRegister"])
def test_who_sends_has_no_say(name: str) -> None:
    artifact = json.loads((ARTIFACTS / f"{name}.json").read_text())
    code = bytes.fromhex(artifact["deployedBytecode"].removeprefix("0x"))
    assert not {FORBIDDEN[opcode] for opcode in opcodes(code) if opcode in FORBIDDEN}


def test_the_sender_is_seen_where_it_has_a_say() -> None:
    artifact = json.loads((ARTIFACTS / "Authority.json").read_text())
    assert 0x33 in opcodes(bytes.fromhex(artifact["deployedBytecode"].removeprefix("0x")))
