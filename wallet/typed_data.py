"""The one definition of the EIP-712 structs that registrars and holders sign (docs/protocol.md section 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any

from sha3 import keccak_256

from wallet.errors import TypedDataInvalid

VERSION = "1"

_MEMBERS = {
    "AmendLeaf": "bytes32 leaf,bytes32 head,bytes32 replacement,bytes32 reason,uint256 deadline",
    "AppendBatch": "bytes32 series,bytes32 head,bytes32 root,uint64 count,bytes32 manifest,uint256 deadline",
    "AppendLeaves": "bytes32 series,bytes32 head,bytes32 root,uint64 count,uint256 deadline",
    "EIP712Domain": "string name,string version,uint256 chainId,address verifyingContract",
    "IssueIdentities": "Identity[] identities,uint256 deadline",
    "Identity": "bytes32 recordId,bytes32 digest,address controller,uint40 validUntil",
    "RenewIdentity": "bytes32 recordId,bytes32 head,bytes32 digest,uint40 validUntil,uint256 deadline",
    "RotateController": "bytes32 recordId,bytes32 head,address controller,uint256 deadline",
    "RecoverIdentity": "bytes32 recordId,bytes32 head,address controller,uint256 deadline",
    "VetoRecovery": "bytes32 recordId,bytes32 head,uint256 deadline",
    "SuspendIdentity": "bytes32 recordId,bytes32 head,uint256 deadline",
    "ReinstateIdentity": "bytes32 recordId,bytes32 head,uint256 deadline",
    "RevokeIdentity": "bytes32 recordId,bytes32 head,uint256 deadline",
    "ImportManifest": "bytes32 digest,uint64 rows,uint64 chunks",
    "PlaceHold": "bytes32 recordId,uint64 since",
    "LiftHold": "bytes32 recordId,uint64 since,uint64 until",
    "IssueTitles": "Title[] titles,uint256 deadline",
    "Title": "bytes32 recordId,bytes32 digest,address holder,uint64 area",
    "TransferTitle": "bytes32 recordId,bytes32 head,address recipient,bytes32 digest,uint256 deadline",
    "VoidLeaf": "bytes32 leaf,bytes32 head,bytes32 reason,uint256 deadline",
    "AmendTitle": "bytes32 recordId,bytes32 head,bytes32 digest,uint256 deadline",
    "RetireTitle": "bytes32 recordId,bytes32 head,uint256 deadline",
    "FreezeTitle": "bytes32 recordId,bytes32 head,uint256 deadline",
    "UnfreezeTitle": "bytes32 recordId,bytes32 head,uint256 deadline",
    "AssignTitle": "bytes32 recordId,bytes32 head,address recipient,bytes32 digest,uint256 deadline",
    "WithdrawPending": "bytes32 recordId,bytes32 head,uint256 deadline",
    "ObjectToTransfer": "bytes32 recordId,bytes32 head,uint256 deadline",
    "EncumberTitle": "bytes32 recordId,bytes32 head,address creditor,bytes32 claim,uint256 deadline",
    "ReleaseLien": "bytes32 recordId,bytes32 head,uint16 rank,address creditor,bytes32 claim,uint256 deadline",
    "SplitTitle": "bytes32 recordId,bytes32 head,Title[] children,uint256 deadline",
    "MergeTitles": "bytes32[] recordIds,bytes32[] heads,Title child,uint256 deadline",
}

_NESTED = ("Identity", "Title")

Types = dict[str, list[dict[str, str]]]


@cache
def _members(name: str) -> Mapping[str, str]:
    """The type of each member of a struct, in its order."""
    pairs = [member.split(" ") for member in _MEMBERS[name].split(",")]
    return {member: kind for kind, member in pairs}


@cache
def _types(*names: str) -> Types:
    members = {name: _members(name) for name in ("EIP712Domain", *names)}
    return {name: [{"name": n, "type": kind} for n, kind in its.items()] for name, its in members.items()}


# By primary type: every struct that the message holds, as eth_signTypedData_v4 lists them.
TYPES: Mapping[str, Types] = {
    name: _types(name, *(nested for nested in _NESTED if nested in re.findall(r"\w+", members)))
    for name, members in _MEMBERS.items()
    if name not in ("EIP712Domain", *_NESTED)
}


@dataclass(frozen=True)
class Domain:
    """The contract that a signature is for. `verifying_contract` is an address in hex; the version is always "1"."""

    name: str
    chain_id: int
    verifying_contract: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "version": VERSION,
            "chainId": self.chain_id,
            "verifyingContract": self.verifying_contract,
        }


@dataclass(frozen=True)
class TypedData:
    """A message to sign. `message` holds bytes for bytesN, int for uintN, ERC-55 text for address."""

    domain: Domain
    primary_type: str
    types: Types
    message: Mapping[str, Any]

    def digest(self) -> bytes:
        """The 32 bytes that are signed: keccak256(0x1901 || domain separator || hashStruct(message)), EIP-712."""
        return self._digest

    @cached_property
    def _digest(self) -> bytes:
        domain = _word("EIP712Domain", self.domain.as_dict())
        return _keccak(b"\x19\x01" + domain + _word(self.primary_type, self.message))

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that eth_signTypedData_v4 takes. Integers of the message are decimal strings."""
        return {
            "types": self.types,
            "primaryType": self.primary_type,
            "domain": self.domain.as_dict(),
            "message": _to_json(self.message),
        }

    @classmethod
    def from_dict(cls, value: object) -> TypedData:
        """Read what as_dict wrote. Raises TypedDataInvalid for any other struct, member, version or value form."""
        outer = _exact(value, {"types", "primaryType", "domain", "message"}, "")
        primary = outer["primaryType"]
        if not isinstance(primary, str) or primary not in TYPES:
            raise TypedDataInvalid("/primaryType: not a struct that is signed here.", f"Known: {', '.join(TYPES)}.")
        if outer["types"] != TYPES[primary]:
            raise TypedDataInvalid(f"/types: not the definition of {primary}.", "Use the one that the register sent.")
        domain = _exact(outer["domain"], {"name", "version", "chainId", "verifyingContract"}, "/domain")
        if domain["version"] != VERSION or not isinstance(domain["name"], str):
            raise TypedDataInvalid(f'/domain: expected a name and the version "{VERSION}".')
        parsed = Domain(domain["name"], domain["chainId"], domain["verifyingContract"])
        return build(parsed, primary, outer["message"])


