"""Certificates that a process of its own verifies get the verdicts that they get here, whatever becomes of it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ledger.adapters.verifier_process import FEW, VerifierProcess
from ledger.encoding import canonical_json
from ledger.trust import TrustRoot
from ledger.verifier import verify

FOLDER = Path(__file__).parent.parent / "vectors" / "certificates"
TRUST = TrustRoot.parse((FOLDER / "trust.json").read_bytes())


PATHS = [path for part in ("genuine", "forged") for path in sorted((FOLDER / part).glob("*.json"))[:60]]
FILES = [data for path in PATHS if (data := path.read_bytes().strip()) and b"\n" not in data]
WANTED = [verify(file, TRUST) for file in FILES]


@pytest.fixture
def process() -> Iterator[VerifierProcess]:
    verifier = VerifierProcess(TRUST)
    yield verifier
    verifier.close()


def pid_of(process: VerifierProcess) -> int:
    assert process._process, "no process was started"
    return process._process.pid


def test_many_files_get_the_verdicts_that_they_get_here(process: VerifierProcess) -> None:
    assert {verdict.valid for verdict in WANTED} == {True, False}
    assert list(process.verify(iter(FILES))) == WANTED
    assert list(process.verify(FILES[::-1])) == WANTED[::-1], "the second time too"
    assert pid_of(process)


def test_few_files_start_no_process(process: VerifierProcess) -> None:
    assert list(process.verify(FILES[:FEW])) == WANTED[:FEW]
    assert process._process is None


def test_what_a_killed_process_has_not_verified_is_verified_here(process: VerifierProcess) -> None:
    list(process.verify(FILES))
    killed = pid_of(process)

    def files() -> Iterator[bytes]:
        for number, file in enumerate(FILES):
            if number == len(FILES) // 2:
                os.kill(killed, signal.SIGKILL)
            yield file

    assert list(process.verify(files())) == WANTED
    assert list(process.verify(FILES)) == WANTED
    assert pid_of(process) != killed, "and there is a new one"


def test_files_that_cannot_be_made_leave_the_process_as_it_was(process: VerifierProcess) -> None:
    def files() -> Iterator[bytes]:
        yield from FILES[: FEW + 5]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        process.verify(files())
    assert list(process.verify(FILES)) == WANTED


@pytest.mark.parametrize("file", [b"", b"{\n}"])
def test_what_is_no_line_is_refused_before_it_is_taken_for_others(process: VerifierProcess, file: bytes) -> None:
    with pytest.raises(ValueError, match="canonical"):
        process.verify([*FILES, file])
    assert list(process.verify(FILES)) == WANTED


def test_it_ends_with_whoever_started_it_and_knows_no_secret_of_his() -> None:
    program = (
        "import os, pathlib, signal\n"
        "from tests.ports.test_verifier_process import FILES, TRUST, VerifierProcess, pid_of\n"
        "process = VerifierProcess(TRUST)\n"
        "list(process.verify(FILES))\n"
        "print(pid_of(process), pathlib.Path(f'/proc/{pid_of(process)}/environ').read_text(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "KHALAYAK_PASSWORD": "very secret"}
    printed = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True).stdout
    number, known = printed.split(" ", 1)
    assert "secret" not in known
    ended = os.pidfd_open(int(number)) if Path(f"/proc/{number}").exists() else None
    if ended is not None:
        assert select.select([ended], [], [], 30)[0], "the process outlives whoever started it"


def test_it_ends_without_a_word_when_nobody_reads_its_verdicts_any_more() -> None:
    command = [sys.executable, "-m", "ledger.adapters.verifier_process"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdout.close()
        lines = [canonical_json(TRUST.as_json()), *FILES, b""]
        with suppress(BrokenPipeError):  # it may have ended by then
            process.stdin.write(b"\n".join([*lines, b""]))
        with suppress(BrokenPipeError):
            process.stdin.close()
        assert process.stderr.read() == b""
