from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import base45
from ledger.errors import BadInput


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0"), (b"", "")],
)
def test_the_examples_of_rfc_9285(data: bytes, text: str) -> None:
    assert (base45.encode(data), base45.decode(text)) == (text, data)


@given(st.binary(max_size=200))
def test_what_is_encoded_is_read_again(data: bytes) -> None:
    assert base45.decode(base45.encode(data)) == data


@pytest.mark.parametrize("text", ["A", "AAAA", "GGW", ":::", "Z:", "aa", "AB,", "AÄ"])
def test_what_no_bytes_encode_to_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        base45.decode(text)
