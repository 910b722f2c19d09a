from __future__ import annotations

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import cbor
from ledger.errors import BadInput

ATOMS = st.integers(0, 2**64 - 1) | st.binary(max_size=300) | st.text(max_size=300) | st.none()
VALUES = st.recursive(ATOMS, lambda items: st.lists(items, max_size=30), max_leaves=60)


@given(VALUES)
def test_what_another_library_writes_is_read_or_too_deep(value: Any) -> None:
    try:
        assert cbor.loads(cbor2.dumps(value, canonical=True)) == value
    except BadInput:
        assert str(value).count("[") > cbor.MAX_DEPTH - 2


@given(st.binary(max_size=60))
def test_whatever_is_read_has_this_one_form(data: bytes) -> None:
    try:
        value = cbor.loads(data)
    except BadInput:
        return
    assert cbor2.dumps(value, canonical=True) == data


OTHERS = """1817 190001 1a0000ffff 5f41ff 9fff 5affffffff00 9bffffffffffffffff c5821b7fffffffffffffff03 a0 f5 f97e00
20 0000 61ff d81c80 d8236161 81818181818181818100"""


@pytest.mark.parametrize("text", ["", *OTHERS.split()])
def test_other_forms_and_types_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        cbor.loads(bytes.fromhex(text))
