"""What a signed EIP-1559 transaction says, read from its raw bytes."""

from __future__ import annotations

from dataclasses import dataclass

import rlp
from eth_utils.address import to_checksum_address

from wallet.errors import TransactionInvalid
from wallet.late import eth_account


@dataclass(frozen=True)
class SignedTransaction:
    """`sender` is recovered from the signature; `to` is empty where a contract is created; fees in wei a gas."""

    chain_id: int
    nonce: int
    to: str
    data: bytes
    sender: str
    max_fee: int
    priority_fee: int


def parse(raw: bytes) -> SignedTransaction:
    """Raises TransactionInvalid."""
    try:
        if raw[:1] != b"\x02":
            raise ValueError
        chain_id, nonce, priority, fee, _, to, _, data, _, _, _, _ = rlp.decode(raw[1:])
        sender = str(eth_account().recover_transaction(raw))
    except Exception:  # eth_account raises whatever the bytes bring it to
        raise TransactionInvalid("These bytes are no signed EIP-1559 transaction.") from None
    chain, count, max_fee, priority_fee = (int.from_bytes(word, "big") for word in (chain_id, nonce, fee, priority))
    return SignedTransaction(
        chain, count, to_checksum_address(to) if to else "", bytes(data), sender, max_fee, priority_fee
    )
