"""Documents for people outside the office, as age files (age-encryption.org/v1): any age tool opens them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import pyrage

from ledger.errors import BadInput, KhalayakError

MIN_PASSPHRASE = 12


class Writer(Protocol):
    def write(self, data: bytes, /) -> int: ...


def write_for_recipient(plaintext: Iterable[bytes], recipient: str, to: Writer) -> None:
    """Encrypt to an age recipient (age1…), a chunk at a time. What is raised while `plaintext` is read comes out as it
    is; `to` then holds half a file. Raises BadInput."""
    try:
        key = pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise BadInput("This is no age recipient.", "It begins with age1; `age-keygen -y` prints it.") from None
    source = _Pieces(iter(plaintext))
    try:
        pyrage.encrypt_io(source, to, [key])
    except pyrage.EncryptError as error:
        raise source.failure or KhalayakError(f"The age file cannot be written: {error}.") from None


def for_passphrase(plaintext: Iterable[bytes], passphrase: str) -> bytes:
    """Encrypt with a passphrase (scrypt). All is in memory: the library offers nothing else. Raises BadInput."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise BadInput(f"A passphrase has {MIN_PASSPHRASE} characters at least.", "Take several words.")
    return bytes(pyrage.passphrase.encrypt(b"".join(plaintext), passphrase))


class _Pieces:
    """A file to read from, made of pieces. `failure` is what our own code raised in between."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, bytearray()
        self.failure: KhalayakError | None = None

    def read(self, size: int) -> bytes:
        try:
            while len(self._rest) < size and (piece := next(self._pieces, None)) is not None:
                self._rest += piece
        except KhalayakError as error:
            self.failure = error
            raise
        given = bytes(self._rest[:size])
        del self._rest[:size]
        return given