def build(domain: Domain, primary_type: str, message: object) -> TypedData:
    """What is signed for any action: `message` holds exactly the members of the struct that TYPES names. Raises
    TypedDataInvalid."""
    contract = _value({}, "address", domain.verifying_contract, "/domain/verifyingContract")
    chain_id = _value({}, "uint256", domain.chain_id, "/domain/chainId")
    types = TYPES[primary_type]
    checked = _value(types, primary_type, message, "/message")
    return TypedData(Domain(domain.name, chain_id, contract), primary_type, types, checked)


def _word(kind: str, value: Any) -> bytes:
    """The 32 bytes that stand for a value in a struct (EIP-712, encodeData). eth_account's takes ten times as long for
    the titles of a batch, and loads pairing curves for most of a second."""
    if kind in _MEMBERS:
        words = [_word(member, value[name]) for name, member in _members(kind).items()]
        return _keccak(_type_hash(kind) + b"".join(words))
    if kind.endswith("[]"):
        return _keccak(b"".join([_word(kind[:-2], item) for item in value]))
    if kind.startswith("uint"):
        return int(value).to_bytes(32, "big")
    if kind == "address":
        return bytes.fromhex(value[2:]).rjust(32, b"\0")
    return _keccak(value.encode()) if kind == "string" else bytes(value)


@cache
def _type_hash(kind: str) -> bytes:
    nested = [name for name in _NESTED if name in re.findall(r"\w+", _MEMBERS[kind])]
    return _keccak("".join(f"{name}({_MEMBERS[name]})" for name in (kind, *nested)).encode())


def _keccak(data: bytes) -> bytes:
    digest: bytes = keccak_256(data).digest()
    return digest


def _value(types: Types, kind: str, value: object, pointer: str) -> Any:
    # An encoder would pad short bytes and ignore unknown members, so a signer could sign other than what was shown.
    if kind.endswith("[]"):
        if not isinstance(value, list):
            raise TypedDataInvalid(f"{pointer}: expected a list.")
        return [_value(types, kind[:-2], item, f"{pointer}/{i}") for i, item in enumerate(value)]
    if kind in types:
        members = _members(kind)
        struct = _exact(value, members.keys(), pointer)
        return {name: _value(types, member, struct[name], f"{pointer}/{name}") for name, member in members.items()}
    if kind.startswith("uint"):
        return _integer(value, int(kind[4:]), pointer)
    if kind == "address":
        return checksum_address(_bytes(value, 20, pointer))
    return _bytes(value, int(kind[5:]), pointer)


@lru_cache(maxsize=1024)
def checksum_address(address: bytes) -> str:
    """The mixed-case form of a 20-byte address (ERC-55)."""
    text = address.hex()
    digest = _keccak(text.encode()).hex()
    return "0x" + "".join([c.upper() if digit >= "8" else c for c, digit in zip(text, digest, strict=False)])


def _integer(value: object, bits: int, pointer: str) -> int:
    if isinstance(value, str) and re.fullmatch(r"0|[1-9][0-9]{0,77}", value):
        value = int(value)
    if type(value) is not int or not 0 <= value < 1 << bits:
        raise TypedDataInvalid(f"{pointer}: expected a whole number from 0 to 2^{bits} - 1.")
    return value


def _bytes(value: object, size: int, pointer: str) -> bytes:
    if isinstance(value, str) and re.fullmatch(r"0x(?:[0-9a-fA-F]{2})*", value):
        value = bytes.fromhex(value[2:])
    if not isinstance(value, bytes) or len(value) != size:
        raise TypedDataInvalid(f"{pointer}: expected {size} bytes in hex.", "Check that it was copied whole.")
    return value


def _exact(value: object, keys: Set[str], pointer: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or value.keys() != keys:
        raise TypedDataInvalid(f"{pointer or '/'}: expected exactly {', '.join(sorted(keys))}.")
    return value


def _to_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _to_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value)
