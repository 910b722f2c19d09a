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
from itertools import chain, islice
from subprocess import PIPE, Popen  # nosec B404
from threading import Lock
from typing import IO

import orjson
import structlog

from ledger.encoding import canonical_json
from ledger.trust import TrustRoot
from ledger.verdict import Verdict
from ledger.verifier import verify

FEW = 25  # so many are verified sooner here than a process starts
AHEAD = 1 << 20  # bytes of files that may wait for the process, so that it never waits for the next one
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
        made, and here where the process has ended before its time."""
        files = iter(files)
        few = list(islice(files, FEW + 1))
        if len(few) <= FEW:
            return (verify(file, self._trust) for file in few)
        with self._lock:
            sent, verdicts = self._verified(chain(few, files))
        return chain(verdicts, (verify(file, self._trust) for file in sent[len(verdicts) :]))

    def close(self) -> None:
        with self._lock:
            self._end()

    def _verified(self, files: Iterator[bytes]) -> tuple[list[bytes], list[Verdict]]:
        """All the files, and the verdicts of those that the process came to."""
        process = self._running()
        assert process.stdin and process.stdout
        sent, whole = list[bytes](), False
        with ThreadPoolExecutor(1) as reader:
            verdicts = reader.submit(_read, process.stdout)
            try:
                with suppress(OSError):  # it has ended
                    for file in files:
                        if not file or b"\n" in file:
                            raise ValueError("a certificate that is not in canonical JSON")
                        sent.append(file)
                        process.stdin.write(file + b"\n")
                    whole = True
            finally:
                with suppress(OSError):
                    process.stdin.write(b"\n")
                    process.stdin.flush()
            found = verdicts.result()
        if not whole or len(found) < len(sent):
            log.warning("the verifier process has ended", verified=len(found))
            self._end()
        return [*sent, *files], found

    def _running(self) -> Popen[bytes]:
        if self._process is None:
            # No secret of the office is in its environment.
            environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            command = [sys.executable, "-m", "ledger.adapters.verifier_process"]
            self._process = Popen(command, stdin=PIPE, stdout=PIPE, env=environment, pipesize=AHEAD)  # nosec B603
            assert self._process.stdin
            with suppress(OSError):
                self._process.stdin.write(canonical_json(self._trust.as_json()) + b"\n")
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            with suppress(OSError):
                process.communicate()


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
