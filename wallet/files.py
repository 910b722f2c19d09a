"""Files that hold a secret: readable by their owner alone, written wholly or not at all."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wallet.errors import KeystoreExists, KeystoreInvalid, KeystoreMissing, WalletError

MAX_BYTES = 64 << 10


def write_private(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write `data` with mode 0600, durable when this returns; a crash leaves the old file or the new one.
    Raises KeystoreExists, WalletError (the file system refuses)."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_synced(temporary, data)
            _publish(temporary, path, overwrite)
        finally:
            temporary.unlink(missing_ok=True)
        sync_directory(path.parent)
    except OSError as error:
        raise WalletError(f"{path} cannot be written: {error.strerror}.") from None


def _write_synced(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _publish(temporary: Path, path: Path, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(path)
        return
    try:
        os.link(temporary, path)  # unlike a rename, a link never replaces a file made meanwhile
    except FileExistsError:
        raise KeystoreExists(f"{path} is there already.", "Choose another name; keys are not overwritten.") from None


def read_private(path: Path) -> bytes:
    """At most 64 KiB of a file that only its owner may read. Raises KeystoreMissing, KeystoreInvalid."""
    try:
        # O_NONBLOCK: opening a named pipe would otherwise wait for a writer for ever.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            info = os.fstat(file.fileno())
            if not stat.S_ISREG(info.st_mode):
                raise KeystoreInvalid(f"{path} is not a regular file.")
            if info.st_mode & 0o077:
                raise KeystoreInvalid(f"Others than its owner may read {path}.", f"Run: chmod 600 {path}")
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise KeystoreMissing(f"There is no key file {path}.", "Check the path, or create the key.") from None
    except OSError as error:
        raise KeystoreInvalid(f"{path} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise KeystoreInvalid(f"{path} is larger than {MAX_BYTES:,} bytes; it is not a key file.")
    return data


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait for the lock of a file; it is let go when the process ends, however it ends. Raises OSError."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
