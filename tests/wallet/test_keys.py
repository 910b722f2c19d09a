from __future__ import annotations

from contextlib import suppress

import pytest
from eth_account import Account
from eth_keys.constants import SECPK1_N
from hypothesis import given, settings
from hypothesis import strategies as st

from wallet.errors import BadSignature, WalletError
from wallet.keys import address_of, new_key, recover

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
DIGEST = bytes(range(32))
SIGNATURE = bytes(Account.unsafe_sign_hash(DIGEST, KEY).signature)


def test_an_address_is_the_known_one_of_its_key() -> None:
    assert address_of(KEY) == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


def test_new_keys_are_valid_and_differ() -> None:
    first, second = new_key(), new_key()
    assert len(first) == 32 and first != second
    assert address_of(first) == Account.from_key(first).address


@pytest.mark.parametrize("key", [b"", bytes(32), SECPK1_N.to_bytes(32, "big"), b"\x01" * 31, b"\x01" * 33])
def test_what_is_no_private_key_is_refused(key: bytes) -> None:
    with pytest.raises(WalletError) as caught:
        address_of(key)
    assert not key or key.hex() not in str(caught.value)


def test_a_signature_names_its_signer() -> None:
    assert recover(DIGEST, SIGNATURE) == address_of(KEY)


def test_another_digest_names_another_signer() -> None:
    assert recover(bytes(32), SIGNATURE) != address_of(KEY)


def test_the_high_s_twin_of_a_signature_is_refused() -> None:
    s = SECPK1_N - int.from_bytes(SIGNATURE[32:64], "big")
    twin = SIGNATURE[:32] + s.to_bytes(32, "big") + bytes([55 - SIGNATURE[64]])
    with pytest.raises(BadSignature, match="high s"):
        recover(DIGEST, twin)


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_v_is_27_or_28(v: int) -> None:
    with pytest.raises(BadSignature, match="27 or 28"):
        recover(DIGEST, SIGNATURE[:64] + bytes([v]))


@pytest.mark.parametrize("signature", [b"", SIGNATURE[:64], SIGNATURE + b"\x00"])
def test_a_signature_of_another_length_is_refused(signature: bytes) -> None:
    with pytest.raises(BadSignature, match="65 bytes"):
        recover(DIGEST, signature)


def test_a_digest_of_another_length_is_refused() -> None:
    with pytest.raises(BadSignature, match="32 bytes"):
        recover(b"short", SIGNATURE)


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (SECPK1_N, 1), (2**256 - 1, 1), (0, 0)])
def test_numbers_outside_the_group_are_refused(r: int, s: int) -> None:
    with pytest.raises(BadSignature):
        recover(DIGEST, r.to_bytes(32, "big") + s.to_bytes(32, "big") + b"\x1b")


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=64, max_size=64), st.sampled_from([27, 28]))
def test_any_bytes_name_a_signer_or_are_a_bad_signature(body: bytes, v: int) -> None:
    with suppress(BadSignature):
        assert recover(DIGEST, body + bytes([v])).startswith("0x")
