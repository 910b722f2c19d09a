"""Who can open what this office seals: its own key and those of its readers, sharing, and rotation."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ledger import sealing
from ledger.encoding import from_hex, to_hex
from ledger.errors import BadInput, ConfigurationError, Conflict, DocumentCorrupt, Refused
from ledger.model import StoredDocument
from ledger.ports import RecordStore
from wallet.files import read_private, sync_directory, write_private

OFFICE, HOLDER = "office", "holder"
MAX_NAME = 40
ROWS_A_STEP = 500


class ReaderKeys:
    """The office's private key, 32 bytes in a file, with its successor beside it while it is rotated; and the public
    keys of who reads along, a court say: `<name>.pub` in the folder of readers, one line of 0x and 64 hex digits."""

    def __init__(self, office_key: Path, readers: Path) -> None:
        self.current, self.readers = office_key, readers
        self.next = office_key.with_name(office_key.name + ".next")
        self._lock = office_key.with_name(office_key.name + ".lock")

    def private(self) -> list[bytes]:
        """The office's keys that may open a document; new ones are sealed for the first. Raises WalletError."""
        with self._locked(fcntl.LOCK_SH):
            return [*([read_private(self.next)] if self.next.exists() else []), read_private(self.current)]

    @contextmanager
    def sealing(self) -> Iterator[Mapping[str, bytes]]:
        """The public keys to seal for, by reader. No rotation begins before the block ends, in which what is sealed
        must be saved too. Raises WalletError, ConfigurationError."""
        with self._locked(fcntl.LOCK_SH):
            named = {path.stem: _read_public(path) for path in sorted(self.readers.glob("*.pub"))}
            yield {**named, OFFICE: public_key(self.private()[0])}

    def begin_rotation(self) -> None:
        """From here on all is sealed for a new key; where one was begun, for that one. Raises WalletError."""
        with self._locked(fcntl.LOCK_EX):
            if not self.next.exists():
                write_private(self.next, X25519PrivateKey.generate().private_bytes_raw())

    def end_rotation(self) -> None:
        """Destroy the old key: its bytes are overwritten, as far as the file system does that in place."""
        with self._locked(fcntl.LOCK_EX), self.current.open("r+b") as old:
            self.next.replace(self.current)
            sync_directory(self.current.parent)
            old.write(bytes(sealing.KEY_SIZE))
            old.flush()
            os.fsync(old.fileno())

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        with os.fdopen(os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)) as file:
            fcntl.flock(file, how)
            yield


def public_key(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def document_key(document: StoredDocument, private: Sequence[bytes]) -> bytes:
    """The key of a document by the office's wrap. Raises Refused (the office is no reader), DocumentCorrupt."""
    if OFFICE not in document.wraps:
        raise Refused(f"The office cannot open document {document.cid}.", "Ask one of its other readers.")
    return unwrap(document.wraps[OFFICE], private, document.cid)


def unwrap(wrapped: bytes, private: Sequence[bytes], cid: str) -> bytes:
    """What one of the office's keys opens. Raises DocumentCorrupt."""
    for key in private:
        try:
            return sealing.unwrap(wrapped, key, cid)
        except DocumentCorrupt:
            continue
    raise DocumentCorrupt(f"The office's key does not open document {cid}.", "Restore the key that it was sealed for.")


def share(store: RecordStore, private: Sequence[bytes], cid: str, reader: str, public: bytes) -> None:
    """Let a reader open a document, with this key from now on. Its CID stays. Raises BadInput, NotFound, Conflict."""
    _check_name(reader)
    document = store.document(cid)
    wrapped = sealing.wrap(document_key(document, private), public, document.cid)
    _save(store, document, {**document.wraps, reader: wrapped})


def unshare(store: RecordStore, cid: str, reader: str) -> None:
    """Take a reader's wrap away; what he has read or copied he keeps. Raises BadInput, NotFound, Conflict."""
    _check_name(reader)
    document = store.document(cid)
    if reader not in document.wraps:
        raise BadInput(f"{reader} is no reader of this document.", f"Its readers: {', '.join(document.wraps)}.")
    _save(store, document, {name: wrap for name, wrap in document.wraps.items() if name != reader})


def rotate(keys: ReaderKeys, store: RecordStore, progress: Callable[[int], None] = lambda documents: None) -> int:
    """Give the office a new key and wrap every document's key for it; how many were. After a crash the same call goes
    on. The old key is destroyed when no document needs it. Raises DocumentCorrupt, with both keys left, where a wrap
    opens with neither; WalletError, StoreUnavailable."""
    keys.begin_rotation()
    private, rewrapped = keys.private(), 0
    while step := _rewrap_all(store, private, progress):
        rewrapped += step
    keys.end_rotation()
    return rewrapped


def _rewrap_all(store: RecordStore, private: Sequence[bytes], progress: Callable[[int], None]) -> int:
    """One pass over all documents. It ends with none to do only when nothing changed under it."""
    after, found, new = "", 0, public_key(private[0])
    while page := store.documents(after, ROWS_A_STEP):
        changes = []
        for document in page:
            if OFFICE in document.wraps and not _opens(document, private[0]):
                wrapped = sealing.wrap(document_key(document, private), new, document.cid)
                changes.append((document, {**document.wraps, OFFICE: wrapped}))
        if changes:
            store.rewrap(changes)
        found, after = found + len(changes), page[-1].cid
        progress(len(page))
    return found


def _opens(document: StoredDocument, private: bytes) -> bool:
    try:
        sealing.unwrap(document.wraps[OFFICE], private, document.cid)
    except DocumentCorrupt:
        return False
    return True


def _save(store: RecordStore, document: StoredDocument, wraps: Mapping[str, bytes]) -> None:
    if not store.rewrap([(document, wraps)]):
        raise Conflict(f"Document {document.cid} was changed meanwhile.", "Look at it and try again.")


def _check_name(reader: str) -> None:
    # The others' wraps are made from the office's own: without it nobody could be added any more.
    if reader == OFFICE or not reader.strip() or len(reader) > MAX_NAME or not reader.isprintable():
        raise BadInput(f"A reader has a name of 1 to {MAX_NAME} characters other than {OFFICE}.", "", "/reader")


def parse_public_key(text: str, pointer: str = "") -> bytes:
    """An X25519 public key in hex. Raises BadInput, also for one of small order, for which nothing can be sealed."""
    key = from_hex(text, sealing.KEY_SIZE, pointer)
    try:
        sealing.check_public_key(key)
    except BadInput as error:
        raise BadInput(error.message, error.hint, pointer) from None
    return key


def _read_public(path: Path) -> bytes:
    try:
        return parse_public_key(path.read_text().strip())
    except (OSError, ValueError, BadInput):
        raise ConfigurationError(
            f"{path} is no public key of a reader.", "It holds one line: 0x and 64 hex digits of an X25519 key."
        ) from None


def public_line(private: bytes) -> str:
    """What a `.pub` file holds for the reader with this private key."""
    return to_hex(public_key(private)) + "\n"
