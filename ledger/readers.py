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
from ledger.errors import BadInput, ConfigurationError, DocumentCorrupt, Refused
from ledger.model import StoredDocument
from ledger.ports import RecordStore
from wallet.files import read_private, sync_directory, write_private

OFFICE, HOLDER = "office", "holder"
ROWS_A_STEP = 500
Progress = Callable[[int], None]


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


def rotate(keys: ReaderKeys, parts: Sequence[Callable[[Progress], int]], progress: Progress = lambda done: None) -> int:
    """Give the office a new key and let each part (`rewrap`, then `renew` and `rewrap` of Dossiers) wrap what it keeps
    for it; how much was. After a crash the same call goes on. The old key is destroyed when no part needs it. Raises
    DocumentCorrupt, with both keys left, where a wrap opens with neither; WalletError, Unavailable."""
    keys.begin_rotation()
    rewrapped = 0
    # A pass that found nothing to do saw no change under it either: since the rotation began, all is for the new key.
    while step := sum(part(progress) for part in parts):
        rewrapped += step
    keys.end_rotation()
    return rewrapped


def rewrap(keys: ReaderKeys, store: RecordStore, progress: Progress) -> int:
    """One pass over all documents; how many wraps were not the new key's."""
    private = keys.private()
    after, found, new = "", 0, public_key(private[0])
    while page := store.documents(after, ROWS_A_STEP):
        changes = []
        for document in page:
            if OFFICE in document.wraps and not opens(document.wraps[OFFICE], private[0], document.cid):
                wrapped = sealing.wrap(document_key(document, private[1:]), new, document.cid)
                changes.append((document, {**document.wraps, OFFICE: wrapped}))
        if changes:
            store.rewrap(changes)
        found, after = found + len(changes), page[-1].cid
        progress(len(page))
    return found


def opens(wrapped: bytes, private: bytes, cid: str) -> bool:
    try:
        sealing.unwrap(wrapped, private, cid)
    except DocumentCorrupt:
        return False
    return True


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
