"""Entries and heads: the codec that every register shares (docs/protocol.md section 1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Self

from ledger.encoding import (
    ZERO32,
    address_bytes,
    checksum_address,
    exact_object,
    from_hex,
    keccak256,
    parse_address,
    to_hex,
)
from ledger.errors import BadInput, InvalidProof
from ledger.state_proof import MAX_TIME

Layout = str  # see layout_of

_MEMBERS: dict[type, dict[str, str]] = {}
_JSON_NUMBER_BITS = 48  # wider integers are written as decimal strings: JSON numbers are exact only below 2^53


def abi(solidity_type: str) -> Any:
    """A dataclass field that is one ABI word of this type: bytes32, address or uintN."""
    return field(metadata={"abi": solidity_type})


@dataclass(frozen=True)
class Entry:
    """The fields that every register's entry begins with; a register's own entry class adds its own, in the order of
    its Solidity struct. `time` is the block's, in seconds; `previous` the head this entry replaced."""

    previous: bytes = abi("bytes32")
    sequence: int = abi("uint32")
    time: int = abi("uint40")
    action: int = abi("uint8")
    status: int = abi("uint8")
    digest: bytes = abi("bytes32")
    approvals: bytes = abi("bytes32")

    def encode(self) -> bytes:
        """abi.encode of the entry: one 32-byte word a field."""
        return b"".join([_word(kind, getattr(self, name)) for name, kind in _members(type(self)).items()])

    @classmethod
    def decode(cls, words: bytes) -> Self:
        """What `encode` has made. Raises InvalidProof for what no contract encodes."""
        check_words(layout_of(cls), words)
        return cls(*[_value(kind, word) for kind, word in zip(_members(cls).values(), _split(words), strict=True)])

    @property
    def head(self) -> bytes:
        return keccak256(self.encode())

    def as_json(self) -> dict[str, Any]:
        return {name: _to_json(kind, getattr(self, name)) for name, kind in _members(type(self)).items()}

    @classmethod
    def from_json(cls, value: object, pointer: str = "") -> Self:
        """Parse the form of `as_json`: exactly these keys, each of its type and range. Raises BadInput."""
        members = _members(cls)
        value = exact_object(value, members.keys(), pointer)
        return cls(*[_from_json(kind, value[name], f"{pointer}/{name}") for name, kind in members.items()])


def _members(entry: type[Entry]) -> dict[str, str]:
    """The ABI type of each member, in the order of the Solidity struct."""
    if entry not in _MEMBERS:
        _MEMBERS[entry] = {member.name: member.metadata["abi"] for member in fields(entry)}
    return _MEMBERS[entry]


def layout_of(entry: type[Entry]) -> Layout:
    """The members of an entry in the order of its Solidity struct, as `bytes32 previous,uint32 sequence,…`."""
    return _layout(tuple(_members(entry).items()))


@cache
def _layout(members: tuple[tuple[str, str], ...]) -> Layout:
    return ",".join([f"{kind} {name}" for name, kind in members])


def json_of(layout: Layout, words: bytes) -> dict[str, Any]:
    """The JSON form of an entry that has these words."""
    members = [member.split(" ") for member in layout.split(",")]
    return {name: _to_json(kind, _value(kind, word)) for (kind, name), word in zip(members, _split(words), strict=True)}


def check_words(layout: Layout, words: bytes) -> None:
    """That these are the words of such an entry, each in its range. Raises InvalidProof."""
    length, unused = _measures(layout)
    if len(words) != length or int.from_bytes(words, "big") & unused:
        raise InvalidProof("the words are not those of an entry.")


@cache
def person_at(layout: Layout) -> int:
    """Where in the words the address of the holder or controller begins; 0 in entries that name none."""
    kinds = [member.split(" ")[0] for member in layout.split(",")]
    return 32 * kinds.index("address") + 12 if "address" in kinds else 0


def approvals_hash(approvers: Sequence[str]) -> bytes:
    """keccak256 of the packed approver addresses (docs/protocol.md section 4)."""
    return keccak256(b"".join(address_bytes(a) for a in approvers))


def verify_history(entries: Sequence[Entry]) -> None:
    """Check that the entries, oldest first, are one complete chain from the first to the last. Raises InvalidProof."""
    time = 0
    for number, entry in enumerate(entries, 1):
        if entry.sequence != number:
            raise InvalidProof(f"entry {number} of the history has sequence {entry.sequence}.")
        if entry.previous != (entries[number - 2].head if number > 1 else ZERO32):
            raise InvalidProof(f"entry {number} does not follow the entry before it.")
        if entry.time < time:
            raise InvalidProof(f"entry {number} is older than the entry before it.")
        if entry.time > MAX_TIME:
            raise InvalidProof(f"entry {number} has a time that no block can have.")
        time = entry.time


def widths(layout: Layout) -> list[int]:
    """How many bytes each member has; the rest of its word, to the left, is zero."""
    kinds, used = [member.split(" ")[0] for member in layout.split(",")], {"bytes32": 32, "address": 20}
    return [used[kind] if kind in used else _bits(kind) // 8 for kind in kinds]


@cache
def _measures(layout: Layout) -> tuple[int, int]:
    """How many bytes the words are, and a mask of the bits that are zero in all of them."""
    mask = b"".join([b"\xff" * (32 - width) + bytes(width) for width in widths(layout)])
    return len(mask), int.from_bytes(mask, "big")


def _split(words: bytes) -> list[bytes]:
    return [words[i : i + 32] for i in range(0, len(words), 32)]


@cache
def _bits(abi_type: str) -> int:
    return int(abi_type.removeprefix("uint"))


def _value(abi_type: str, word: bytes) -> Any:
    if abi_type == "bytes32":
        return word
    return checksum_address(word[12:]) if abi_type == "address" else int.from_bytes(word, "big")


def _word(abi_type: str, value: Any) -> bytes:
    if abi_type == "bytes32":
        return bytes(value)
    if abi_type == "address":
        return bytes(12) + address_bytes(value)
    return int(value).to_bytes(32, "big")


def _to_json(abi_type: str, value: Any) -> Any:
    if abi_type == "bytes32":
        return to_hex(value)
    if abi_type == "address" or _bits(abi_type) <= _JSON_NUMBER_BITS:
        return value
    return str(value)


def _from_json(abi_type: str, value: object, pointer: str) -> Any:
    if abi_type == "bytes32":
        return from_hex(value, 32, pointer)
    if abi_type == "address":
        return parse_address(value, pointer)
    if _bits(abi_type) > _JSON_NUMBER_BITS and isinstance(value, str) and re.fullmatch(r"0|[1-9][0-9]{0,19}", value):
        value = int(value)
    elif _bits(abi_type) > _JSON_NUMBER_BITS or type(value) is not int:
        value = -1
    if not isinstance(value, int) or not 0 <= value < 1 << _bits(abi_type):
        raise BadInput(f"{pointer}: expected a whole number of {_bits(abi_type)} bits.", "", pointer)
    return value
