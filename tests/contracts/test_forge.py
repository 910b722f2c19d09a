"""Runs the Solidity tests: contracts/test/, unit, fuzz and invariant."""

from __future__ import annotations

import subprocess

from scripts.node import WORKSPACE, foundry


def test_the_solidity_tests_pass() -> None:
    """Fuzzing has a fixed seed: hardhat-local/foundry.toml."""
    result = subprocess.run([foundry("forge"), "test"], cwd=WORKSPACE, capture_output=True, text=True, timeout=280)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "invariant_the_head_commits_to_the_whole_history" in result.stdout, result.stdout
