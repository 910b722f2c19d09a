"""Start a program that ends with us, whatever ends us, and find the one to start."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from ledger.errors import ConfigurationError, Unavailable
from scripts.tools import TOOL_DIRECTORY

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
T = TypeVar("T")


def find_tool(name: str, setting: str) -> Path | None:
    """The program that environment variable `setting` names, else `name` on PATH, else ours. None where there is none.
    Raises ConfigurationError when the setting names no program."""
    named = os.environ.get(setting)
    if named:
        path = shutil.which(named)
        if path is None:
            raise ConfigurationError(f"{setting} is {named!r}, which is no program.", "Correct it or unset it.")
        return Path(path)
    found = shutil.which(name) or shutil.which(name, path=str(TOOL_DIRECTORY))
    return Path(found) if found else None


@contextlib.contextmanager
def running(
    command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` in a process group of its own, its output in `log`. On leaving, the whole group is gone: SIGTERM,
    then SIGKILL after 10 s. If we are killed first, the kernel kills it."""
    parent = os.getpid()

    def die_with_parent() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    try:
        yield process
    finally:
        _stop(process)


def wait_for(process: subprocess.Popen[bytes], log: Path, probe: Callable[[], T | None], seconds: float = 30) -> T:
    """What `probe` returns once it is not None. Raises Unavailable, with the end of the log, when the program ends
    first or does not get ready within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        result = probe()
        if result is not None:
            return result
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(errors="replace").strip().splitlines()[-5:]
            state = "did not get ready" if process.poll() is None else f"ended with code {process.returncode}"
            raise Unavailable(f"{process.args!r} {state}.", " | ".join(said) or "It said nothing.")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
