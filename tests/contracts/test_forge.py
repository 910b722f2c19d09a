"""Runs the Solidity tests of contracts/test/, unit, fuzz and invariant, and reports each of them by its name."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from scripts.compile import CONTRACTS
from scripts.node import WORKSPACE, foundry

SUITES = sorted(path.name for path in (CONTRACTS / "test").glob("*.t.sol"))


@pytest.fixture(scope="module")
def results() -> dict[str, dict[str, Any]]:
    """What forge says, by file. Fuzzing has a fixed seed: hardhat-local/foundry.toml."""
    command = [str(foundry("forge")), "test", "--json"]
    run = subprocess.run(command, cwd=WORKSPACE, capture_output=True, text=True, timeout=900)
    lines = [line for line in run.stdout.splitlines() if line.startswith("{")]
    assert lines, run.stdout + run.stderr
    suites = json.loads(lines[-1])
    return {name.split(":")[0].rsplit("/", 1)[-1]: suite["test_results"] for name, suite in suites.items()}


@pytest.mark.parametrize("suite", SUITES)
def test_the_solidity_tests_pass(results: dict[str, dict[str, Any]], suite: str) -> None:
    failures = [f"{name}: {r['reason']}" for name, r in results[suite].items() if r["status"] != "Success"]
    assert results[suite] and not failures, "\n".join(failures)


def test_histories_are_searched_for_a_broken_chain(results: dict[str, dict[str, Any]]) -> None:
    assert any(name.startswith("invariant_the_head_commits") for name in results["History.t.sol"])
