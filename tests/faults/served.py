"""`khalayak serve` as the process that an operator starts, and requests to it as an attacker would send them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ledger.settings import Settings
from scripts.tools.process import running, wait_for

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Served:
    """A process that serves an office at `url`."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def processor_seconds(self) -> float:
        """That it has used until now."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_memory(self) -> int:
        """The most it ever had, in kB."""
        return self._status("VmHWM")

    def memory(self) -> int:
        return self._status("VmRSS")

    def _status(self, name: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith(name)).split()[1])

    def end(self, how: signal.Signals) -> int:
        """Its exit code."""
        self.process.send_signal(how)
        return self.process.wait(60)

    def send_raw(self, head: bytes, body: Iterable[bytes] = (), *, leaves: bool = False) -> tuple[bytes, int]:
        """The answer to an application whose body goes on until the server answers or closes, and the bytes of body
        sent. Who `leaves` closes its side when it has sent the body."""
        place = urlsplit(self.url)
        sent, answer = 0, bytearray()
        with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
            connection.sendall(b"POST /v1/land/issue HTTP/1.1\r\nHost: t\r\n%s\r\n" % head)

            def read() -> None:
                # Each of these answers is one JSON object or a line, and then the connection may stay open.
                # One that closes with a body unread takes it back with a reset.
                with suppress(OSError):
                    while not answer.endswith((b"}", b"received.")) and (received := connection.recv(65536)):
                        answer.extend(received)

            reader = threading.Thread(target=read)
            reader.start()
            try:
                for piece in body:
                    if answer:
                        break
                    connection.sendall(piece)
                    sent += len(piece)
                if leaves:
                    connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            reader.join()
        return bytes(answer), sent


@contextmanager
def served(settings: Settings, *options: str) -> Iterator[Served]:
    """Until the block ends; it may have ended before."""
    environment = {"KHALAYAK_" + name.upper(): str(value) for name, value in settings.model_dump().items()}
    command = [sys.executable, "-m", "scripts.cli", "serve", "--listen", "127.0.0.1:0", *options]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with running(command, log, environment) as process:
            yield Served(wait_for(process, log, lambda: _url(log), 60), process, log)


def _url(log: Path) -> str | None:
    found = re.search(r"^Serves on (\S+)$", log.read_text(), re.MULTILINE)
    return found[1] if found else None
