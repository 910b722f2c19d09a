"""DocumentStore in a folder: one file a document, named by its CID. For a single machine and as an exit from IPFS."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ledger.cid import cid_of, normalise, verify
from ledger.errors import DocumentMissing, DocumentStoreUnavailable, TooLarge


class DirectoryStore:
    """Implements ledger.ports.DocumentStore. Folders are 0700, files 0600. Any number of processes may share one."""

    name = "directory"

    def __init__(self, path: Path) -> None:
        """Makes the folder where it is missing. Raises DocumentStoreUnavailable."""
        self._root = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._unavailable("cannot be made", error) from error

    def put(self, data: bytes) -> str:
        cid = cid_of(data)
        target = self._path(cid)
        try:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            # A file that is already there is written again: it may be damaged, or not on the disk yet.
            self._write(target, data)
            _sync_directory(target.parent)
            _sync_directory(self._root)
        except OSError as error:
            raise self._unavailable("cannot be written", error) from error
        return cid

    def put_many(self, items: Iterable[bytes]) -> list[str]:
        cids = []
        try:
            for data in items:
                cids.append(cid_of(data))
                target = self._path(cids[-1])
                target.parent.mkdir(mode=0o700, exist_ok=True)
                self._write(target, data, sync=False)
            os.sync()
        except OSError as error:
            raise self._unavailable("cannot be written", error) from error
        return cids

    def get(self, cid: str, size_limit: int) -> bytes:
        cid = normalise(cid)
        try:
            with self._path(cid).open("rb") as file:
                data = file.read(size_limit + 1)
        except FileNotFoundError as error:
            if not self._root.is_dir():
                raise self._unavailable("is gone", error) from error
            raise DocumentMissing(
                f"Document {cid} is not in the directory store.", "Look in another store or a backup."
            ) from error
        except OSError as error:
            raise self._unavailable("cannot be read", error) from error
        if len(data) > size_limit:
            raise TooLarge(f"Document {cid} is larger than {size_limit} bytes.", "Raise the limit if it should be.")
        verify(cid, data)
        return data

    def has(self, cid: str) -> bool:
        """Whether a file is there. Its bytes are checked by `get` only."""
        path = self._path(normalise(cid))
        try:
            if path.is_file():
                return True
            self._root.stat()
        except OSError as error:
            raise self._unavailable("cannot be read", error) from error
        return False

    def _path(self, cid: str) -> Path:
        # All CIDs begin alike; the last letter but two carries five bits of the digest, the last does not.
        return self._root / cid[-3:-1] / cid

    def _write(self, target: Path, data: bytes, sync: bool = True) -> None:
        descriptor, name = tempfile.mkstemp(prefix=".new-", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                if sync:
                    os.fsync(file.fileno())
            Path(name).replace(target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()
            raise

    def _unavailable(self, what: str, error: OSError) -> DocumentStoreUnavailable:
        return DocumentStoreUnavailable(
            f"The document folder {self._root} {what}: {error.strerror or error}.",
            "Check that its disk is mounted, has room, and belongs to the user of this service.",
        )


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
