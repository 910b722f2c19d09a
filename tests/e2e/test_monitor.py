"""`khalayak monitor` as a process of its own, killed between one change and the next."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.registers.forms import Change
from scripts.devnet import free_port
from tests.office import TestOffice, running_office


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("office")) as office:
        yield office


def command(desk: TestOffice, folder: Path, *more: str, rpc: str = "") -> list[str]:
    settings = desk.office.settings
    arguments = ["--rpc", rpc or settings.rpc_url, "--trust", str(settings.trust_file), "--state", str(folder / "m")]
    return [sys.executable, "-m", "scripts.cli", "monitor", *arguments, *more]


def test_each_change_is_printed_once_though_the_monitor_is_killed(desk: TestOffice, tmp_path: Path) -> None:
    watch = ["--watch", f"approver:{desk.registrars[0].address}"]
    first = subprocess.Popen(command(desk, tmp_path, *watch), stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    sequences = []
    try:
        for _ in range(2):
            desk.done("land", Change("issue", (desk.request(),)))
            sequences.append(json.loads(first.stdout.readline())["head"])
    finally:
        first.kill()
        first.communicate()
    desk.done("land", Change("issue", (desk.request(),)))
    for _ in range(2):
        done = subprocess.run(command(desk, tmp_path, *watch, "--once"), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        sequences += [json.loads(line)["head"] for line in done.stdout.splitlines()]
    # The last line before the kill was out, but perhaps not remembered yet.
    assert len(set(sequences)) == 3 and len(sequences) - 3 in (0, 1)
    assert sequences[0] not in sequences[1:]


def test_a_node_that_is_away_is_said_and_not_taken_for_silence(desk: TestOffice, tmp_path: Path) -> None:
    away = command(desk, tmp_path, "--watch", "nib:10.15.22.04.01234", "--once", rpc=f"http://127.0.0.1:{free_port()}")
    done = subprocess.run(away, capture_output=True, text=True, timeout=120)
    assert done.returncode == 5 and done.stdout == "" and "does not answer" in done.stderr
