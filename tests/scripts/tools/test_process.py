from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import ConfigurationError, Unavailable
from scripts.tools import build
from scripts.tools.geth import find_geth, start_geth
from scripts.tools.process import find_tool, running, wait_for

ROOT = Path(__file__).parents[3]


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int) -> bool:
    for _ in range(200):
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


def test_a_program_and_its_children_end_with_the_block(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(["sh", "-c", "sleep 600 & echo $!; wait"], log) as process:
        child = int(wait_for(process, log, lambda: log.read_text().strip() or None))
        assert alive(child)
    assert gone(child) and process.poll() is not None


def test_a_program_ends_when_its_starter_is_killed(tmp_path: Path) -> None:
    starter = (
        "import sys, time, pathlib; from scripts.tools.process import running\n"
        f"with running(['sleep', '600'], pathlib.Path({str(tmp_path / 'log')!r})) as process:\n"
        "    print(process.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", starter], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent:
        child = int(parent.stdout.readline())
        assert alive(child)
        os.kill(parent.pid, signal.SIGKILL)
    assert gone(child)


def test_a_program_that_ends_before_it_is_ready_is_reported_with_what_it_said(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with (
        pytest.raises(Unavailable, match=r"ended with code 3.*port is taken"),
        running(["sh", "-c", "echo port is taken; exit 3"], log) as process,
    ):
        wait_for(process, log, lambda: None)


def test_a_setting_names_the_program_and_must_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHALAYAK_TEST_BIN", sys.executable)
    assert find_tool("no-such-tool", "KHALAYAK_TEST_BIN") == Path(sys.executable)
    monkeypatch.setenv("KHALAYAK_TEST_BIN", "/no/such/program")
    with pytest.raises(ConfigurationError, match="KHALAYAK_TEST_BIN"):
        find_tool("sh", "KHALAYAK_TEST_BIN")
    monkeypatch.delenv("KHALAYAK_TEST_BIN")
    assert find_tool("no-such-tool", "KHALAYAK_TEST_BIN") is None


def test_without_go_the_build_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "TOOL_DIRECTORY", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build.main(["kubo"]) == 0
    assert "kubo cannot be built: no Go of version 1.26.5 or newer" in capsys.readouterr().err


def test_a_tool_is_built_again_when_its_pins_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules, tools = tmp_path / "go", tmp_path / "bin"
    (modules / "geth").mkdir(parents=True)
    tools.mkdir()
    monkeypatch.setattr(build, "MODULES", modules)
    monkeypatch.setattr(build, "TOOL_DIRECTORY", tools)
    (modules / "geth" / "go.sum").write_text("")
    (modules / "geth" / "main.go").write_text("package main\n\nfunc main() {}\n")
    go = build.find_go()
    if go is None:
        pytest.skip("no Go of version 1.26.5 or newer on PATH")
    (modules / "geth" / "go.mod").write_text("module example.test/geth\n\ngo 1.26\n\ntool example.test/geth\n")
    assert not build.is_built("geth")
    assert build.main(["geth"]) == 0
    assert build.is_built("geth") and sorted(path.name for path in tools.iterdir()) == ["geth", "geth.stamp"]
    (modules / "geth" / "go.sum").write_text("\n")
    assert not build.is_built("geth")
    (modules / "geth" / "main.go").write_text("package main\n\nfunc main() { broken }\n")
    assert build.main(["geth"]) == 1
    assert not build.is_built("geth") and sorted(path.name for path in tools.iterdir()) == ["geth", "geth.stamp"]


def test_geth_keeps_its_chain_when_it_is_started_again(tmp_path: Path) -> None:
    geth = find_geth()
    if geth is None:
        pytest.skip("no geth: run `make tools` (needs Go) or set KHALAYAK_GETH_BIN")

    def ask(address: str, method: str, *parameters: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["result"]

    def first_block(address: str) -> Any:
        for _ in range(200):
            block = ask(address, "eth_getBlockByNumber", "0x1", False)
            if block:
                return block["hash"]
            time.sleep(0.05)
        pytest.fail("no block within ten seconds")

    with start_geth(geth, tmp_path) as address:
        before = first_block(address)
        assert ask(address, "eth_chainId") == hex(1337)
    with start_geth(geth, tmp_path) as address:
        assert first_block(address) == before
