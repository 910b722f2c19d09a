"""What registrars signed (EIP-712), as small as paper needs it, and its digest.

A struct is the list of its members in their order: bytes, int, or 20 bytes for an address. Where the content's digest
belongs stands None, because the content itself is on the paper; a struct of an array that is about another record is
its hash alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ledger.encoding import address_bytes, keccak256
from ledger.errors import BadInput
from wallet.typed_data import TYPES, VERSION, TypedData

MAX_ITEMS = 64


def compact(data: TypedData, digest: bytes) -> list[Any]:
    """The message of typed data in the form above. Raises BadInput when it does not hold this digest."""
    message: list[Any] = _compact(data.types, data.primary_type, data.message, digest)
    if len(list(_owners(data.types, data.primary_type, message))) != 1:
        raise BadInput("What was signed does not name this content once.")
    return message


def checked(primary: object, message: object) -> tuple[str, list[Any]]:
    """A message read from paper, with every member of its type. Raises BadInput."""
    if not isinstance(primary, str) or primary not in TYPES or not isinstance(message, list):
        raise BadInput("The paper is about nothing that registrars sign.", "")
    _check(TYPES[primary], primary, message)
    return primary, message


def owner(primary: str, message: list[Any]) -> Mapping[str, Any] | None:
    """The members of the one struct that holds the content's digest, by name; None if it is nowhere in the message."""
    found = list(_owners(TYPES[primary], primary, message))
    if len(found) > 1:
        raise BadInput("The paper names its content more than once.", "")
    return found[0] if found else None


def signed_digest(contract: str, chain_id: int, address: str, primary: str, message: list[Any], digest: bytes) -> bytes:
    """The 32 bytes that were signed, with `digest` where the content's belongs."""
    domain = [contract, VERSION, chain_id, address_bytes(address)]
    types = TYPES[primary]
    hashes = (
        _struct_hash(types, name, value, digest) for name, value in (("EIP712Domain", domain), (primary, message))
    )
    return keccak256(b"\x19\x01" + b"".join(hashes))


def _compact(types: Mapping[str, Any], kind: str, value: Any, digest: bytes) -> Any:
    if kind.endswith("[]") and kind[:-2] in types:
        items = [_compact(types, kind[:-2], item, digest) for item in value]
        return [item if None in item else _struct_hash(types, kind[:-2], item, digest) for item in items]
    if kind in types:
        return [_compact(types, member["type"], value[member["name"]], digest) for member in types[kind]]
    if kind == "address":
        return address_bytes(value)
    return None if value == digest else value


def _check(types: Mapping[str, Any], kind: str, value: Any) -> None:
    if kind.endswith("[]"):
        good = isinstance(value, list) and len(value) <= MAX_ITEMS
        for item in value if good else ():
            if kind[:-2] not in types or not _is_bytes(item, 32):
                _check(types, kind[:-2], item)
    elif kind in types:
        good = isinstance(value, list) and len(value) == len(types[kind])
        for member, item in zip(types[kind], value if good else (), strict=good):
            _check(types, member["type"], item)
    elif kind.startswith("uint"):
        good = type(value) is int and 0 <= value < 1 << int(kind[4:])
    else:
        good = _is_bytes(value, 20 if kind == "address" else 32) or (value is None and kind == "bytes32")
    if not good:
        raise BadInput(f"What was signed does not have a {kind} where it should.", "Scan it again.")


def _is_bytes(value: object, size: int) -> bool:
    return isinstance(value, bytes) and len(value) == size


def _owners(types: Mapping[str, Any], kind: str, value: Any) -> Iterator[Mapping[str, Any]]:
    if kind.endswith("[]"):
        for item in value:
            yield from _owners(types, kind[:-2], item)
    elif kind in types and isinstance(value, list):
        if None in value:
            yield {member["name"]: item for member, item in zip(types[kind], value, strict=True)}
        for member, item in zip(types[kind], value, strict=True):
            yield from _owners(types, member["type"], item)


def _struct_hash(types: Mapping[str, Any], name: str, value: Any, digest: bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    words = (_word(types, member["type"], item, digest) for member, item in zip(types[name], value, strict=True))
    return keccak256(keccak256(_definition(types, name).encode()) + b"".join(words))


def _definition(types: Mapping[str, Any], name: str) -> str:
    """encodeType of EIP-712: the struct, then those it holds, by name."""
    held = sorted({member["type"].removesuffix("[]") for member in types[name]} & types.keys())
    members = {struct: ",".join(f"{m['type']} {m['name']}" for m in types[struct]) for struct in (name, *held)}
    return "".join(f"{struct}({text})" for struct, text in members.items())


def _word(types: Mapping[str, Any], kind: str, value: Any, digest: bytes) -> bytes:
    if kind.endswith("[]"):
        return keccak256(b"".join(_word(types, kind[:-2], item, digest) for item in value))
    if kind in types:
        return _struct_hash(types, kind, value, digest)
    if kind == "string":
        return keccak256(value.encode())
    if kind.startswith("uint"):
        return int(value).to_bytes(32, "big")
    return bytes(digest if value is None else value).rjust(32, b"\0")
