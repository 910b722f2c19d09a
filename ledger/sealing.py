"""Sealing of documents: c2sp.org/chunked-encryption@v1 with AEAD_AES_256_GCM and SHA-256, a random key each.

Sealed form: salt (24 bytes), commitment (32), then each 16 KiB of the document with its 16-byte tag; the last chunk is
always shorter than 16 KiB and may be empty, which is how a cut is noticed. The commitment ties the bytes to one key.
Keys travel to readers wrapped with HPKE (RFC 9180), outside the sealed object, so that sharing never changes a CID.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Iterator
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from ledger.cid import normalise
from ledger.errors import BadInput, DocumentCorrupt

KEY_SIZE = 32
CHUNK_SIZE = 16 * 1024
TAG_SIZE = 16
HEADER_SIZE = 24 + 32

_SEALED_CHUNK_SIZE = CHUNK_SIZE + TAG_SIZE
_NONCE_SIZE = 12
_INFO = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"
_WRAP_INFO = b"khalayak/document-key@1"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def seal(plaintext: bytes) -> tuple[bytes, bytes]:
    """Seal under a new random key. Returns (key of 32 bytes, sealed bytes)."""
    key = secrets.token_bytes(KEY_SIZE)
    return key, b"".join(seal_stream(key, (plaintext,)))


def unseal(key: bytes, ciphertext: bytes) -> bytes:
    """The document. Raises DocumentCorrupt, BadInput (the key has not 32 bytes)."""
    return b"".join(unseal_stream(key, (ciphertext,)))


def seal_stream(key: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Seal a document that comes in pieces of any size. A key is for one document. Raises BadInput."""
    salt = secrets.token_bytes(24)
    aead, base_nonce, commitment = _derive(key, salt)
    yield salt + commitment
    for number, chunk in enumerate(_split(pieces, CHUNK_SIZE)):
        yield aead.encrypt(_nonce(base_nonce, number), chunk, None)


def unseal_stream(key: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The document in chunks, each authentic when it is yielded; only after the last is it known to be whole.
    Raises DocumentCorrupt, BadInput (the key has not 32 bytes)."""
    source = iter(pieces)
    start = b""
    while len(start) < HEADER_SIZE:
        piece = next(source, None)
        if piece is None:
            raise _corrupt("it is shorter than its header")
        start = start + piece if start else piece
    aead, base_nonce, commitment = _derive(key, start[:24])
    if not hmac.compare_digest(commitment, start[24:HEADER_SIZE]):
        raise _corrupt("it was sealed with another key, or its header was changed")

    def rest() -> Iterator[bytes | memoryview]:
        yield memoryview(start)[HEADER_SIZE:]
        yield from source

    for number, chunk in enumerate(_split(rest(), _SEALED_CHUNK_SIZE)):
        if len(chunk) < TAG_SIZE:
            raise _corrupt("its end is missing")
        try:
            yield aead.decrypt(_nonce(base_nonce, number), chunk, None)
        except InvalidTag as error:
            raise _corrupt(f"chunk {number} was changed, moved or cut") from error


def sealed_size(size: int) -> int:
    """How many bytes a document of `size` bytes has when it is sealed."""
    return HEADER_SIZE + size + TAG_SIZE * (size // CHUNK_SIZE + 1)


class Sealer:
    """Seals one document while it is read, under a new random `key`; its `sha256` and `size` (bytes) are known when all
    pieces were taken. Holds one chunk at a time."""

    def __init__(self) -> None:
        self.key = secrets.token_bytes(KEY_SIZE)
        self.size = 0
        self._hash = sha256()

    def pieces(self, plaintext: Iterable[bytes]) -> Iterator[bytes]:
        return seal_stream(self.key, self._noting(plaintext))

    @property
    def sha256(self) -> bytes:
        return self._hash.digest()

    def _noting(self, plaintext: Iterable[bytes]) -> Iterator[bytes]:
        for piece in plaintext:
            self._hash.update(piece)
            self.size += len(piece)
            yield piece


def check_public_key(public_key: bytes) -> None:
    """Raises BadInput for what is no X25519 key, or one of small order, for which nothing can be sealed."""
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(public_key))
    except ValueError as error:
        raise BadInput("The reader's public key is not an X25519 key of 32 bytes.", "Ask the reader again.") from error


def wrap(document_key: bytes, reader_public_key: bytes, cid: str) -> bytes:
    """The document's key for one reader: HPKE base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.

    `reader_public_key` is the 32 bytes of an X25519 key. Returns 80 bytes: encapsulated key, then sealed key. The CID
    of the sealed document ends the HPKE info, so that a wrap opens for its own document only. Raises BadInput.
    """
    _check_key(document_key)
    info = _wrap_info(cid)
    try:
        return _SUITE.encrypt(document_key, X25519PublicKey.from_public_bytes(reader_public_key), info)
    except ValueError as error:
        raise BadInput("The reader's public key is not an X25519 key of 32 bytes.", "Ask the reader again.") from error


def unwrap(wrapped: bytes, reader_private_key: bytes, cid: str) -> bytes:
    """The document key out of `wrap`. `reader_private_key` is 32 bytes. Raises DocumentCorrupt (not for this reader or
    this document, or changed), BadInput."""
    info = _wrap_info(cid)
    try:
        private_key = X25519PrivateKey.from_private_bytes(reader_private_key)
    except ValueError as error:
        raise BadInput("The reader's private key is not an X25519 key of 32 bytes.", "Check the key file.") from error
    try:
        document_key = _SUITE.decrypt(wrapped, private_key, info)
    except (InvalidTag, ValueError) as error:
        raise DocumentCorrupt(
            f"The wrapped key does not open for this reader and document {normalise(cid)}.",
            "It was made for another reader or another document, or was changed.",
        ) from error
    _check_key(document_key)
    return document_key


def _derive(key: bytes, salt: bytes) -> tuple[AESGCM, bytes, bytes]:
    _check_key(key)
    length = KEY_SIZE + _NONCE_SIZE + 32
    derived = HKDFExpand(SHA256(), length, _INFO + salt).derive(key)
    aead = AESGCM(derived[:KEY_SIZE])
    return aead, derived[KEY_SIZE : KEY_SIZE + _NONCE_SIZE], derived[KEY_SIZE + _NONCE_SIZE :]


def _nonce(base: bytes, number: int) -> bytes:
    return (int.from_bytes(base, "big") ^ number).to_bytes(_NONCE_SIZE, "big")


def _split(pieces: Iterable[bytes | memoryview], size: int) -> Iterator[bytes | memoryview]:
    """Chunks of exactly `size`, then always one that is shorter, empty where nothing is left."""
    carry = b""
    for piece in pieces:
        view = memoryview(carry + piece if carry else piece)
        whole = len(view) - len(view) % size
        for start in range(0, whole, size):
            yield view[start : start + size]
        carry = bytes(view[whole:])
    yield carry


def _wrap_info(cid: str) -> bytes:
    return _WRAP_INFO + b"/" + normalise(cid).encode()


def _check_key(key: bytes) -> None:
    if len(key) != KEY_SIZE:
        raise BadInput(f"A document key has {KEY_SIZE} bytes, this one has {len(key)}.", "Check where it was kept.")


def _corrupt(why: str) -> DocumentCorrupt:
    return DocumentCorrupt(f"The sealed document cannot be opened: {why}.", "Fetch it again, or use its own key.")
