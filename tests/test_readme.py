"""README's commands, run as they stand, in order, against the stack that `make up` starts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
# These three are run by tests/e2e/test_demo.py, by whoever runs this test, and by the fixture below.
TARGETS = ["make demo\n", "make test\n", "make up\n"]
COMMANDS = [block for block in BLOCKS if block not in TARGETS]
CHANGING = re.compile(
    r"[0-9a-f]{32,}|baf\w+|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\d+ (s|min) old|\(\d+ s;|block \d+|[\d,]+ bytes"
    r"|127\.0\.0\.1:\d+|directory(, 1 kubo)? store"
)


@pytest.fixture(scope="module")
def stack() -> Iterator[None]:
    command = [sys.executable, "-m", "scripts.up"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        assert any("registrar-3.json" in line for line in lines), "`make up` did not start; are its ports taken?"
        time.sleep(1)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and rest.strip().endswith("Stopped: API, service, document store and devnet."), rest


def test_every_target_that_readme_names_exists() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True).stdout
    for block in TARGETS:
        assert block in BLOCKS
    for target in set(re.findall(r"make ([a-z]+)", README)) - {"help"}:
        assert re.search(rf"^{target}\b", listed, re.MULTILINE), target


def test_commands_of_readme_run_in_order_and_print_what_it_shows(stack: None) -> None:
    demo = subprocess.run([sys.executable, "-m", "scripts.demo"], cwd=ROOT, check=True, capture_output=True, text=True)
    venv = Path(sys.executable).parent
    script = "\n".join(["set -euo pipefail", *COMMANDS]).replace(".venv/bin", str(venv))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KHALAYAK_")}
    result = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "state         certified" in result.stdout
    assert result.stdout.count("OK: ") == 5
    printed = CHANGING.sub("#", demo.stdout + result.stdout)
    shown = "".join(re.findall(r"^```text\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))
    assert [line for line in CHANGING.sub("#", shown).splitlines() if line not in printed] == []
