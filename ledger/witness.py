"""A witness: signs checkpoints of the blocks its own node reports, and never two hashes for one number."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ledger.checkpoint import Checkpoint, VerifierKey
from ledger.encoding import from_hex, to_hex
from ledger.errors import BadInput, ConfigurationError, Conflict, StoreUnavailable
from wallet.errors import KeystoreInvalid
from wallet.files import read_private, sync_directory, write_private


class Witness:
    """Signs under `name`. `log` is a JSON Lines file, only ever appended to: one line a signed block, one a refusal.

    Several processes may share a log. Losing it (a restored disk) loses the memory of what was signed: keep it with
    the key, and retire the key when the log is gone.
    """

    def __init__(self, name: str, private_key: Ed25519PrivateKey, log: Path) -> None:
        self.name = name
        self.log = log
        self._key = private_key
        self._signed: dict[tuple[str, int], tuple[bytes, str]] = {}
        self._read_to = 0
        self._mutex = threading.Lock()

    def __repr__(self) -> str:
        return f"Witness({self.verifier_key})"

    @property
    def verifier_key(self) -> str:
        """What a trust root lists."""
        return str(VerifierKey(self.name, self._key.public_key().public_bytes_raw()))

    def cosign(self, checkpoint: Checkpoint, now: int) -> str:
        """A signature line for a block that this witness's own node reports as final. `now` in seconds since 1970.

        Raises Conflict when another hash was signed for that number: both are then in the log, as evidence.
        Raises StoreUnavailable, ConfigurationError (the log is damaged), MalformedProof.
        """
        line = checkpoint.sign(self.name, self._key, now)
        with self._locked_log() as file:
            self._catch_up(file)
            place = (checkpoint.origin, checkpoint.number)
            earlier = self._signed.get(place)
            if earlier is None:
                # Durable before the signature leaves: after a crash the hash that someone may hold is still known.
                self._append(file, _record("signed", checkpoint, now, line))
                self._signed[place] = (checkpoint.block_hash, line)
            elif earlier[0] != checkpoint.block_hash:
                self._append(file, _record("refused", checkpoint, now, earlier[1], earlier[0]))
                raise Conflict(
                    f"{self.name} signed block {checkpoint.number} of {checkpoint.origin} with another hash.",
                    f"The chain or the node has forked: both hashes are in {self.log}. Tell the office.",
                )
        return line

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
            if record["event"] == "signed":
                place = (record["origin"], int(record["number"]))
                self._signed[place] = (from_hex(record["blockHash"], 32), record["line"])
        except (ValueError, KeyError, TypeError, BadInput):
            raise self._damaged("a line of it cannot be read") from None

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


def _record(event: str, checkpoint: Checkpoint, now: int, line: str, signed: bytes | None = None) -> dict[str, object]:
    record = {
        "event": event,
        "origin": checkpoint.origin,
        "number": checkpoint.number,
        "blockHash": to_hex(checkpoint.block_hash),
        "time": now,
        "line": line,
    }
    return record if signed is None else record | {"signedBlockHash": to_hex(signed)}


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
