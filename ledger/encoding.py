"""Text and byte forms that every part shares: hex, addresses, CAIP-10 names, strict and canonical JSON, keccak256."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import rfc8785
from sha3 import keccak_256

from ledger.errors import BadInput, TooLarge

ZERO32 = bytes(32)
MAX_JSON_DEPTH = 32

_HEX = re.compile(r"0[xX](?:[0-9a-fA-F]{2})*+")
# The closing quote is optional so that an unterminated string is read once, not once from each quote in it.
_STRING_OR_BRACKET = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{\]}]', re.DOTALL)


def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it (original padding, not FIPS 202). 32 bytes."""
    digest: bytes = keccak_256(data).digest()
    return digest


def to_hex(data: bytes) -> str:
    return "0x" + data.hex()


def from_hex(text: object, length: int | None, pointer: str = "") -> bytes:
    """Bytes of `0x`-prefixed hex in any case. `length` in bytes, None for any. Raises BadInput."""
    if isinstance(text, str) and _HEX.fullmatch(text) and length in (None, len(text) // 2 - 1):
        return bytes.fromhex(text[2:])
    wanted = "bytes in hex" if length is None else f"{length} bytes in hex ({2 * length} digits)"
    got = f", got {len(text) - 2} digits" if isinstance(text, str) and _HEX.fullmatch(text) else ""
    raise BadInput(f"{pointer or 'value'}: expected 0x and {wanted}{got}.", "Check that it was copied whole.", pointer)


def checksum_address(address: bytes) -> str:
    """The mixed-case form of a 20-byte address (ERC-55)."""
    text = address.hex()
    digest = keccak256(text.encode()).hex()
    return "0x" + "".join(c.upper() if int(digest[i], 16) >= 8 else c for i, c in enumerate(text))


def parse_address(text: object, pointer: str = "") -> str:
    """An address in ERC-55 form. All-lower and all-upper case are taken; a mixed case must have the right checksum."""
    raw = from_hex(text, 20, pointer)
    address = checksum_address(raw)
    digits = str(text)[2:]
    if digits not in (digits.lower(), digits.upper()) and digits != address[2:]:
        raise BadInput(f"{pointer or 'address'}: the checksum of the address is wrong.", "Copy it again.", pointer)
    return address


def address_bytes(address: str) -> bytes:
    return bytes.fromhex(address[2:])


@dataclass(frozen=True)
class RegisterName:
    """The CAIP-10 name of a register: `eip155:<chain id>:<address>`."""

    chain_id: int
    address: str

    def __str__(self) -> str:
        return f"eip155:{self.chain_id}:{self.address}"

    @classmethod
    def parse(cls, text: object, pointer: str = "") -> RegisterName:
        match = re.fullmatch(r"eip155:([1-9][0-9]{0,17}):(0x[0-9a-fA-F]{40})", text if isinstance(text, str) else "")
        if not match:
            raise BadInput(f"{pointer or 'register'}: expected eip155:<chain id>:<address> (CAIP-10).", "", pointer)
        return cls(int(match[1]), parse_address(match[2], pointer))


def canonical_json(value: object) -> bytes:
    """RFC 8785 bytes. Raises BadInput for what has none: NaN, integers of 2^53 and more, lone surrogates."""
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise BadInput(f"The value has no canonical JSON form: {type(error).__name__}.", "") from None


def parse_json(data: bytes, size_limit: int, what: str) -> Any:
    """Strict JSON: UTF-8, no duplicate keys, no NaN or Infinity, no lone surrogates, at most 32 levels deep.
    `what` names the input in the error. Raises TooLarge, BadInput."""
    if len(data) > size_limit:
        raise TooLarge(f"{what} is {len(data):,} bytes; at most {size_limit:,} are read.")
    _check_depth(data, what)
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        # A lone surrogate fails here, and so does a number like 1e999, which json.loads reads as infinity.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except BadInput as error:
        raise BadInput(f"{what}: {error.message}", error.hint) from None
    except (ValueError, RecursionError) as error:
        position = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadInput(f"{what} is not valid JSON{position}.", "Check that the file is whole and not edited.") from None
    return value


def _check_depth(data: bytes, what: str) -> None:
    depth = 0
    for bracket in _STRING_OR_BRACKET.finditer(data):
        first = bracket[0][:1]
        depth += (first in b"[{") - (first in b"]}")
        if depth > MAX_JSON_DEPTH:
            raise BadInput(f"{what} is nested more than {MAX_JSON_DEPTH} levels deep.")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise BadInput("an object names a key twice.", "Each key may occur once.")
    return value


def _no_constant(name: str) -> None:
    raise BadInput(f"{name} is not a JSON number.", "Write numbers that matter as strings.")


def exact_object(value: object, keys: set[str], pointer: str) -> dict[str, Any]:
    """`value` as an object that has exactly `keys`. Raises BadInput."""
    if not isinstance(value, dict):
        raise BadInput(f"{pointer or '/'}: expected an object.", "", pointer)
    if missing := sorted(keys - value.keys()):
        raise BadInput(f"{pointer or '/'}: {missing[0]} is missing.", "", pointer)
    if unknown := sorted(value.keys() - keys):
        raise BadInput(f"{pointer or '/'}: {unknown[0][:60]!r} is not a known key.", "", pointer)
    return value


def exact_list(value: object, limit: int, pointer: str) -> list[Any]:
    """`value` as a list of at most `limit` items. Raises BadInput."""
    if not isinstance(value, list) or len(value) > limit:
        raise BadInput(f"{pointer or '/'}: expected a list of at most {limit} items.", "", pointer)
    return value
