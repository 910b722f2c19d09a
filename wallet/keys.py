"""secp256k1 keys, their addresses, and the recovery of a signer from a signature."""

from __future__ import annotations

import secrets

from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature as NoSuchKey
from eth_utils.exceptions import ValidationError

from wallet.errors import BadSignature, WalletError

SIGNATURE_BYTES = 65


def new_key() -> bytes:
    """A fresh private key: 32 bytes, a uniform number in [1, n - 1], from the operating system."""
    return (secrets.randbelow(SECPK1_N - 1) + 1).to_bytes(32, "big")


def address_of(private_key: bytes) -> str:
    """The address of a private key (32 bytes), in ERC-55 form. Raises WalletError."""
    return parse_private_key(private_key).public_key.to_checksum_address()


def parse_private_key(private_key: bytes) -> PrivateKey:
    """Raises WalletError for what is not a number in [1, n - 1] of 32 bytes."""
    if len(private_key) != 32 or not 0 < int.from_bytes(private_key, "big") < SECPK1_N:
        raise WalletError("This is not a secp256k1 private key.", "It must be 32 bytes, from 1 to the order less one.")
    return PrivateKey(private_key)


def recover(digest: bytes, signature: bytes) -> str:
    """The address (ERC-55 form) whose key signed `digest` (32 bytes). `signature` is r || s || v, 65 bytes, with v 27
    or 28 and s in the lower half of the order (EIP-2), so that one signature has one form. Raises BadSignature."""
    if len(digest) != 32:
        raise BadSignature(f"A signed digest has 32 bytes, not {len(digest)}.")
    if len(signature) != SIGNATURE_BYTES:
        raise BadSignature(f"A signature has {SIGNATURE_BYTES} bytes, not {len(signature)}.", "Sign again.")
    s, v = int.from_bytes(signature[32:64], "big"), signature[64]
    if v not in (27, 28):
        raise BadSignature(f"The last byte of a signature is 27 or 28, not {v}.", "Sign again.")
    if s > SECPK1_N // 2:
        raise BadSignature("The signature has a high s.", "Sign with a wallet that makes low-s signatures (EIP-2).")
    try:
        public_key = Signature(signature[:64] + bytes([v - 27])).recover_public_key_from_msg_hash(digest)
    except (NoSuchKey, ValidationError):
        raise BadSignature("The signature belongs to no key.", "Sign again.") from None
    return public_key.to_checksum_address()
