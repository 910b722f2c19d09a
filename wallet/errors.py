"""The root of the project's one error tree and the errors a wallet can raise. The rest of the tree is ledger/errors.py."""

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
