"""Keystore files: Web3 Secret Storage Definition, version 3, which geth, Foundry, MetaMask and web3.py also read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wallet.errors import KeystoreInvalid, WalletError, WrongPassword
from wallet.files import read_private, write_private
from wallet.keys import address_of
from wallet.late import eth_account

WORK_FACTOR = 1 << 18  # scrypt's N, as geth writes it: 256 MiB for about a second
_MAX_SCRYPT = 1 << 23  # N times r: 1 GiB. A hostile file must not take all memory.
_MAX_PBKDF2 = 1 << 24


def write_keystore(
    path: Path, private_key: bytes, password: str, *, overwrite: bool = False, work_factor: int = WORK_FACTOR
) -> None:
    """Encrypt a key (32 bytes) with scrypt into `path`, mode 0600, atomically and durably. `work_factor` is scrypt's N;
    only keys of no value may use a lower one. Raises KeystoreExists, WalletError (no key, no password, disk)."""
    address_of(private_key)
    if not password:
        raise WalletError("A keystore needs a password.", "Give one that is not empty.")
    keystore = eth_account().encrypt(private_key, password, kdf="scrypt", iterations=work_factor)
    write_private(path, json.dumps(keystore, indent=2).encode() + b"\n", overwrite=overwrite)


def read_keystore(path: Path, password: str) -> bytes:
    """The private key in a keystore, 32 bytes. Raises KeystoreMissing, KeystoreInvalid, WrongPassword."""
    keystore = _parse(path, read_private(path))
    try:
        key = bytes(eth_account().decrypt(keystore, password))
    except ValueError as error:
        if str(error) == "MAC mismatch":
            raise WrongPassword(f"The password does not open {path}.", "Try again; nothing was changed.") from None
        raise _invalid(path) from None
    except (KeyError, TypeError, AttributeError, NotImplementedError, MemoryError, OverflowError):
        raise _invalid(path) from None
    try:
        address = address_of(key)
    except WalletError:
        raise _invalid(path) from None
    stated = keystore.get("address", address[2:])
    if not isinstance(stated, str) or stated.lower().removeprefix("0x") != address[2:].lower():
        raise KeystoreInvalid(f"{path} holds the key of another address than it says.", "Restore it from a backup.")
    return key


def _parse(path: Path, data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
        crypto = value["crypto"] if "crypto" in value else value["Crypto"]
        kdf, params = crypto["kdf"], crypto["kdfparams"]
        costs = (params["n"] * params["r"], params["p"]) if kdf == "scrypt" else (params["c"],)
        bounds = (_MAX_SCRYPT, 16) if kdf == "scrypt" else (_MAX_PBKDF2,)
        known = value["version"] == 3 and crypto["cipher"] == "aes-128-ctr" and kdf in ("scrypt", "pbkdf2")
        known = known and params["dklen"] == 32
        affordable = all(type(c) is int and 0 < c <= bound for c, bound in zip(costs, bounds, strict=True))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _invalid(path) from None
    if not known or not affordable:
        raise _invalid(path)
    assert isinstance(value, dict)
    return value


def _invalid(path: Path) -> KeystoreInvalid:
    return KeystoreInvalid(f"{path} is not a version 3 keystore.", "Use a file made by khalayak, geth or a wallet.")
