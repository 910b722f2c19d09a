"""The short ways through hex and JSON give what the long ones give."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.encoding import MAX_JSON_DEPTH, canonical_json, from_hex, hex_list, parse_json
from ledger.errors import BadInput

CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from('\x00\x08\x1f"\\/\x7f\u2028\ue000\U0001d49c')
TEXT = st.text(CHARACTERS, max_size=12)
OF_STRINGS = st.recursive(
    TEXT, lambda part: st.lists(part, max_size=4) | st.dictionaries(TEXT, part, max_size=4), max_leaves=12
)
MIXED = st.recursive(
    TEXT
    | st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(TEXT, part, max_size=4),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None)
@given(OF_STRINGS | MIXED)
def test_canonical_json_is_what_the_library_writes(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", ["\ud800", {"a": "\udfff"}, {"\ud800": "a"}, ["a", ["\ud800"]]])
def test_a_lone_surrogate_has_no_canonical_form(value: Any) -> None:
    with pytest.raises(BadInput):
        canonical_json(value)


HEXISH = st.text("0123456789abcdefABCDEFgxX \t\n_-+٣\u00a0", max_size=12)


@settings(max_examples=800, deadline=None)
@given(st.sampled_from(["0x", "0X", "", "x", "0x0x", " 0x"]), HEXISH, st.sampled_from([None, 0, 1, 2, 4]))
def test_hex_is_pairs_of_digits_after_0x_and_nothing_else(prefix: str, digits: str, length: int | None) -> None:
    text = prefix + digits
    if re.fullmatch(r"0[xX]([0-9a-fA-F]{2})*", text) and length in (None, len(text) // 2 - 1):
        assert from_hex(text, length).hex() == text[2:].lower()
    else:
        with pytest.raises(BadInput):
            from_hex(text, length)


def test_the_item_of_a_list_that_is_no_hex_is_named() -> None:
    assert hex_list(["0x00", "0xFF"], 1, "/path") == (b"\x00", b"\xff")
    with pytest.raises(BadInput, match="/path/1: expected"):
        hex_list(["0x00", "0x0"], 1, "/path")


@pytest.mark.parametrize("item", ["0x 00", "00", "1x00", "0x0000", "0x", None, 0, [], ["0", "x", "0"], {}, True])
def test_an_item_that_is_no_hex_of_its_length_is_refused_wherever_it_stands(item: Any) -> None:
    for items in ([item], ["0x00", item], [item, "0x00"]):
        with pytest.raises(BadInput):
            hex_list(items, 1, "/path")


def test_what_is_written_canonically_is_read_as_strictly_as_all_else() -> None:
    long = '"' + 40 * "k" + '"'
    assert parse_json(f'{{"a":{long},"b":[0,-1,1.5,null]}}'.encode(), 100, "It") == {
        "a": 40 * "k",
        "b": [0, -1, 1.5, None],
    }
    for wrong in (f'{{"a":{long},"a":{long}}}', f"[{long},1e999]", f'[{long},"\\ud800"]', f"[{long},NaN]"):
        with pytest.raises(BadInput):
            parse_json(wrong.encode(), 1000, "It")


def depth(value: Any) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if parts is None else 1 + max(map(depth, parts), default=0)


@settings(max_examples=400, deadline=None)
@given(MIXED, st.integers(0, 40), st.booleans(), st.booleans())
def test_json_is_read_up_to_the_depth_that_is_allowed(
    value: Any, levels: int, ascii_only: bool, brackets: bool
) -> None:
    for level in range(levels):
        value = [value, "]}" if brackets else 0] if level % 3 else {"{[": value}
    data = json.dumps(value, ensure_ascii=ascii_only).encode()
    if depth(value) <= MAX_JSON_DEPTH:
        assert parse_json(data, len(data), "It") == value
    else:
        with pytest.raises(BadInput, match="32 levels"):
            parse_json(data, len(data), "It")


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from(["\\ud800", "\\udc00", "\\uD83D", "\\uDE00", "\\\\u", "a", "\\n", "é", "\\u00e9"]), max_size=6
    )
)
def test_text_is_read_unless_half_a_pair_stands_alone(parts: list[str]) -> None:
    data = f'{{"a":"{"".join(parts)}"}}'.encode()
    text = json.loads(data)["a"]
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        with pytest.raises(BadInput):
            parse_json(data, len(data), "It")
    else:
        assert parse_json(data, len(data), "It") == {"a": text}


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 400 + ".0", "NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    data = f'{{"a":[1.5,{number}]}}'.encode()
    with pytest.raises(BadInput):
        parse_json(data, len(data), "It")
