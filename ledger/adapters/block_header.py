"""The RLP of a block header from the fields that eth_getBlockByNumber answers with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import rlp

from ledger.errors import InvalidProof

# Yellow Paper section 4.3, then in the order in which the forks added them: London, Shanghai, Cancun, Prague.
_FIELDS = (
    ("parentHash", bytes),
    ("sha3Uncles", bytes),
    ("miner", bytes),
    ("stateRoot", bytes),
    ("transactionsRoot", bytes),
    ("receiptsRoot", bytes),
    ("logsBloom", bytes),
    ("difficulty", int),
    ("number", int),
    ("gasLimit", int),
    ("gasUsed", int),
    ("timestamp", int),
    ("extraData", bytes),
    ("mixHash", bytes),
    ("nonce", bytes),
    ("baseFeePerGas", int),
    ("withdrawalsRoot", bytes),
    ("blobGasUsed", int),
    ("excessBlobGas", int),
    ("parentBeaconBlockRoot", bytes),
    ("requestsHash", bytes),
)
_REQUIRED = 15


def encode_header(block: Mapping[str, Any]) -> bytes:
    """The header's RLP; fields that a block's fork did not have are left out. Raises InvalidProof when one is missing
    or malformed: such a header hashes to nothing."""
    try:
        later = [(name, kind) for name, kind in _FIELDS[_REQUIRED:] if block.get(name) is not None]
        encoded: bytes = rlp.encode(
            [
                int(block[name], 16) if kind is int else bytes.fromhex(block[name][2:])
                for name, kind in [*_FIELDS[:_REQUIRED], *later]
            ]
        )
    except (KeyError, TypeError, ValueError):
        raise InvalidProof("The node's block header lacks a field, or one is malformed.", "Use another node.") from None
    return encoded
