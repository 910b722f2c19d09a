"""Entries and heads: the codec that every register shares (docs/protocol.md section 1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from ledger.encoding import ZERO32, address_bytes, exact_object, from_hex, keccak256, parse_address, to_hex
from ledger.errors import BadInput, InvalidProof
from ledger.state_proof import MAX_TIME

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
    return {member.name: member.metadata["abi"] for member in fields(entry)}


def approvals_hash(approvers: Sequence[str]) -> bytes:
    """keccak256 of the packed approver addresses (docs/protocol.md section 4)."""
    return keccak256(b"".join(address_bytes(a) for a in approvers))


def verify_history(entries: Sequence[Entry]) -> None:
    """Check that the entries, oldest first, are one complete chain from the first to the last. Raises InvalidProof."""
    previous, time = ZERO32, 0
    for number, entry in enumerate(entries, 1):
        if entry.sequence != number:
            raise InvalidProof(f"entry {number} of the history has sequence {entry.sequence}.")
        if entry.previous != previous:
            raise InvalidProof(f"entry {number} does not follow the entry before it.")
        if entry.time < time:
            raise InvalidProof(f"entry {number} is older than the entry before it.")
        if entry.time > MAX_TIME:
            raise InvalidProof(f"entry {number} has a time that no block can have.")
        previous, time = entry.head, entry.time


def _bits(abi_type: str) -> int:
    return int(abi_type.removeprefix("uint"))


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
