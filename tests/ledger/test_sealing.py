from __future__ import annotations

import hashlib
import hmac
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.cid import cid_of
from ledger.errors import BadInput, DocumentCorrupt
from ledger.sealing import (
    CHUNK_SIZE,
    HEADER_SIZE,
    Sealer,
    seal,
    seal_stream,
    sealed_size,
    unseal,
    unseal_stream,
    unwrap,
    wrap,
)

SEALED_CHUNK = CHUNK_SIZE + 16
SIZES = [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE, 3 * CHUNK_SIZE + 7]
CID = cid_of(b"a sealed document")
OTHER_CID = cid_of(b"another one")


def data_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def hkdf_expand(key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 section 2.3, written out."""
    out, last = b"", b""
    for counter in range(1, 256):
        last = hmac.new(key, last + info + bytes((counter,)), hashlib.sha256).digest()
        out += last
        if len(out) >= length:
            break
    return out[:length]


def seal_by_the_spec(key: bytes, salt: bytes, plaintext: bytes) -> bytes:
    """c2sp.org/chunked-encryption@v1, read from its text without a look at ledger.sealing."""
    derived = hkdf_expand(key, b"c2sp.org/chunked-encryption@v1+" + b"AEAD_AES_256_GCM" + b"\x00" + salt, 76)
    out = salt + derived[44:]
    for number in range(len(plaintext) // 16384 + 1):
        counter = number.to_bytes(12, "big")
        nonce = bytes(a ^ b for a, b in zip(derived[32:44], counter, strict=True))
        out += AESGCM(derived[:32]).encrypt(nonce, plaintext[number * 16384 : (number + 1) * 16384], b"")
    return out


@pytest.mark.parametrize("size", SIZES)
def test_sealed_form_is_the_one_the_specification_gives(size: int) -> None:
    key, sealed = seal(data_of(size))
    assert sealed == seal_by_the_spec(key, sealed[:24], data_of(size))
    assert len(sealed) == 56 + size + 16 * (size // CHUNK_SIZE + 1)
    assert unseal(bytes(range(32)), seal_by_the_spec(bytes(range(32)), bytes(24), data_of(size))) == data_of(size)


def test_sealed_bytes_of_a_known_key_and_salt_never_change() -> None:
    sealed = seal_by_the_spec(bytes(range(32)), bytes(range(24)), b"Sertipikat Hak Milik" * 2000)
    assert hashlib.sha256(sealed).hexdigest() == "788ac620c51a2d14cc65c54fb4b1e48d32dd90677a4caff5aad9a6a98145922d"
    assert unseal(bytes(range(32)), sealed) == b"Sertipikat Hak Milik" * 2000


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=2 * CHUNK_SIZE + 5), st.integers(1, 40_000))
def test_what_was_sealed_in_any_pieces_opens_in_any_pieces(data: bytes, piece: int) -> None:
    def pieces(of: bytes) -> Iterator[bytes]:
        for start in range(0, len(of), piece):
            yield of[start : start + piece]

    key = hashlib.sha256(data).digest()
    sealed = b"".join(seal_stream(key, pieces(data)))
    assert b"".join(unseal_stream(key, pieces(sealed))) == data
    assert unseal(key, sealed) == data


def test_two_seals_of_one_document_share_nothing() -> None:
    (key_1, sealed_1), (key_2, sealed_2) = seal(b"same"), seal(b"same")
    assert key_1 != key_2 and sealed_1[:24] != sealed_2[:24] and sealed_1[-20:] != sealed_2[-20:]


def test_every_flipped_byte_is_refused() -> None:
    key, sealed = seal(data_of(100))
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(DocumentCorrupt):
            unseal(key, bytes(changed))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_flipped_byte_of_a_long_document_is_refused(draw: st.DataObject) -> None:
    key, sealed = LONG
    changed = bytearray(sealed)
    changed[draw.draw(st.integers(0, len(sealed) - 1))] ^= draw.draw(st.integers(1, 255))
    with pytest.raises(DocumentCorrupt):
        unseal(key, bytes(changed))


LONG = seal(data_of(3 * CHUNK_SIZE + 100))


@pytest.mark.parametrize("size", [2 * CHUNK_SIZE, 2 * CHUNK_SIZE + 100])
def test_a_cut_at_every_chunk_border_and_beside_it_is_refused(size: int) -> None:
    key, sealed = seal(data_of(size))
    borders = [0, 24, HEADER_SIZE, HEADER_SIZE + SEALED_CHUNK, HEADER_SIZE + 2 * SEALED_CHUNK, len(sealed)]
    for cut in {border + beside for border in borders for beside in (-17, -16, -1, 0, 1, 15, 16, 17)}:
        if 0 <= cut < len(sealed):
            with pytest.raises(DocumentCorrupt):
                unseal(key, sealed[:cut])


def test_bytes_that_follow_the_end_are_refused() -> None:
    key, sealed = LONG
    for more in (b"\0", bytes(16), sealed[-116:], sealed[HEADER_SIZE:]):
        with pytest.raises(DocumentCorrupt):
            unseal(key, sealed + more)


def test_swapped_repeated_and_dropped_chunks_are_refused() -> None:
    key, sealed = LONG
    header, body = sealed[:HEADER_SIZE], sealed[HEADER_SIZE:]
    chunks = [body[start : start + SEALED_CHUNK] for start in range(0, len(body), SEALED_CHUNK)]
    for order in ([1, 0, 2, 3], [0, 0, 2, 3], [0, 2, 3], [1, 2, 3], [0, 1, 3, 2], [0, 1, 2, 2, 3]):
        with pytest.raises(DocumentCorrupt):
            unseal(key, header + b"".join(chunks[number] for number in order))


def test_another_key_is_refused_before_anything_is_decrypted() -> None:
    _, sealed = LONG
    with pytest.raises(DocumentCorrupt, match="another key"):
        next(unseal_stream(bytes(32), [sealed]))


def test_errors_show_neither_key_nor_content() -> None:
    key, sealed = seal(b"nama pemilik")
    with pytest.raises(DocumentCorrupt) as caught:
        unseal(key, sealed[:-1])
    assert key.hex() not in str(caught.value) and repr(key) not in str(caught.value) and "nama" not in str(caught.value)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_bad_input(length: int) -> None:
    for action in (
        lambda: unseal(bytes(length), LONG[1]),
        lambda: list(seal_stream(bytes(length), [b""])),
        lambda: wrap(bytes(length), public(READER), CID),
        lambda: wrap(bytes(32), bytes(length), CID),
        lambda: unwrap(bytes(80), bytes(length), CID),
    ):
        with pytest.raises(BadInput):
            action()


READER, STRANGER = bytes(range(32)), bytes(range(1, 33))


def public(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def open_by_the_rfc(wrapped: bytes, private: bytes, info: bytes) -> bytes:
    """RFC 9180, base mode, single shot, written out: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM."""

    def extract(salt: bytes, suite: bytes, label: bytes, value: bytes) -> bytes:
        return hmac.new(salt, b"HPKE-v1" + suite + label + value, hashlib.sha256).digest()

    def expand(key: bytes, suite: bytes, label: bytes, value: bytes, length: int) -> bytes:
        return hkdf_expand(key, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + value, length)

    encapsulated, sealed = wrapped[:32], wrapped[32:]
    kem, suite = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x02"
    shared = X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(encapsulated))
    eae = extract(b"", kem, b"eae_prk", shared)
    secret = expand(eae, kem, b"shared_secret", encapsulated + public(private), 32)
    context = b"\x00" + extract(b"", suite, b"psk_id_hash", b"") + extract(b"", suite, b"info_hash", info)
    root = extract(secret, suite, b"secret", b"")
    key, nonce = expand(root, suite, b"key", context, 32), expand(root, suite, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, sealed, b"")


def test_a_wrap_opens_for_its_reader_and_document() -> None:
    key, _ = LONG
    wrapped = wrap(key, public(READER), CID)
    assert unwrap(wrapped, READER, CID) == key
    assert unwrap(wrapped, READER, CID.upper()) == key
    assert open_by_the_rfc(wrapped, READER, b"khalayak/document-key@1/" + CID.encode()) == key
    assert len(wrapped) == 80 and wrap(key, public(READER), CID) != wrapped


def test_a_wrap_opens_for_no_other_reader_or_document_and_not_when_changed() -> None:
    wrapped = wrap(LONG[0], public(READER), CID)
    flipped = [wrapped[:at] + bytes((wrapped[at] ^ 1,)) + wrapped[at + 1 :] for at in range(len(wrapped))]
    attempts = [(wrapped, STRANGER, CID), (wrapped, READER, OTHER_CID), (wrapped[:-1], READER, CID), (b"", READER, CID)]
    for bytes_, reader, cid in attempts + [(changed, READER, CID) for changed in flipped]:
        with pytest.raises(DocumentCorrupt, match="does not open"):
            unwrap(bytes_, reader, cid)


def test_a_public_key_of_small_order_is_bad_input() -> None:
    with pytest.raises(BadInput, match="public key"):
        wrap(bytes(32), bytes(32), CID)


BIG = """
import hashlib, sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from ledger.adapters.directory_store import DirectoryStore
from ledger.sealing import Sealer, sealed_size, unseal_stream
store, sealer, piece = DirectoryStore(Path(sys.argv[1])), Sealer(), bytes(range(256)) * 4096
before = getrusage(RUSAGE_SELF).ru_maxrss
cid = store.put_stream(sealer.pieces(piece for _ in range(128)))
opened = hashlib.sha256()
for chunk in unseal_stream(sealer.key, store.read(cid, sealed_size(sealer.size))):
    opened.update(chunk)
assert opened.digest() == sealer.sha256 and sealer.size == 128 << 20
print(getrusage(RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_big_document_is_sealed_named_stored_and_opened_in_flat_memory(tmp_path: Path) -> None:
    """128 MiB here, in a process of its own; two gigabytes in `make bench`."""
    done = subprocess.run([sys.executable, "-c", BIG, tmp_path], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 32_000, "kB"


@pytest.mark.parametrize("size", SIZES)
def test_the_size_of_what_is_sealed_is_known_before(size: int) -> None:
    sealer = Sealer()
    assert len(b"".join(sealer.pieces([data_of(size)]))) == sealed_size(size) == sealed_size(sealer.size)
    assert sealer.sha256 == hashlib.sha256(data_of(size)).digest()
