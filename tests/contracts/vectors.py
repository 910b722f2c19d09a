"""Trees of ledger.merkle for the Solidity tests. `python -m tests.contracts.vectors` writes them again."""

from __future__ import annotations

from hashlib import sha256

from ledger.encoding import keccak256
from ledger.merkle import inclusion_path, leaf_hash, root
from scripts.compile import CONTRACTS

VECTORS = CONTRACTS / "test" / "vectors" / "Rfc9162Vectors.sol"
SIZES = range(1, 41)

HEAD = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Written by tests/contracts/vectors.py. Leaf i holds the digest SHA-256 of i in 32 bytes. For each size from 1:
/// the root of the tree, and keccak256 of the inclusion paths of all its leaves, one after another, lowest node first.
library Rfc9162Vectors {
    uint256 internal constant SIZES = 40;
"""


def vector(size: int) -> tuple[bytes, bytes]:
    leaves = [leaf_hash(sha256(index.to_bytes(32, "big")).digest()) for index in range(size)]
    paths = [inclusion_path(leaves, index) for index in range(size)]
    return root(leaves), keccak256(b"".join(node for path in paths for node in path))


def render() -> str:
    roots, paths = zip(*(vector(size) for size in SIZES), strict=True)
    return HEAD + _constant("ROOTS", roots) + _constant("PATHS", paths) + "}\n"


def _constant(name: str, words: tuple[bytes, ...]) -> str:
    lines = "\n".join(f'        hex"{word.hex()}"' for word in words)
    return f"\n    bytes internal constant {name} =\n{lines};\n"


if __name__ == "__main__":
    VECTORS.write_text(render())
