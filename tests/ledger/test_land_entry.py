from __future__ import annotations

import json
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from ledger.encoding import ZERO32, to_hex
from ledger.errors import BadInput, InvalidProof
from ledger.land_entry import LIENS_RECORDED, Lien, lien_lists, lien_root, parents_of
from ledger.model import Log
from tests.builders import REGISTER_ADDRESS, address

LIENS = (Lien(1, address("bank"), keccak(b"loan")), Lien(2, address("friend"), keccak(b"favour")))
ROWS = [(1, address("bank"), keccak(b"loan")), (2, address("friend"), keccak(b"favour"))]
TYPE = "(uint16,address,bytes32)[]"


def log(data: bytes, *topics: bytes) -> Log:
    return Log(REGISTER_ADDRESS, topics, data, 77, b"b" * 32, b"t" * 32, 3)


def test_the_root_is_the_hash_of_the_list_as_the_contract_encodes_it() -> None:
    assert lien_root(LIENS) == keccak(encode([TYPE], [ROWS]))
    assert lien_root(LIENS[:1]) != lien_root(LIENS) != lien_root(LIENS[::-1])


def test_no_liens_have_no_root() -> None:
    assert lien_root(()) == ZERO32


def test_a_list_is_read_back_by_its_root() -> None:
    strange = log(b"", keccak(b"another event"))
    told = log(encode([TYPE], [ROWS]), LIENS_RECORDED, lien_root(LIENS))
    assert lien_lists([strange, told, log(b"")]) == {lien_root(LIENS): LIENS}


@pytest.mark.parametrize(
    ("data", "topics"),
    [
        (encode([TYPE], [ROWS]), (LIENS_RECORDED, lien_root(LIENS[:1]))),
        (encode([TYPE], [ROWS]), (LIENS_RECORDED,)),
        (encode([TYPE], [ROWS]), (LIENS_RECORDED, lien_root(LIENS), ZERO32)),
        (encode([TYPE], [[]]), (LIENS_RECORDED, ZERO32)),
        (b"", (LIENS_RECORDED, lien_root(LIENS))),
        (b"\xff" * 64, (LIENS_RECORDED, ZERO32)),
    ],
)
def test_a_list_that_is_not_the_one_it_says_is_refused(data: bytes, topics: tuple[bytes, ...]) -> None:
    with pytest.raises(InvalidProof, match="log 3 of block 77"):
        lien_lists([log(data, *topics)])


@given(st.integers(1, 65535), st.binary(min_size=20, max_size=20), st.binary(min_size=32, max_size=32))
def test_a_lien_reads_back_from_its_json(rank: int, creditor: bytes, claim: bytes) -> None:
    value = {"rank": rank, "creditor": to_hex(creditor), "claim": to_hex(claim)}
    lien = Lien.from_json(json.loads(json.dumps(value)))
    assert (lien.rank, lien.creditor.lower(), lien.claim) == (rank, to_hex(creditor), claim)
    assert Lien.from_json(lien.as_json()) == lien


@pytest.mark.parametrize(
    "change",
    [
        {"rank": 0},
        {"rank": 65536},
        {"rank": True},
        {"rank": "1"},
        {"creditor": "0x12"},
        {"claim": "0x12"},
        {"claim": None},
        {"note": "x"},
    ],
)
def test_a_lien_of_another_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"^/liens/0"):
        Lien.from_json(LIENS[0].as_json() | change, "/liens/0")


def test_a_descent_is_the_hash_of_the_heads_ascending() -> None:
    low, high = b"\x01" * 32, b"\xf0" * 32
    assert parents_of([high, low]) == parents_of([low, high]) == keccak(low + high)
    assert parents_of([low]) == keccak(low)
