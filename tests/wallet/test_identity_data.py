"""The EIP-712 structs of identities: an encoder written out by hand is the oracle."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi import encode
from eth_utils.crypto import keccak

from wallet.errors import TypedDataInvalid
from wallet.typed_data import Domain, TypedData, build

CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
CONTROLLER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
DOMAIN = Domain("IdentityRegister", 31337, CONTRACT)
RECORD_ID, HEAD, DIGEST = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
DEADLINE, UNTIL = 1_800_000_000, 1_924_992_000
CHANGES: dict[str, dict[str, tuple[str, Any]]] = {
    "RenewIdentity": {"digest": ("bytes32", DIGEST), "validUntil": ("uint40", UNTIL)},
    "RotateController": {"controller": ("address", CONTROLLER)},
    "RecoverIdentity": {"controller": ("address", CONTROLLER)},
    "VetoRecovery": {},
    "SuspendIdentity": {},
    "ReinstateIdentity": {},
    "RevokeIdentity": {},
}


def change(struct: str, members: dict[str, Any]) -> TypedData:
    return build(DOMAIN, struct, {"recordId": RECORD_ID, "head": HEAD, **members, "deadline": DEADLINE})


def by_hand(struct: bytes) -> bytes:
    kind = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    words = [kind, keccak(b"IdentityRegister"), keccak(b"1"), 31337, CONTRACT]
    domain = encode(["bytes32", "bytes32", "bytes32", "uint256", "address"], words)
    return keccak(b"\x19\x01" + keccak(domain) + keccak(struct))


@pytest.mark.parametrize("struct", CHANGES)
def test_the_digest_of_a_change_is_the_one_computed_by_hand(struct: str) -> None:
    middle = CHANGES[struct]
    members = [("recordId", "bytes32"), ("head", "bytes32"), *((n, t) for n, (t, _) in middle.items())]
    members.append(("deadline", "uint256"))
    kind = keccak(f"{struct}({','.join(f'{t} {n}' for n, t in members)})".encode())
    values = [kind, RECORD_ID, HEAD, *(value for _, value in middle.values()), DEADLINE]
    encoded = encode(["bytes32", *(t for _, t in members)], values)
    asked = {name: value for name, (_, value) in middle.items()}
    assert change(struct, asked).digest() == by_hand(encoded)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_digest_of_an_issue_is_the_one_computed_by_hand(count: int) -> None:
    member = b"Identity(bytes32 recordId,bytes32 digest,address controller,uint40 validUntil)"
    rows = [(keccak(bytes([n])), DIGEST, CONTROLLER, UNTIL + n) for n in range(count)]
    types = ["bytes32", "bytes32", "bytes32", "address", "uint40"]
    hashes = b"".join(keccak(encode(types, [keccak(member), *row])) for row in rows)
    kind = keccak(b"IssueIdentities(Identity[] identities,uint256 deadline)" + member)
    struct = encode(["bytes32", "bytes32", "uint256"], [kind, keccak(hashes), DEADLINE])
    names = ("recordId", "digest", "controller", "validUntil")
    identities = [dict(zip(names, row, strict=True)) for row in rows]
    assert build(DOMAIN, "IssueIdentities", {"identities": identities, "deadline": DEADLINE}).digest() == by_hand(
        struct
    )


@pytest.mark.parametrize("struct", CHANGES)
def test_a_change_has_the_members_of_its_struct_and_no_others(struct: str) -> None:
    asked = {name: value for name, (_, value) in CHANGES[struct].items()}
    with pytest.raises(TypedDataInvalid, match="expected exactly"):
        change(struct, {**asked, "holder": CONTROLLER})
    if asked:
        with pytest.raises(TypedDataInvalid, match="expected exactly"):
            change(struct, {})


def test_an_end_beyond_its_type_is_refused() -> None:
    with pytest.raises(TypedDataInvalid, match="2\\^40"):
        change("RenewIdentity", {"digest": DIGEST, "validUntil": 1 << 40})
