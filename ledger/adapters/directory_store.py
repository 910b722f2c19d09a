"""DocumentStore in a folder: one file a document, named by its CID. For a single machine and as an exit from IPFS."""

from __future__ import annotations

import ctypes
import os
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from ledger.cid import CHUNK_SIZE, RAW, Cid, blocks, cid_of, normalise, parse
from ledger.errors import DocumentCorrupt, DocumentMissing, DocumentStoreUnavailable, TooLarge
from ledger.unixfs import batches

_NEW = ".new-"
_ABANDONED_SECONDS = 24 * 3600
_libc = ctypes.CDLL(None, use_errno=True)


class DirectoryStore:
    """Implements ledger.ports.DocumentStore. Folders are 0700, files 0600. Any number of processes may share one."""

    name = "directory"

    def __init__(self, path: Path) -> None:
        """Makes the folder where it is missing. Raises DocumentStoreUnavailable."""
        self._root = path
        with self._disk("cannot be made"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Files that a process was writing when it was killed.
            for left in path.glob(f"{_NEW}*"):
                with suppress(FileNotFoundError):
                    if left.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                        left.unlink()

    def put(self, data: bytes) -> str:
        return self.put_stream((data,))

    def put_stream(self, pieces: Iterable[bytes]) -> str:
        with self._disk("cannot be written"), self._new_file() as (file, new):
            root: Cid | None = None
            for block in blocks(pieces):
                root = block.cid
                if root.codec == RAW:
                    file.write(block.data)
            file.flush()
            os.fsync(file.fileno())
            cid = str(root)
            # A file that is already there is replaced: it may be damaged, or not on the disk yet.
            self._place(new, cid)
            _sync(self._path(cid).parent)
            _sync(self._root)
        return cid

    def put_many(self, documents: Iterable[bytes]) -> list[str]:
        """Two syncs of the file system store some thousand documents: the bytes before the names that they replace."""
        cids = list[str]()
        with self._disk("cannot be written"):
            for batch in batches(documents, len):
                named = [cid_of(data) for data in batch]
                self._put_batch(dict(zip(named, batch, strict=True)))
                cids += named
        return cids

    def _put_batch(self, documents: Mapping[str, bytes]) -> None:
        for folder in {cid[-3:-1] for cid in documents}:
            (self._root / folder).mkdir(mode=0o700, exist_ok=True)
        written, prefix = list[tuple[str, str]](), f"{self._root}/{_NEW}{secrets.token_hex(8)}-"
        try:
            for cid, data in documents.items():
                written.append((prefix + cid, self._name(cid)))
                _write(prefix + cid, data)
            self._sync_all()
            while written:
                os.replace(*written[-1])  # noqa: PTH105
                written.pop()
            self._sync_all()
        finally:
            for new, _ in written:
                Path(new).unlink(missing_ok=True)

    def get(self, cid: str, size_limit: int) -> bytes:
        return b"".join(self.read(cid, size_limit))

    def read(self, cid: str, size_limit: int) -> Iterator[bytes]:
        """Reads a big file twice: the tree of its hashes tells whether a piece is right, and is known at its end."""
        wanted = parse(cid)
        with self._opened(str(wanted)) as file:
            if wanted.codec == RAW:
                yield _leaf(file, wanted, size_limit)
                return
            leaves, root = list[bytes](), None
            for block in blocks(_pieces(file, wanted, size_limit)):
                root = block.cid
                if root.codec == RAW:
                    leaves.append(root.digest)
            if root != wanted:
                raise _corrupt(wanted)
            file.seek(0)
            for leaf in leaves:
                piece = file.read(CHUNK_SIZE)
                if sha256(piece).digest() != leaf:
                    raise _corrupt(wanted)
                yield piece

    def read_once(self, cid: str, size_limit: int) -> Iterator[bytes | memoryview]:
        """The pieces of a document as they are read, for who lets go of them when DocumentCorrupt is raised at the end:
        only then is it known whether they are that document."""
        wanted, root = parse(cid), None
        with self._opened(str(wanted)) as file:
            for block in blocks(_pieces(file, wanted, size_limit)):
                root = block.cid
                if root.codec == RAW:
                    yield block.data
        if root != wanted:
            raise _corrupt(wanted)

    def has(self, cid: str) -> bool:
        path = self._path(normalise(cid))
        with self._disk("cannot be read"):
            if path.is_file():
                return True
            self._root.stat()
        return False

    def cids(self) -> Iterator[str]:
        with self._disk("cannot be read"):
            for folder in sorted(self._root.iterdir()):
                if len(folder.name) == 2 and folder.is_dir():
                    yield from sorted(path.name for path in folder.iterdir() if path.name.startswith("b"))

    def delete(self, cid: str) -> None:
        path = self._path(normalise(cid))
        with self._disk("cannot be written"):
            if path.is_file():
                path.unlink()
                _sync(path.parent)

    def _path(self, cid: str) -> Path:
        return Path(self._name(cid))

    def _name(self, cid: str) -> str:
        # All CIDs begin alike; the last letter but two carries five bits of the digest, the last does not.
        return f"{self._root}/{cid[-3:-1]}/{cid}"

    @contextmanager
    def _new_file(self) -> Iterator[tuple[BinaryIO, Path]]:
        """A file to write, which is removed at the end unless it was moved away."""
        descriptor, name = tempfile.mkstemp(prefix=_NEW, dir=self._root)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file, Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def _place(self, new: Path, cid: str) -> None:
        target = self._path(cid)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        new.replace(target)

    @contextmanager
    def _opened(self, cid: str) -> Iterator[FileIO]:
        with self._disk("cannot be read"):
            try:
                with FileIO(self._name(cid)) as file:
                    yield file
            except FileNotFoundError as error:
                if not self._root.is_dir():
                    raise self._unavailable("is gone", error) from error
                raise DocumentMissing(
                    f"Document {cid} is not in the directory store.", "Look in another store or a backup."
                ) from error

    def _sync_all(self) -> None:
        """Everything on the file system of this store is on the disk when it returns."""
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if _libc.syncfs(descriptor):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
        finally:
            os.close(descriptor)

    @contextmanager
    def _disk(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._unavailable(what, error) from error

    def _unavailable(self, what: str, error: OSError) -> DocumentStoreUnavailable:
        return DocumentStoreUnavailable(
            f"The document folder {self._root} {what}: {error.strerror or error}.",
            "Check that its disk is mounted, has room, and belongs to the user of this service.",
        )


def _write(path: str, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)


def _leaf(file: FileIO, cid: Cid, size_limit: int) -> bytes:
    size = os.fstat(file.fileno()).st_size
    if size > size_limit:
        raise _too_large(cid, size_limit)
    data = file.readall() if size <= CHUNK_SIZE else b""
    if sha256(data).digest() != cid.digest or size > CHUNK_SIZE:
        raise _corrupt(cid)
    return data


def _pieces(file: FileIO, cid: Cid, size_limit: int) -> Iterator[bytes]:
    left = size_limit
    while piece := file.read(CHUNK_SIZE):
        left -= len(piece)
        if left < 0:
            raise _too_large(cid, size_limit)
        yield piece


def _too_large(cid: Cid, size_limit: int) -> TooLarge:
    return TooLarge(f"Document {cid} is larger than {size_limit} bytes.", "Raise the limit if it should be.")


def _corrupt(cid: Cid) -> DocumentCorrupt:
    return DocumentCorrupt(
        f"The file of document {cid} does not hold that document.", "Fetch it from another store: this copy is damaged."
    )


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
