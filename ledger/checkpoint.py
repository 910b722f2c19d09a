"""Checkpoints: witnesses' statements that a block is the chain's (docs/protocol.md section 6).

A checkpoint travels as a C2SP signed note (https://c2sp.org/signed-note) whose signatures are Ed25519 cosignatures
(cosignature/v1, https://c2sp.org/tlog-cosignature).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.errors import InvalidProof, MalformedProof

MAX_BYTES = 16 << 10
MAX_SIGNATURES = 64
COSIGNATURE_V1 = b"\x04"
SPLIT_VIEW = "khalayak split view"

_ORIGIN = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}/eip155:[1-9][0-9]{0,17}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_NAME = re.compile(r"[^\s+]{1,255}")
_MAX_TIME = (1 << 63) - 1


@dataclass(frozen=True)
class VerifierKey:
    """A witness's Ed25519 public key (32 bytes) and name. Its text is `<name>+<key id in hex>+<base64(4, key)>`."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """4 bytes: SHA-256(name || newline || 0x04 || public key)[:4]."""
        return hashlib.sha256(self.name.encode() + b"\n" + COSIGNATURE_V1 + self.public_key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_base64(COSIGNATURE_V1 + self.public_key)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Raises MalformedProof, also for a key of another signature type or with a wrong key id."""
        match = re.fullmatch(r"([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", text)
        key = match and _unbase64(match[3])
        if match is None or not key or key[:1] != COSIGNATURE_V1 or len(key) != 33 or not match[1].isprintable():
            raise MalformedProof("A witness's key is not an Ed25519 cosignature verifier key.", "Copy it again, whole.")
        parsed = cls(match[1], key[1:])
        if parsed.key_id.hex() != match[2]:
            raise MalformedProof(f"The key id of the witness {match[1]} does not fit its key.", "Copy it again, whole.")
        return parsed


@dataclass(frozen=True)
class Checkpoint:
    """`origin` is `<trust root name>/eip155:<chain id>`, `block_hash` the 32-byte hash of block `number`."""

    origin: str
    number: int
    block_hash: bytes

    def __post_init__(self) -> None:
        if not _ORIGIN.fullmatch(self.origin):
            raise MalformedProof("The checkpoint's origin is not <trust root name>/eip155:<chain id>.")
        if not _NUMBER.fullmatch(str(self.number)) or len(self.block_hash) != 32:
            raise MalformedProof("The checkpoint needs a block number and a block hash of 32 bytes.")

    def text(self) -> str:
        """The note's text, which the signatures cover: three lines, each ended by a newline."""
        return f"{self.origin}\n{self.number}\n{_base64(self.block_hash)}\n"

    def sign(self, witness_name: str, private_key: Ed25519PrivateKey, time: int) -> str:
        """A signature line, without its newline. `time` in seconds since 1970. Raises MalformedProof."""
        return _sign(self.text(), witness_name, private_key, time)

    def sign_split_view(self, other: bytes, witness_name: str, private_key: Ed25519PrivateKey, time: int) -> str:
        """A signed note saying that this block was signed and then `other`, a 32-byte hash, was shown for its number.
        Its first line keeps it from ever being read as a checkpoint. Raises MalformedProof."""
        text = f"{SPLIT_VIEW}\n{self.text()}{_base64(other)}\n"
        return f"{text}\n{_sign(text, witness_name, private_key, time)}\n"


def note(checkpoint: Checkpoint, lines: Iterable[str]) -> str:
    """The signed note of a checkpoint and at least one signature line. Raises MalformedProof."""
    text = f"{checkpoint.text()}\n" + "".join(f"{line}\n" for line in lines)
    parse(text)
    return text


def parse(text: str) -> tuple[Checkpoint, tuple[str, ...]]:
    """The checkpoint and the signature lines of a note, none of them verified. Raises MalformedProof."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise MalformedProof("The checkpoint is not valid UTF-8.") from None
    if size > MAX_BYTES:
        raise MalformedProof(f"The checkpoint is {size:,} bytes; at most {MAX_BYTES:,} are read.")
    if re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text):
        raise MalformedProof("The checkpoint holds a control character or a carriage return.")
    body, blank, signatures = text.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise MalformedProof("The checkpoint is not text, an empty line and signature lines.", "Is it whole?")
    lines = tuple(signatures[:-1].split("\n"))
    if len(lines) > MAX_SIGNATURES:
        raise MalformedProof(f"The checkpoint has {len(lines)} signatures; at most {MAX_SIGNATURES} are read.")
    for line in lines:
        _decode_line(line)
    return _parse_body(body), lines


def cosigners(text: str, origin: str, witnesses: Iterable[str]) -> set[str]:
    """Names of the witnesses (verifier keys) that signed a note. A key listed under two names counts once, under the
    first; unknown keys are ignored; a known key's signature that does not verify rejects the note, as C2SP
    signed-note recommends. Raises InvalidProof (another origin, bad signature), MalformedProof."""
    checkpoint, lines = parse(text)
    if checkpoint.origin != origin:
        raise InvalidProof(f"The checkpoint is of {checkpoint.origin}, not of {origin}.", "It is another chain's.")
    keys = [VerifierKey.parse(witness) for witness in witnesses]
    by_id = {(key.name, key.key_id): key for key in keys}
    signed = set()
    for line in lines:
        name, key_id, signature = _decode_line(line)
        key = by_id.get((name, key_id))
        if key is not None:
            _verify(checkpoint, key, signature)
            signed.add(key.public_key)
    first_names: dict[bytes, str] = {}
    for key in keys:
        first_names.setdefault(key.public_key, key.name)
    return {first_names[public_key] for public_key in signed}


def _verify(checkpoint: Checkpoint, key: VerifierKey, signature: bytes) -> None:
    time = int.from_bytes(signature[:8], "big")
    try:
        if len(signature) != 72 or time > _MAX_TIME:
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(
            signature[8:], _signed_message(checkpoint.text(), time)
        )
    except (InvalidSignature, ValueError):
        raise InvalidProof(f"The signature of the witness {key.name} does not fit the checkpoint.") from None


def _sign(text: str, witness_name: str, private_key: Ed25519PrivateKey, time: int) -> str:
    if not _NAME.fullmatch(witness_name) or not witness_name.isprintable():
        raise MalformedProof("A witness's name has no space, plus sign or control character, and 1 to 255 others.")
    if not 0 <= time <= _MAX_TIME:
        raise MalformedProof("The time of a cosignature is from 0 to 2^63 - 1.")
    key = VerifierKey(witness_name, private_key.public_key().public_bytes_raw())
    signature = private_key.sign(_signed_message(text, time))
    return f"— {witness_name} {_base64(key.key_id + time.to_bytes(8, 'big') + signature)}"


def _signed_message(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _parse_body(body: str) -> Checkpoint:
    lines = body.split("\n")
    if len(lines) != 3 or not _NUMBER.fullmatch(lines[1]):
        raise MalformedProof("The checkpoint's text is not an origin, a block number and a block hash.")
    block_hash = _unbase64(lines[2])
    if block_hash is None:
        raise MalformedProof("The checkpoint's block hash is not base64.")
    return Checkpoint(lines[0], int(lines[1]), block_hash)


def _decode_line(line: str) -> tuple[str, bytes, bytes]:
    match = re.fullmatch(r"— ([^\s+]{1,255}) ([A-Za-z0-9+/=]+)", line)
    data = match and _unbase64(match[2])
    if match is None or not data or len(data) < 5:
        raise MalformedProof("A signature line of the checkpoint is malformed.", "It is: — <name> <base64>.")
    return match[1], data[:4], data[4:]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unbase64(text: str) -> bytes | None:
    """The bytes of padded base64, or None where it has unused bits set or characters that do not belong."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _base64(data) == text else None


@lru_cache(maxsize=64)
def believed(note: str, origin: str, witnesses: tuple[str, ...]) -> tuple[Checkpoint, frozenset[str]]:
    """A checkpoint and which of the trusted witnesses signed it. Certificates of one block share theirs, so it is
    checked once for all. Raises InvalidProof."""
    return parse(note)[0], frozenset(cosigners(note, origin, witnesses))
