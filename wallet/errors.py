"""The root of the project's one error tree and the errors a wallet can raise. The rest is ledger/errors.py."""

from __future__ import annotations


class KhalayakError(Exception):
    """Every error this project raises on purpose.

    `message` says what was wrong and where, `hint` what to do about it. Neither ever holds personal data or a secret.
    """

    code = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class WalletError(KhalayakError):
    """A key cannot be read, unlocked or used."""

    code = "wallet"


class KeystoreMissing(WalletError):
    code = "keystore-missing"


class KeystoreInvalid(WalletError):
    """The file is not a Web3 Secret Storage version 3 keystore, or its permissions let others read it."""

    code = "keystore-invalid"


class WrongPassword(WalletError):
    code = "wrong-password"


class BadSignature(WalletError):
    """A signature is malformed, not low-s, or not by the signer it names."""

    code = "bad-signature"


class KeystoreExists(WalletError):
    """A key file is there already; it is replaced only when that is asked for."""

    code = "keystore-exists"


class TypedDataInvalid(WalletError):
    """A message is not exactly one of the EIP-712 structs that this project signs."""

    code = "typed-data-invalid"


class TransactionInvalid(WalletError):
    """A transaction lacks a field, has one that is out of range, or names another sender or fee scheme."""

    code = "transaction-invalid"
