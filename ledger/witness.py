"""A witness: signs checkpoints of the blocks its own node reports, and never two hashes for one number."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ledger.checkpoint import Checkpoint, VerifierKey, note
from ledger.encoding import from_hex, to_hex
from ledger.errors import BadInput, ConfigurationError, SplitView, StoreUnavailable
from wallet.errors import KeystoreInvalid
from wallet.files import read_private, sync_directory, write_private


class Witness:
    """Signs under `name`. `log` is a JSON Lines file, only ever appended to: one line a signed block, one a hash that
    was refused.

    Several processes may share a log. Losing it (a restored disk) loses the memory of what was signed: keep it with
    the key, and retire the key when the log is gone.
    """

    def __init__(self, name: str, private_key: Ed25519PrivateKey, log: Path) -> None:
        self.name = name
        self.log = log
        self._key = private_key
        self._signed: dict[tuple[str, int], tuple[bytes, str]] = {}
        self._newest: dict[str, int] = {}
        self._refused: set[tuple[str, int, bytes]] = set()
        self._read_to = 0
        self._mutex = threading.Lock()

    def __repr__(self) -> str:
        return f"Witness({self.verifier_key})"

    @property
    def verifier_key(self) -> str:
        """What a trust root lists."""
        return str(VerifierKey(self.name, self._key.public_key().public_bytes_raw()))

    def newest(self, origin: str) -> int | None:
        """The highest block number that was ever signed of a chain. Raises StoreUnavailable, ConfigurationError."""
        with self._locked_log() as file:
            self._catch_up(file)
            return self._newest.get(origin)

    def cosign(self, checkpoint: Checkpoint, now: int) -> str:
        """A signature line for a block that this witness's own node reports as final. `now` in seconds since 1970.

        Raises SplitView when another hash was signed for that number. The log then holds, once for each such hash, the
        note that was signed first and a signed statement that names both hashes.
        Raises StoreUnavailable, ConfigurationError (the log is damaged), MalformedProof.
        """
        line = checkpoint.sign(self.name, self._key, now)
        with self._locked_log() as file:
            self._catch_up(file)
            place = (checkpoint.origin, checkpoint.number)
            earlier = self._signed.get(place)
            if earlier is None:
                # Durable before the signature leaves: after a crash the hash that someone may hold is still known.
                self._append(file, _record("signed", checkpoint, now, line=line))
                self._keep(place, checkpoint.block_hash, line)
            elif earlier[0] != checkpoint.block_hash:
                self._refuse(file, checkpoint, now, *earlier)
        return line

    def _refuse(self, file: BinaryIO, refused: Checkpoint, now: int, signed_hash: bytes, line: str) -> NoReturn:
        signed = Checkpoint(refused.origin, refused.number, signed_hash)
        if (refused.origin, refused.number, refused.block_hash) not in self._refused:
            statement = signed.sign_split_view(refused.block_hash, self.name, self._key, now)
            self._append(file, _record("refused", refused, now, note=note(signed, [line]), statement=statement))
            self._refused.add((refused.origin, refused.number, refused.block_hash))
        raise SplitView(
            f"Split view: {self.name} signed block {signed.number} of {signed.origin} as {to_hex(signed_hash)}; now it "
            f"has another hash, {to_hex(refused.block_hash)}.",
            f"The chain or the node has forked. The signed evidence is in {self.log}: tell the office and the others.",
        )

    @contextmanager
    def _locked_log(self) -> Iterator[BinaryIO]:
        try:
            with self._mutex, self.log.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file
        except OSError as error:
            raise StoreUnavailable(f"The witness log {self.log} cannot be used: {error.strerror}.") from None

    def _catch_up(self, file: BinaryIO) -> None:
        file.seek(self._read_to)
        new = file.read()
        if self._read_to > os.fstat(file.fileno()).st_size:
            raise self._damaged("it became shorter")
        whole, newline, torn = new.rpartition(b"\n")
        if torn:
            # A crash in the middle of an append. Its signature never left, so the line is dropped.
            file.truncate(self._read_to + len(whole) + len(newline))
        for line in whole.split(b"\n") if newline else ():
            self._remember(line)
        self._read_to += len(whole) + len(newline)

    def _remember(self, line: bytes) -> None:
        try:
            record = json.loads(line)
            origin, number, block_hash = record["origin"], int(record["number"]), from_hex(record["blockHash"], 32)
            if record["event"] == "signed":
                self._keep((origin, number), block_hash, record["line"])
            else:
                self._refused.add((origin, number, block_hash))
        except (ValueError, KeyError, TypeError, BadInput):
            raise self._damaged("a line of it cannot be read") from None

    def _keep(self, place: tuple[str, int], block_hash: bytes, line: str) -> None:
        self._signed[place] = (block_hash, line)
        self._newest[place[0]] = max(place[1], self._newest.get(place[0], 0))

    def _append(self, file: BinaryIO, record: dict[str, object]) -> None:
        data = json.dumps(record, ensure_ascii=False).encode() + b"\n"
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        if self._read_to == 0:
            sync_directory(self.log.parent)
        self._read_to += len(data)

    def _damaged(self, why: str) -> ConfigurationError:
        return ConfigurationError(f"The witness log {self.log} is damaged: {why}.", "Restore it before signing again.")


def _record(event: str, checkpoint: Checkpoint, now: int, **signed: str) -> dict[str, object]:
    return {
        "event": event,
        "origin": checkpoint.origin,
        "number": checkpoint.number,
        "blockHash": to_hex(checkpoint.block_hash),
        "time": now,
        **signed,
    }


def create_witness_key(path: Path) -> Ed25519PrivateKey:
    """A new key in a PKCS #8 PEM file with mode 0600. Raises KeystoreExists, WalletError."""
    key = Ed25519PrivateKey.generate()
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def load_witness_key(path: Path) -> Ed25519PrivateKey:
    """Raises KeystoreMissing, KeystoreInvalid."""
    try:
        key = load_pem_private_key(read_private(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeystoreInvalid(f"{path} is not an Ed25519 key in PKCS #8 PEM.", "Use a file made by khalayak witness.")
    return key
