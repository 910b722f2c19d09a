"""Documents from one store into another, and into archives and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ledger import car, unixfs
from ledger.car import Archive
from ledger.cid import RAW, Cid, blocks, cid_of, parse
from ledger.errors import BadInput, DocumentCorrupt, DocumentMissing
from ledger.ports import DocumentStore

ANY_SIZE = 1 << 50

Progress = Callable[[int], None]  # called with the number of documents that are done since the last call


@dataclass(frozen=True)
class Moved:
    """How many documents were stored now, how many were there before, and the CIDs of those that cannot be read."""

    stored: int
    before: int
    unreadable: tuple[str, ...]


def move(source: DocumentStore, target: DocumentStore, progress: Progress = lambda count: None) -> Moved:
    """Store in `target` all that `source` keeps and `target` does not. The source is left as it is. Run again after a
    crash, it goes on where it stopped. Raises DocumentStoreUnavailable."""
    there = set(target.cids())
    wanted = list(source.cids())
    missing = [cid for cid in wanted if cid not in there]
    progress(len(wanted) - len(missing))
    unreadable = list[str]()
    _store(target, _readable(source, missing, unreadable, progress), progress)
    return Moved(len(missing) - len(unreadable), len(wanted) - len(missing), tuple(unreadable))


def export(store: DocumentStore, cids: Iterator[str], file: BinaryIO, progress: Progress = lambda count: None) -> int:
    """Write the next documents as one archive to a file that can seek, as many as fit into one. Returns how many; 0
    where none are left, and the file is empty then. Raises DocumentMissing, DocumentCorrupt."""
    writer = car.Writer()
    file.write(car.header(Cid(RAW, bytes(32))))  # its root is known at the end
    while writer.has_room and (cid := next(cids, None)):
        file.writelines(writer.add(blocks(store.read(cid, ANY_SIZE))))
        progress(1)
    root = unixfs.directory(writer.documents)
    file.writelines(car.section(root))
    file.seek(0)
    file.write(car.header(root.cid))
    if not writer.documents:
        file.truncate(0)
    return len(writer.documents)


def restore(archive: Archive, store: DocumentStore, progress: Progress = lambda count: None) -> int:
    """Store every document of an archive. Returns how many. Raises BadInput where one has another CID here: it was
    made under another UnixFS profile."""
    for cid in archive.sizes:
        # Before anything is stored; a read proves its blocks, and not that they are cut as ours.
        if parse(cid_of(archive.read(cid))) != cid:
            raise BadInput(f"Document {cid} of the archive was made under another UnixFS profile.", "Add its file.")
    _store(store, ((str(cid), archive.read(cid)) for cid in archive.sizes), progress)
    return len(archive.sizes)


def _readable(
    source: DocumentStore, cids: Iterable[str], unreadable: list[str], progress: Progress
) -> Iterator[tuple[str, Iterator[bytes]]]:
    for cid in cids:
        try:
            # Read to its end before any of it is stored, and again where it is too big to be held meanwhile.
            pieces = [piece for piece in source.read(cid, ANY_SIZE) if parse(cid).codec == RAW]
        except (DocumentMissing, DocumentCorrupt):
            unreadable.append(cid)
            progress(1)
        else:
            yield cid, iter(pieces) if pieces else source.read(cid, ANY_SIZE)


def _store(target: DocumentStore, documents: Iterable[tuple[str, Iterator[bytes]]], progress: Progress) -> None:
    """Small documents together, big ones as streams."""

    def small() -> Iterator[bytes]:
        for cid, pieces in documents:
            if parse(cid).codec == RAW:
                yield b"".join(pieces)
            else:
                _check(cid, target.put_stream(pieces))
                progress(1)

    for batch in unixfs.batches(small(), len):
        target.put_many(batch)
        progress(len(batch))


def _check(cid: str, stored: str) -> None:
    if cid != stored:
        raise BadInput(f"Document {cid} was made under another UnixFS profile and is {stored} here.", "Add its file.")
