from __future__ import annotations

import json
import math
import struct
from typing import Any

import pytest
import rfc8785
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from ledger.encoding import (
    RegisterName,
    address_bytes,
    canonical_json,
    exact_list,
    exact_object,
    from_hex,
    keccak256,
    parse_address,
    parse_json,
    to_hex,
)
from ledger.errors import BadInput, TooLarge

# The examples of ERC-55.
ERC55 = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


def test_keccak256_is_ethereums_and_not_sha3() -> None:
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@pytest.mark.parametrize("text", ["0x" + "AB" * 32, "0X" + "ab" * 32, "0x" + "aB" * 32])
def test_a_hash_in_any_case_is_normalised(text: str) -> None:
    assert from_hex(text, 32) == b"\xab" * 32


@pytest.mark.parametrize(
    "text",
    [
        "ab" * 32,
        "0x" + "a" * 63,
        "0x" + "a" * 65,
        "0x" + "ab" * 31,
        "0x" + "zz" * 32,
        "",
        "0x ",
        None,
        7,
        ["0x00"],
        "0x" + "ab" * 32 + "\n",
        " 0x" + "ab" * 32,
        "0x" + "\u0661" * 64,
        "0x" + "ab" * 31 + " 0",
    ],
)
def test_a_hash_that_is_not_one_is_refused_with_what_was_expected(text: object) -> None:
    with pytest.raises(BadInput, match=r"/head: expected .*32 bytes in hex \(64 digits\)") as caught:
        from_hex(text, 32, "/head")
    assert caught.value.pointer == "/head"


@given(st.binary(max_size=80))
def test_hex_goes_there_and_back(data: bytes) -> None:
    assert from_hex(to_hex(data), len(data)) == data == from_hex(to_hex(data).upper(), None)


@pytest.mark.parametrize("address", ERC55)
def test_addresses_have_the_erc_55_form(address: str) -> None:
    assert (
        parse_address(address) == parse_address(address.lower()) == parse_address("0x" + address[2:].upper()) == address
    )


@given(st.binary(min_size=20, max_size=20))
def test_checksums_agree_with_another_implementation(data: bytes) -> None:
    address = parse_address(to_hex(data))
    assert address == to_checksum_address(data)
    assert address_bytes(address) == data


def test_an_address_with_one_wrong_case_or_digit_is_refused() -> None:
    right = ERC55[2]
    for wrong in (right.replace("A", "a", 1), right[:-1] + "e", right[:-1], right + "0", right[2:]):
        with pytest.raises(BadInput):
            parse_address(wrong, "/holder")


def test_a_register_name_is_caip_10() -> None:
    name = RegisterName.parse(f"eip155:1337:{ERC55[2].lower()}")
    assert (name.chain_id, name.address) == (1337, ERC55[2])
    assert RegisterName.parse(str(name)) == name


@pytest.mark.parametrize(
    "text",
    [
        ERC55[0],
        f"eip155:0:{ERC55[0]}",
        f"eip155:01:{ERC55[0]}",
        f"eip155::{ERC55[0]}",
        f"cosmos:1:{ERC55[0]}",
        None,
        f"eip155:1:{ERC55[2]}\n",
        f"eip155:1:{ERC55[2]}0",
        f"eip155:{10**18}:{ERC55[2]}",
        f"eip155:\u0661:{ERC55[2]}",
    ],
)
def test_what_is_no_register_name_is_refused(text: object) -> None:
    with pytest.raises(BadInput):
        RegisterName.parse(text, "/register")


# RFC 8785 appendix B: the 64 bits of a number and its form.
@pytest.mark.parametrize(
    ("bits", "written"),
    [
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
    ],
)
def test_canonical_json_writes_numbers_as_rfc_8785_says(bits: str, written: str) -> None:
    assert canonical_json(struct.unpack(">d", bytes.fromhex(bits))[0]) == written.encode()


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, 2**53, 2**53 + 1, -(2**53), "\ud800", {"\ud800": 1}, {1: 2}, b"x", {1, 2}],
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(BadInput, match="no canonical JSON form"):
        canonical_json({"a": [value]})


def test_a_value_too_deep_for_canonical_json_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(BadInput):
        canonical_json(deep)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"nul",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b"[" + b"9" * 5000 + b"]",
        b'{"a": 1, "a": 1}',
        b'{"b": {"a": 1, "\\u0061": 2}}',
        b'"\\ud800"',
        b'{"\\udc00": 1}',
        b"\xef\xbb\xbf{}",
        b"\xff",
        '"\ud800"'.encode("utf-8", "surrogatepass"),
        "{}".encode("utf-16"),
        b"{} {}",
        b'"\x00"',
        b"[1,]",
        b"{'a': 1}",
    ],
)
def test_json_that_is_not_strict_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="The file"):
        parse_json(data, 10_000, "The file")


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'["\\"",' + b"[" * 33,
        b'"' + b"[" * 100_000,
    ],
)
def test_deep_nesting_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_json(data, 1 << 20, "The file")


@pytest.mark.parametrize("data", [b'"' + b'\\"' * 2_000_000, b'"' * 4_000_001, b'"\\' * 2_000_000, b"\\" * 4_000_000])
def test_quotes_without_end_are_read_in_linear_time(data: bytes) -> None:
    # Reading on from every quote again would take hours for this, and the run with it.
    with pytest.raises(BadInput):
        parse_json(data, 4 << 20, "The file")


def test_brackets_in_strings_are_not_depth_and_32_levels_are_taken() -> None:
    value: Any = "[" * 100 + '\\"' + "{" * 100
    for _ in range(32):
        value = [value]
    assert parse_json(json.dumps(value).encode(), 1 << 20, "The file") == value


def test_json_over_the_size_limit_is_refused_unread() -> None:
    with pytest.raises(TooLarge):
        parse_json(b"x" * 11, 10, "The file")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-(2.0**52), 2.0**52)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=20,
)


@given(JSON)
def test_canonical_json_is_stable_and_means_the_same(value: Any) -> None:
    written = canonical_json(value)
    again = parse_json(written, 1 << 20, "The file")
    assert again == value
    assert canonical_json(again) == written


ANY_TEXT = st.text(st.characters(exclude_categories=[])) | st.text('\x00\x1f\b\t"\\\x7f\u2028\ud800\udfffA')
ANYTHING = st.recursive(
    ANY_TEXT | st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from([2**53, -(2**53), 2**53 - 1]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(ANY_TEXT, max_size=4) | ANYTHING)
def test_canonical_json_agrees_with_the_library_of_rfc_8785_also_in_what_it_refuses(value: Any) -> None:
    try:
        expected = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        with pytest.raises(BadInput, match="no canonical JSON form"):
            canonical_json(value)
    else:
        assert canonical_json(value) == expected


@given(st.binary(max_size=60) | st.text('[]{}",:\\0aeE+-.NI \n', max_size=60).map(str.encode))
def test_any_bytes_are_json_or_refused(data: bytes) -> None:
    try:
        value = parse_json(data, 100, "The file")
    except BadInput:
        return
    assert json.loads(data) == value


def test_an_object_has_exactly_its_keys() -> None:
    assert exact_object({"a": 1, "b": 2}, {"a", "b"}, "") == {"a": 1, "b": 2}
    for wrong in ({}, {"a": 1, "c": 2}, [], None, "a"):
        with pytest.raises(BadInput):
            exact_object(wrong, {"a"}, "/x")
    for wrong_list in ([1, 2], (1,), None, {}):
        with pytest.raises(BadInput):
            exact_list(wrong_list, 1, "/x")
