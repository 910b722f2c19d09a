"""EIP-712 typed data: an independent encoder and eth_account's signer are the oracles."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eth_abi import encode
from eth_account import Account
from eth_utils.crypto import keccak

from wallet.errors import TypedDataInvalid
from wallet.keys import recover
from wallet.signer import LocalSigner
from wallet.typed_data import (
    TYPES,
    Domain,
    TypedData,
    build,
)

CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
HOLDER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
DOMAIN = Domain("LandRegister", 31337, CONTRACT)
KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")


def titles(count: int) -> list[dict[str, Any]]:
    return [
        {"recordId": keccak(b"id%d" % i), "digest": keccak(b"digest%d" % i), "holder": HOLDER, "area": 41250 + i}
        for i in range(count)
    ]


def issue(items: list[dict[str, Any]], deadline: int = 5, domain: Domain = DOMAIN) -> TypedData:
    return build(domain, "IssueTitles", {"titles": items, "deadline": deadline})


def transfer() -> TypedData:
    message = {"recordId": b"\x01" * 32, "head": b"\x02" * 32, "recipient": HOLDER, "digest": b"\x03" * 32}
    return build(DOMAIN, "TransferTitle", {**message, "deadline": 1_800_000_000})


def by_hand(struct_hash: bytes) -> bytes:
    kind = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    domain = encode(
        ["bytes32", "bytes32", "bytes32", "uint256", "address"],
        [kind, keccak(b"LandRegister"), keccak(b"1"), 31337, CONTRACT],
    )
    return keccak(b"\x19\x01" + keccak(domain) + struct_hash)


@pytest.mark.parametrize("count", [0, 1, 2, 400])
def test_issue_digest_is_the_one_computed_by_hand(count: int) -> None:
    title = keccak(b"Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)")
    kind = keccak(
        b"IssueTitles(Title[] titles,uint256 deadline)Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)"
    )
    hashes = [
        keccak(encode(["bytes32", "bytes32", "bytes32", "address", "uint64"], [title, *item.values()]))
        for item in titles(count)
    ]
    struct = encode(["bytes32", "bytes32", "uint256"], [kind, keccak(b"".join(hashes)), 1_800_000_000])
    assert issue(titles(count), 1_800_000_000).digest() == by_hand(keccak(struct))


def test_transfer_digest_is_the_one_computed_by_hand() -> None:
    kind = keccak(b"TransferTitle(bytes32 recordId,bytes32 head,address recipient,bytes32 digest,uint256 deadline)")
    struct = encode(
        ["bytes32", "bytes32", "bytes32", "address", "bytes32", "uint256"],
        [kind, b"\x01" * 32, b"\x02" * 32, HOLDER, b"\x03" * 32, 1_800_000_000],
    )
    assert transfer().digest() == by_hand(keccak(struct))


A, B, C, D = (bytes([n]) * 32 for n in (1, 2, 3, 4))
BATCHES = [
    (
        build(DOMAIN, "AppendBatch", {"series": A, "head": B, "root": C, "count": 7, "manifest": D, "deadline": 9}),
        b"AppendBatch(bytes32 series,bytes32 head,bytes32 root,uint64 count,bytes32 manifest,uint256 deadline)",
        [A, B, C, 7, D, 9],
    ),
    (
        build(DOMAIN, "AppendLeaves", {"series": A, "head": B, "root": C, "count": 7, "deadline": 9}),
        b"AppendLeaves(bytes32 series,bytes32 head,bytes32 root,uint64 count,uint256 deadline)",
        [A, B, C, 7, 9],
    ),
    (
        build(DOMAIN, "AmendLeaf", {"leaf": A, "head": B, "replacement": C, "reason": D, "deadline": 9}),
        b"AmendLeaf(bytes32 leaf,bytes32 head,bytes32 replacement,bytes32 reason,uint256 deadline)",
        [A, B, C, D, 9],
    ),
    (
        build(DOMAIN, "VoidLeaf", {"leaf": A, "head": B, "reason": C, "deadline": 9}),
        b"VoidLeaf(bytes32 leaf,bytes32 head,bytes32 reason,uint256 deadline)",
        [A, B, C, 9],
    ),
]
ALL = [transfer(), issue(titles(3)), *(data for data, _, _ in BATCHES)]


@pytest.mark.parametrize(("data", "kind", "members"), BATCHES)
def test_batch_digests_are_those_computed_by_hand(data: TypedData, kind: bytes, members: list[Any]) -> None:
    words = [member if isinstance(member, bytes) else member.to_bytes(32, "big") for member in members]
    assert data.digest() == by_hand(keccak(keccak(kind) + b"".join(words)))


@pytest.mark.parametrize("data", ALL)
def test_a_wallet_that_takes_the_json_form_signs_the_same_digest(data: TypedData) -> None:
    message = json.loads(json.dumps(data.as_dict()))
    signed = Account.sign_typed_data(KEY, full_message=message)
    assert bytes(signed.signature) == LocalSigner(KEY).sign_typed(data)
    assert recover(data.digest(), bytes(signed.signature)) == Account.from_key(KEY).address


@pytest.mark.parametrize("data", ALL)
def test_the_json_form_reads_back_as_the_same_data(data: TypedData) -> None:
    assert TypedData.from_dict(json.loads(json.dumps(data.as_dict()))) == data


def test_each_part_of_the_domain_changes_the_digest() -> None:
    others = [
        Domain("LandRegister", 1, CONTRACT),
        Domain("LandRegister", 31337, HOLDER),
        Domain("Land", 31337, CONTRACT),
    ]
    digests = {issue(titles(1), domain=domain).digest() for domain in [DOMAIN, *others]}
    assert len(digests) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"recordId": b"\x01" * 31},
        {"recordId": b"\x01" * 33},
        {"recordId": "01" * 32},
        {"digest": None},
        {"holder": "0x1234"},
        {"area": -1},
        {"area": 1 << 64},
        {"area": True},
        {"area": 1.5},
        {"area": "007"},
        {"note": "an unknown member"},
    ],
)
def test_a_title_of_another_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(TypedDataInvalid):
        issue([titles(1)[0] | change])


def test_a_missing_member_is_refused() -> None:
    item = titles(1)[0]
    del item["area"]
    with pytest.raises(TypedDataInvalid, match="/message/titles/0"):
        issue([item])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("primaryType",), "Permit"),
        (("primaryType",), ["TransferTitle"]),
        (("types", "TransferTitle"), []),
        (("types", "Extra"), []),
        (("domain", "version"), "2"),
        (("domain", "salt"), "0x00"),
        (("domain", "chainId"), "x"),
        (("domain", "name"), 7),
        (("message", "deadline"), "-1"),
        (("message",), None),
        (("extra",), 1),
    ],
)
def test_typed_data_of_another_form_is_refused(path: tuple[str, ...], value: object) -> None:
    data = json.loads(json.dumps(transfer().as_dict()))
    target = data
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(TypedDataInvalid):
        TypedData.from_dict(data)


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_what_is_not_an_object_is_refused(value: object) -> None:
    with pytest.raises(TypedDataInvalid):
        TypedData.from_dict(value)


def merge(**changes: Any) -> TypedData:
    ids, heads = [b"\x01" * 32, b"\x02" * 32], [b"\x03" * 32, b"\x04" * 32]
    message = {"recordIds": ids, "heads": heads, "child": titles(1)[0], "deadline": 5}
    return build(DOMAIN, "MergeTitles", message | changes)


def test_merge_digest_is_the_one_computed_by_hand() -> None:
    title = b"Title(bytes32 recordId,bytes32 digest,address holder,uint64 area)"
    kind = keccak(b"MergeTitles(bytes32[] recordIds,bytes32[] heads,Title child,uint256 deadline)" + title)
    child = encode(["bytes32", "bytes32", "bytes32", "address", "uint64"], [keccak(title), *titles(1)[0].values()])
    ids, heads = keccak(b"\x01" * 32 + b"\x02" * 32), keccak(b"\x03" * 32 + b"\x04" * 32)
    struct = encode(["bytes32"] * 4 + ["uint256"], [kind, ids, heads, keccak(child), 5])
    assert merge().digest() == by_hand(keccak(struct))
    assert TypedData.from_dict(json.loads(json.dumps(merge().as_dict()))) == merge()


@pytest.mark.parametrize("changes", [{"heads": b"\x03" * 32}, {"heads": [b"\x03" * 31]}, {"child": titles(1)}])
def test_a_merge_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TypedDataInvalid, match="/message/"):
        merge(**changes)


def test_no_two_actions_have_one_digest() -> None:
    members = {"recordId": b"\x01" * 32, "head": b"\x02" * 32, "deadline": 5}
    members |= {"recipient": HOLDER, "creditor": HOLDER, "digest": b"\x03" * 32, "claim": b"\x03" * 32, "rank": 1}
    names = [name for name, types in TYPES.items() if {m["name"] for m in types[name]} <= members.keys()]
    messages = {name: {m["name"]: members[m["name"]] for m in TYPES[name][name]} for name in names}
    assert len({build(DOMAIN, name, message).digest() for name, message in messages.items()}) == len(names) >= 9
