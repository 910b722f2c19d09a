"""Verification in a process of its own, which knows the trust root and the files that it is given, and nothing else of
this office: so it is where many certificates are made that a second core verifies them meanwhile.

Run as a program it reads lines: first the trust root, then files in canonical JSON, which has no line breaks. It writes
the verdict of each as a line, an empty line for an empty one, and ends where its input does: so also when whoever
started it was killed.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fcntl import ioctl
from itertools import chain, islice
from subprocess import PIPE, Popen  # nosec B404
from termios import FIONREAD
from threading import Lock
from typing import IO, Any

import orjson
import structlog

from ledger.encoding import canonical_json
from ledger.trust import TrustRoot
from ledger.verdict import Verdict
from ledger.verifier import verify

FEW = 25  # so many are verified sooner here than a process starts
AHEAD = 1 << 20  # bytes of files that can wait for the process
ENOUGH = AHEAD * 7 // 8  # that do wait for it: then it does not wait for the next one
AT_ONCE = AHEAD // 16  # a thread that writes gives way to the others each time
VALUES_UNCOLLECTED = 100_000  # a certificate is a thousand, none of them in a cycle

log = structlog.get_logger()


class VerifierProcess:
    """The process starts with the first call that has more than a few files. Safe to share between threads."""

    def __init__(self, trust: TrustRoot) -> None:
        self._trust = trust
        self._process: Popen[bytes] | None = None
        self._lock = Lock()

    def verify(self, files: Iterable[bytes]) -> Iterator[Verdict]:
        """The verdict of each of these certificates in canonical JSON, in order. They are verified while the next are
        made: by the process, and here while it has enough before it, or has ended before its time."""
        files = iter(files)
        few = list(islice(files, FEW + 1))
        if len(few) <= FEW:
            return (verify(file, self._trust) for file in few)
        with self._lock:
            return iter(self._verified(chain(few, files)))

    def close(self) -> None:
        with self._lock:
            self._end()

    def _verified(self, files: Iterator[bytes]) -> list[Verdict]:
        process, is_there = self._running(), True
        assert process.stdin and process.stdout
        sent, verdicts = dict[int, bytes](), dict[int, Verdict]()
        with ThreadPoolExecutor(1) as reader:
            reading = reader.submit(_read, process.stdout)
            try:
                for number, file in enumerate(files):
                    if not file or b"\n" in file:
                        raise ValueError("a certificate that is not in canonical JSON")
                    if is_there and _unread(process.stdin) < ENOUGH:
                        sent[number] = file
                        is_there = _write(process.stdin, file)
                    else:
                        verdicts[number] = verify(file, self._trust)
            finally:
                _write(process.stdin, b"")
                with suppress(OSError):
                    process.stdin.flush()
            verdicts.update(zip(sent, reading.result(), strict=False))
        if missing := sent.keys() - verdicts.keys():
            log.warning("the verifier process has ended", missing=len(missing))
            self._end()
        verdicts.update((number, verify(sent[number], self._trust)) for number in missing)
        return [verdicts[number] for number in sorted(verdicts)]

    def _running(self) -> Popen[bytes]:
        if self._process is None:
            # No secret of the office is in its environment.
            environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            command = [sys.executable, "-m", "ledger.adapters.verifier_process"]
            pipes: dict[str, Any] = {"stdin": PIPE, "stdout": PIPE, "pipesize": AHEAD, "bufsize": AT_ONCE}
            self._process = Popen(command, env=environment, **pipes)  # nosec B603
            assert self._process.stdin
            _write(self._process.stdin, canonical_json(self._trust.as_json()))
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            with suppress(OSError):
                process.communicate()


def _unread(pipe: IO[bytes]) -> int:
    return int.from_bytes(ioctl(pipe, FIONREAD, bytes(4)), sys.byteorder)


def _write(pipe: IO[bytes], line: bytes) -> bool:
    """False if whoever reads has ended."""
    try:
        pipe.write(line + b"\n")
    except OSError:
        return False
    return True


def _read(verdicts: IO[bytes]) -> list[Verdict]:
    """Those before the empty line, or before the end."""
    found = list[Verdict]()
    while line := verdicts.readline().strip():
        found.append(Verdict.from_json(orjson.loads(line)))
    return found


def main() -> None:
    trust = TrustRoot.parse(sys.stdin.buffer.readline())
    gc.set_threshold(VALUES_UNCOLLECTED)
    for line in sys.stdin.buffer:
        file = line.strip()
        sys.stdout.buffer.write((orjson.dumps(verify(file, trust).as_json()) if file else b"") + b"\n")
        if not file:
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        os._exit(1)  # whoever started it was killed; to close the pipe would fail once more
