"""A batch's entry: the struct and the numbers of contracts/BatchRegister.sol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger import merkle
from ledger.encoding import ZERO32, keccak256
from ledger.entries import Entry, abi

APPEND, APPEND_LEAVES, AMEND, VOID = 1, 2, 3, 4
ACTIVE, AMENDED, VOIDED = 1, 2, 3

ENTRY = "(bytes32,uint32,uint40,uint8,uint8,bytes32,bytes32,bytes32,uint64,uint64,bytes32)"


@dataclass(frozen=True)
class BatchEntry(Entry):
    """The state of a series, of one batch of it, or of a corrected leaf.

    `count` and `total` are the leaves of the batch and of the series up to it, zero for a correction. `manifest` is the
    hash of what goes with the entry: the list of the leaves (zero if they are in the calldata), or the reasons of a
    correction, whose `digest` is the replacement's."""

    root: bytes = abi("bytes32")
    count: int = abi("uint64")
    total: int = abi("uint64")
    manifest: bytes = abi("bytes32")


NOTHING = BatchEntry(ZERO32, 0, 0, 0, 0, ZERO32, ZERO32, ZERO32, 0, 0, ZERO32)


def batch_id(series: bytes, sequence: int) -> bytes:
    """The record under which batch `sequence` of a series is proved directly."""
    return keccak256(series + sequence.to_bytes(32, "big"))


def root_of(digests: Sequence[bytes]) -> bytes:
    """The root of a batch whose leaves hold these content digests, in order."""
    return merkle.root([merkle.leaf_hash(digest) for digest in digests])
