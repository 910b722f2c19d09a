from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import rlp
from eth_account import Account

from wallet.errors import TransactionInvalid, WrongPassword
from wallet.keys import recover
from wallet.keystore import write_keystore
from wallet.signer import LocalSigner, Signer
from wallet.typed_data import Domain, build

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
TRANSACTION: dict[str, Any] = {
    "chainId": 31337,
    "nonce": 7,
    "gas": 90_000,
    "maxFeePerGas": 2_000_000_000,
    "maxPriorityFeePerGas": 1_000_000_000,
    "to": CONTRACT,
    "value": 0,
    "data": "0x1234",
}


def test_typed_data_is_signed_by_the_signers_address() -> None:
    signer: Signer = LocalSigner(KEY)
    domain = Domain("LandRegister", 31337, CONTRACT)
    data = build(domain, "RetireTitle", {"recordId": b"\x01" * 32, "head": b"\x02" * 32, "deadline": 5})
    signature = signer.sign_typed(data)
    assert signer.address == ADDRESS and recover(data.digest(), signature) == ADDRESS
    assert signature == signer.sign_typed(data)


def test_a_transaction_is_raw_eip_1559_from_the_signer() -> None:
    raw = LocalSigner(KEY).sign_transaction(TRANSACTION)
    fields = rlp.decode(raw[1:])
    assert raw[0] == 2 and len(fields) == 12
    assert [int.from_bytes(field, "big") for field in fields[:5]] == [31337, 7, 1_000_000_000, 2_000_000_000, 90_000]
    assert fields[5].hex() == CONTRACT[2:].lower() and fields[7] == b"\x12\x34"
    assert Account.recover_transaction(raw) == ADDRESS


def test_a_transaction_without_recipient_creates_a_contract() -> None:
    creation = {name: value for name, value in TRANSACTION.items() if name != "to"}
    assert rlp.decode(LocalSigner(KEY).sign_transaction(creation)[1:])[5] == b""


@pytest.mark.parametrize(
    "missing", ["chainId", "nonce", "gas", "maxFeePerGas", "maxPriorityFeePerGas", "value", "data"]
)
def test_a_transaction_that_lacks_a_field_is_refused(missing: str) -> None:
    with pytest.raises(TransactionInvalid, match=missing):
        LocalSigner(KEY).sign_transaction({k: v for k, v in TRANSACTION.items() if k != missing})


@pytest.mark.parametrize(
    "change",
    [
        {"gasPrice": 1},
        {"type": 0},
        {"nonce": -1},
        {"nonce": "x"},
        {"to": "0x12"},
        {"from": CONTRACT},
        {"data": "zz"},
    ],
)
def test_a_transaction_of_another_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(TransactionInvalid):
        LocalSigner(KEY).sign_transaction(TRANSACTION | change)


def test_a_keystore_makes_a_signer(tmp_path: Path) -> None:
    write_keystore(tmp_path / "k", KEY, "rahasia", work_factor=1 << 10)
    assert LocalSigner.from_keystore(tmp_path / "k", "rahasia").address == ADDRESS
    with pytest.raises(WrongPassword):
        LocalSigner.from_keystore(tmp_path / "k", "lain")


def test_the_text_of_a_signer_does_not_show_its_key() -> None:
    signer = LocalSigner(KEY)
    for text in (repr(signer), str(signer), f"{[signer]}"):
        assert ADDRESS in text and KEY.hex() not in text and repr(KEY) not in text
