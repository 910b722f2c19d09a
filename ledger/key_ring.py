"""The key ring: a file of lines beside the office key, appended to for ever, each line durable before it counts.

Lines are JSON objects. A line ends with its newline: one that a crash has torn has none, was never acknowledged, and
is cut. What must go is overwritten where it stands: a new file would leave the old one's bytes on the disk.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ledger.errors import ConfigurationError, DocumentCorrupt, StoreUnavailable
from wallet.files import sync_directory

BLOCK = 64 << 10


class Line(NamedTuple):
    """`value` is None where the line is damaged; `number` counts from 1 and `offset` is where the line begins."""

    number: int
    offset: int
    value: dict[str, Any] | None


class KeyRing:
    """Any number of threads and processes may share one; they take turns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, lines: Sequence[dict[str, Any]]) -> None:
        """All of these, durable when it returns. Raises StoreUnavailable (nothing was added that counts),
        ConfigurationError."""
        text = b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)
        with self._open() as file:
            end = _cut(file)
            try:
                _write(file, end, text)
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    file.truncate(end)
                raise
            if end == 0:
                sync_directory(self.path.parent)

    def lines(self, beginning: bytes = b"") -> Iterator[Line]:
        """All that count, or those of one `beginning`, oldest first, as far as the file goes now; what was overwritten
        is left out. Raises StoreUnavailable, ConfigurationError."""
        if not self.path.exists():
            return
        with self._open() as file:
            end = os.fstat(file.fileno()).st_size
            # What is there is only ever overwritten by spaces: whoever appends meanwhile need not wait.
            fcntl.flock(file, fcntl.LOCK_UN)
            offset = number = 0
            while offset < end and (text := file.readline()).endswith(b"\n"):
                number += 1
                if text.startswith(beginning) and not text.startswith(b" "):
                    yield Line(number, offset, _parsed(text))
                offset += len(text)

    def at(self, offsets: Sequence[int]) -> list[dict[str, Any]]:
        """The lines that begin there. Raises StoreUnavailable, ConfigurationError, DocumentCorrupt."""
        with self._open() as file:
            return [_line_at(file, offset) for offset in offsets]

    def overwrite(self, offsets: Sequence[int]) -> None:
        """Put spaces over the lines that begin there. Raises StoreUnavailable, ConfigurationError."""
        with self._open() as file:
            for offset in offsets:
                file.seek(offset)
                length = len(file.readline()) - 1
                _write(file, offset, b" " * length)
            os.fsync(file.fileno())

    def rewrite(self, changes: Sequence[tuple[int, dict[str, Any]]]) -> None:
        """Put other lines of the same length where these begin. They are written behind the end first, so that a power
        cut that tears a line leaves its copy. Raises StoreUnavailable, ConfigurationError, DocumentCorrupt."""
        with self._open() as file:
            texts = [(offset, json.dumps(line, separators=(",", ":")).encode() + b"\n") for offset, line in changes]
            for offset, text in texts:
                file.seek(offset)
                if len(file.readline()) != len(text):
                    raise DocumentCorrupt("A line of the key ring was overwritten or is damaged.", "Begin again.")
            end = _cut(file)
            _write(file, end, b"".join(text for _, text in texts))
            os.fsync(file.fileno())
            for offset, text in texts:
                _write(file, offset, text)
            os.fsync(file.fileno())
            file.truncate(end)
            os.fsync(file.fileno())

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        try:
            with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    raise ConfigurationError(f"Others may read {self.path}.", f"Run: chmod 600 {self.path}")
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file
        except OSError as error:
            raise StoreUnavailable(f"The key ring {self.path} cannot be used: {error.strerror}.") from None


def _cut(file: BinaryIO) -> int:
    """Cut a torn line off the end; the file is then as long as this, and the next byte is written there."""
    end = file.seek(0, os.SEEK_END)
    whole = end
    while whole:
        start = max(0, whole - BLOCK)
        file.seek(start)
        found = file.read(whole - start).rfind(b"\n")
        if found >= 0:
            whole = start + found + 1
            break
        whole = start
    if whole < end:
        file.truncate(whole)
    return whole


def _write(file: BinaryIO, offset: int, data: bytes) -> None:
    """Past the file's buffer, which would be written again when the file is closed."""
    while data:
        written = os.pwrite(file.fileno(), data, offset)
        data, offset = data[written:], offset + written


def _line_at(file: BinaryIO, offset: int) -> dict[str, Any]:
    file.seek(offset)
    value = _parsed(file.readline())
    if value is None:
        raise DocumentCorrupt("A line of the key ring was overwritten or is damaged.", "Begin again.")
    return value


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
