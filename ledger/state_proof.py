"""Ethereum state proofs: block headers and Merkle Patricia proofs (EIP-1186; Yellow Paper appendix D)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import rlp

from ledger.encoding import ZERO32, address_bytes, keccak256
from ledger.errors import InvalidProof, MalformedProof

MAX_NODE_BYTES = 1024
MAX_HEADER_BYTES = 4096
MAX_NODES = 65
MAX_NUMBER = 2**53 - 1  # a JSON number holds no more
MAX_TIME = 253_370_764_799  # the last second of 9998: what ends within a year after it has a calendar date too
EMPTY_TRIE = keccak256(b"\x80")


@dataclass(frozen=True)
class Header:
    """What a verifier needs of a block header. `time` is in seconds since 1970."""

    hash: bytes
    number: int
    time: int
    state_root: bytes


@dataclass(frozen=True)
class Account:
    storage_root: bytes
    code_hash: bytes


@lru_cache(maxsize=64)
def parse_header(data: bytes) -> Header:
    """The header with this RLP (Yellow Paper section 4.3). Raises MalformedProof."""
    if len(data) > MAX_HEADER_BYTES:
        raise MalformedProof(f"the block header is {len(data)} bytes; at most {MAX_HEADER_BYTES} are read.")
    items = _decode(data, "the block header")
    if not isinstance(items, list) or len(items) < 15 or not all(isinstance(item, bytes) for item in items):
        raise MalformedProof("the block header does not have the fields of one.")
    number, time, state_root = items[8], items[11], items[3]
    if len(number) > 8 or len(time) > 8 or len(state_root) != 32:
        raise MalformedProof("the block header has fields of the wrong size.")
    header = Header(keccak256(data), int.from_bytes(number, "big"), int.from_bytes(time, "big"), state_root)
    if header.number > MAX_NUMBER or header.time > MAX_TIME:
        raise MalformedProof("the block header has a number or a time that no block can have.")
    return header


def prove_account(state_root: bytes, address: str, nodes: Sequence[bytes]) -> Account | None:
    """The account at an address, or None when the proof shows that there is none. Raises InvalidProof."""
    value = _walk(state_root, keccak256(address_bytes(address)), tuple(nodes))
    if value is None:
        return None
    fields = _decode(value, "the account")
    if not isinstance(fields, list) or len(fields) != 4 or not all(isinstance(item, bytes) for item in fields):
        raise MalformedProof("the account does not have the fields of one.")
    if len(fields[2]) != 32 or len(fields[3]) != 32:
        raise MalformedProof("the account has fields of the wrong size.")
    return Account(fields[2], fields[3])


def prove_slot(storage_root: bytes, slot: bytes, nodes: Sequence[bytes]) -> bytes:
    """The 32-byte word in a storage slot; zero when the proof shows that it was never set. Raises InvalidProof."""
    value = _walk(storage_root, keccak256(slot), tuple(nodes))
    if value is None:
        return ZERO32
    word = _decode(value, "the storage word")
    if not isinstance(word, bytes) or not 0 < len(word) <= 32 or word[0] == 0:
        raise MalformedProof("the storage word is not one.")
    return word.rjust(32, b"\x00")


def mapping_slot(key: bytes, position: int) -> bytes:
    """The slot of `key` (32 bytes) in a Solidity mapping at a storage position."""
    return keccak256(key + position.to_bytes(32, "big"))


@lru_cache(maxsize=64)
def _walk(root: bytes, key: bytes, nodes: tuple[bytes, ...]) -> bytes | None:
    """The value at a hashed key, or None when the nodes prove that the trie has none. Uses every node or refuses.
    Certificates of one block share their account proofs, which are therefore walked once for all."""
    if root == EMPTY_TRIE and nodes in ((), (b"\x80",)):
        return None
    if not 0 < len(nodes) <= MAX_NODES:
        raise MalformedProof(f"a proof of {len(nodes)} nodes proves nothing.")
    path = key.hex()
    reference: object = root
    unused = list(reversed(nodes))
    while True:
        node = _resolve(reference, unused)
        if len(node) == 17:
            if not path:
                raise MalformedProof("a proof node lies deeper than its key is long.")
            reference, path = node[int(path[0], 16)], path[1:]
        else:
            prefix, is_leaf = _compact(node[0])
            if not path.startswith(prefix) or (is_leaf and path != prefix):
                return _finish(None, unused)
            if is_leaf:
                return _finish(_leaf_value(node[1]), unused)
            reference, path = node[1], path[len(prefix) :]
        if reference == b"":
            return _finish(None, unused)


def _resolve(reference: object, unused: list[bytes]) -> list[object]:
    """The node behind a reference: an embedded node (shorter than 32 bytes) or the next of the proof, by its hash."""
    node: object = reference
    if isinstance(reference, bytes):
        if not unused:
            raise InvalidProof("the proof ends before it proves anything.")
        data = unused.pop()
        if len(data) > MAX_NODE_BYTES or keccak256(data) != reference:
            raise InvalidProof("a proof node does not have the hash its parent names.")
        node = _decode(data, "a proof node")
    if not isinstance(node, list) or len(node) not in (2, 17) or (len(node) == 2 and not isinstance(node[0], bytes)):
        raise MalformedProof("a proof node is neither a branch nor an extension nor a leaf.")
    return node


def _leaf_value(value: object) -> bytes:
    if not isinstance(value, bytes) or not value:
        raise MalformedProof("a proof leaf holds no value.")
    return value


def _finish(value: bytes | None, unused: list[bytes]) -> bytes | None:
    if unused:
        raise InvalidProof(f"the proof has {len(unused)} nodes too many.")
    return value


def _compact(encoded: object) -> tuple[str, bool]:
    """Hex-prefix encoding (Yellow Paper appendix C): the nibbles and whether the node is a leaf."""
    digits = encoded.hex() if isinstance(encoded, bytes) else ""
    if not digits or digits[0] not in "0123":
        raise MalformedProof("a proof node has a path of no known form.")
    flag = int(digits[0])
    return digits[1:] if flag & 1 else digits[2:], flag >= 2


@lru_cache(maxsize=1024)
def _decode(data: bytes, what: str) -> object:
    """What RLP encodes; nobody may change it. Proofs of one block share the nodes near the root."""
    try:
        return rlp.decode(data, strict=True)
    except (rlp.exceptions.RLPException, RecursionError, IndexError, ValueError):
        raise MalformedProof(f"{what} is not valid RLP.") from None
