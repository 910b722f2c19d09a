"""Text and byte forms that every part shares: hex, addresses, CAIP-10 names, strict and canonical JSON, keccak256."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from math import isinf
from typing import Any

import orjson
import rfc8785
from sha3 import keccak_256

from ledger.errors import BadInput, TooLarge
from wallet.typed_data import checksum_address as checksum_address

ZERO32 = bytes(32)
MAX_JSON_DEPTH = 32
_TOO_DEEP = f"it is nested more than {MAX_JSON_DEPTH} levels deep."

_MAX_NESTING = 500
_BYTES_AN_OBJECT = 32
_TEXT = frozenset((str,))
_PLAIN = frozenset((str, bool, type(None)))
_MAX_PLAIN_DEPTH = 200  # orjson goes 254 levels down
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_HEX = re.compile(r"0[xX](?:[0-9a-fA-F]{2})*+")


def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it (original padding, not FIPS 202). 32 bytes."""
    digest: bytes = keccak_256(data).digest()
    return digest


def to_hex(data: bytes) -> str:
    return "0x" + data.hex()


def from_hex(text: object, length: int | None, pointer: str = "") -> bytes:
    """Bytes of `0x`-prefixed hex in any case. `length` in bytes, None for any. Raises BadInput."""
    if isinstance(text, str) and text[:2] in ("0x", "0X") and length in (None, len(text) // 2 - 1):
        try:
            data = bytes.fromhex(text[2:])
        except ValueError:
            data = b""
        if 2 * len(data) == len(text) - 2:  # fromhex skips white space
            return data
    wanted = "bytes in hex" if length is None else f"{length} bytes in hex ({2 * length} digits)"
    got = f", got {len(text) - 2} digits" if isinstance(text, str) and _HEX.fullmatch(text) else ""
    raise BadInput(f"{pointer or 'value'}: expected 0x and {wanted}{got}.", "Check that it was copied whole.", pointer)


def hex_list(items: Sequence[object], length: int | None, pointer: str) -> tuple[bytes, ...]:
    """`from_hex` of each of the items, which stand in a list at `pointer`. Raises BadInput. What is written again as
    the same text needs no closer look."""
    try:
        found = [bytes.fromhex(item[2:]) for item in items]  # type: ignore[index]
        if list(map(to_hex, found)) == items and (length is None or set(map(len, found)) <= {length}):
            return tuple(found)
    except (TypeError, ValueError, LookupError):
        pass
    return tuple([from_hex(item, length, f"{pointer}/{i}") for i, item in enumerate(items)])


def parse_address(text: object, pointer: str = "") -> str:
    """An address in ERC-55 form. All-lower and all-upper case are taken; a mixed case must have the right checksum."""
    raw = from_hex(text, 20, pointer)
    address = checksum_address(raw)
    digits = str(text)[2:]
    if text != address and digits not in (digits.lower(), digits.upper()) and digits != address[2:]:
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


def canonical_json(value: Any) -> bytes:
    """RFC 8785 bytes. Raises BadInput for what has none: NaN, integers of 2^53 and more, lone surrogates."""
    try:
        if type(value) is str:
            return orjson.dumps(value)
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS) if _is_plain(value) else rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, orjson.JSONEncodeError, UnicodeEncodeError, RecursionError) as error:
        raise BadInput(f"The value has no canonical JSON form: {type(error).__name__}.", "") from None


def _is_plain(value: Any) -> bool:
    """Whether orjson writes the value as RFC 8785 says, or refuses it: it has no fraction, no integer of 2^53 or more,
    and no keys that the two would sort differently. The library of RFC 8785 writes one character after another."""
    level = [value]
    for _ in range(_MAX_PLAIN_DEPTH):
        deeper = []
        for item in level:
            kind = type(item)
            if kind is dict and set(map(type, item)) <= _TEXT and "".join(item).isascii():
                deeper += [inner for inner in item.values() if type(inner) is not str]
            elif kind is list:
                deeper += [inner for inner in item if type(inner) is not str]
            elif not (kind in _PLAIN or (kind is int and -(2**53) < item < 2**53)):
                return False
        if not deeper:
            return True
        level = deeper
    return False


def parse_json(data: bytes, size_limit: int, what: str) -> Any:
    """Strict JSON: UTF-8, no duplicate keys, no NaN or Infinity, no lone surrogates, at most 32 levels deep.
    `what` names the input in the error. Raises TooLarge, BadInput."""
    if len(data) > size_limit:
        raise TooLarge(f"{what} is {len(data):,} bytes; at most {size_limit:,} are read.")
    try:
        _check_nesting(data)
        value = _loads(data)
        _check_depth(value)
        if b"\\u" in data:  # the only way to write a lone surrogate
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except BadInput as error:
        raise BadInput(f"{what}: {error.message}", error.hint) from None
    except ValueError as error:
        position = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadInput(f"{what} is not valid JSON{position}.", "Check that the file is whole and not edited.") from None
    return value


def _loads(data: bytes) -> Any:
    value = _canonical(data)
    if value is not None:
        return value
    hooks: dict[str, Any] = {"object_pairs_hook": _no_duplicates, "parse_constant": _no_constant}
    return json.loads(data.decode("utf-8"), parse_float=_finite, **hooks)


def _canonical(data: bytes) -> Any:
    """What was written in the way in which we write, or None: then no key is named twice, and no number loses a digit.
    Most files are ours, and json takes four times as long with its hooks; orjson takes 230 bytes for each object."""
    if data.count(b"{") > len(data) // _BYTES_AN_OBJECT:
        return None
    try:
        value = orjson.loads(data)
        return value if orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == data else None
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None


def _check_nesting(data: bytes) -> None:
    """Refuse what json.loads could not walk wherever it is called from: how deep it gets hangs on the stack."""
    if data.count(b"[") + data.count(b"{") <= _MAX_NESTING:
        return
    depth = 0
    for bracket in _STRINGS.sub(b"", data).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > _MAX_NESTING:
            raise BadInput(_TOO_DEEP)


def _check_depth(value: Any) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_JSON_DEPTH):
        nodes = [node.values() if type(node) is dict else node for node in level]
        level = [item for node in nodes for item in node if type(item) is dict or type(item) is list]
        if not level:
            return
    raise BadInput(_TOO_DEEP)


def _finite(digits: str) -> float:
    value = float(digits)
    if isinf(value):
        raise BadInput("a number is too great for JSON.", "Write numbers that matter as strings.")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise BadInput("an object names a key twice.", "Each key may occur once.")
    return value


def _no_constant(name: str) -> None:
    raise BadInput(f"{name} is not a JSON number.", "Write numbers that matter as strings.")


def exact_object(value: object, keys: Set[str], pointer: str) -> dict[str, Any]:
    """`value` as an object that has exactly `keys`. Raises BadInput."""
    if isinstance(value, dict) and value.keys() == keys:
        return value
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
