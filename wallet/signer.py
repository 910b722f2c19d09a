"""What signs: a port, and the signer whose key is in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from rlp.exceptions import RLPException

from wallet.errors import TransactionInvalid
from wallet.keys import address_of, parse_private_key
from wallet.keystore import read_keystore
from wallet.late import eth_account
from wallet.typed_data import TypedData

_REQUIRED = frozenset({"chainId", "nonce", "gas", "maxFeePerGas", "maxPriorityFeePerGas", "value", "data"})
_OPTIONAL = frozenset({"to", "from", "type", "accessList"})


class Signer(Protocol):
    """A key, wherever it is kept. Every method raises WalletError when the key cannot be used."""

    @property
    def address(self) -> str:
        """In ERC-55 form."""

    def sign_typed(self, data: TypedData) -> bytes:
        """65 bytes r || s || v over the EIP-712 digest; v is 27 or 28, s in the lower half of the order."""

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        """The raw bytes (0x02 || RLP) of an EIP-1559 transaction. `transaction` has the JSON-RPC names chainId, nonce,
        gas, maxFeePerGas, maxPriorityFeePerGas, value, data and, but to create a contract, to. Amounts in wei.
        Raises TransactionInvalid."""


class LocalSigner:
    """A signer whose private key (32 bytes) is in this process's memory. Signatures are deterministic (RFC 6979)."""

    __slots__ = ("_key", "address")

    def __init__(self, private_key: bytes) -> None:
        self.address = address_of(private_key)
        self._key = private_key

    @classmethod
    def from_keystore(cls, path: Path, password: str) -> LocalSigner:
        """Raises KeystoreMissing, KeystoreInvalid, WrongPassword."""
        return cls(read_keystore(path, password))

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"

    def sign_typed(self, data: TypedData) -> bytes:
        """See Signer."""
        signature = parse_private_key(self._key).sign_msg_hash(data.digest()).to_bytes()
        return signature[:64] + bytes([signature[64] + 27])

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        """See Signer."""
        if missing := sorted(_REQUIRED - transaction.keys()):
            raise TransactionInvalid(f"The transaction has no {missing[0]}.")
        if unknown := sorted(transaction.keys() - _REQUIRED - _OPTIONAL):
            raise TransactionInvalid(f"The transaction has an unknown field {unknown[0]!r}.", "Use EIP-1559 fields.")
        if transaction.get("type", 2) not in (2, "0x2"):
            raise TransactionInvalid("Only EIP-1559 transactions (type 2) are signed.")
        try:
            return bytes(eth_account().sign_transaction(transaction, self._key).raw_transaction)
        except (TypeError, ValueError, OverflowError, RLPException) as error:
            raise TransactionInvalid(f"The transaction cannot be signed: {type(error).__name__}.") from None
