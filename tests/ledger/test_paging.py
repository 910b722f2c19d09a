from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import BadInput
from ledger.model import Place
from ledger.paging import cursor_of, parse_cursor

NUMBERS = st.integers(0, 2**63 - 1)


@given(NUMBERS, NUMBERS)
def test_a_cursor_is_the_place_it_was_made_of(block: int, log: int) -> None:
    assert parse_cursor(cursor_of(Place(block, log))) == Place(block, log)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "A" * 21,
        "A" * 23,
        "A" * 22 + "\n",
        "A" * 21 + "B",  # the same bytes, written otherwise
        "A" * 21 + "=",
        "A" * 21 + "é",
        "../" * 7 + "A",
        base64.urlsafe_b64encode(b"\xff" * 16).decode().rstrip("="),
        "A" * 1_000_000,
    ],
)
def test_what_is_no_cursor_is_bad_input(text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        parse_cursor(text)
    assert refusal.value.pointer == "/cursor"
