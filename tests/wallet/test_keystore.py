from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from wallet.errors import KeystoreExists, KeystoreInvalid, KeystoreMissing, WalletError, WrongPassword
from wallet.files import write_private
from wallet.keystore import read_keystore, write_keystore

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
PASSWORD = "rahasia sekali ✓"
FAST = 1 << 10

# Web3 Secret Storage Definition, test vectors; both hold the same key under the password "testpassword".
VECTOR_KEY = bytes.fromhex("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d")
PBKDF2_VECTOR: dict[str, Any] = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "registrar.json"
    write_keystore(path, KEY, PASSWORD, work_factor=FAST)
    return path


def put(path: Path, value: object) -> Path:
    write_private(path, json.dumps(value).encode(), overwrite=True)
    return path


def test_a_key_reads_back_with_its_password(path: Path) -> None:
    assert read_keystore(path, PASSWORD) == KEY


def test_other_software_reads_the_file(path: Path) -> None:
    assert bytes(Account.decrypt(json.loads(path.read_text()), PASSWORD)) == KEY


def test_the_published_vector_opens(tmp_path: Path) -> None:
    assert read_keystore(put(tmp_path / "vector", PBKDF2_VECTOR), "testpassword") == VECTOR_KEY


def test_the_work_factor_is_that_of_geth_unless_asked(tmp_path: Path) -> None:
    write_keystore(tmp_path / "k", KEY, PASSWORD)
    assert json.loads((tmp_path / "k").read_text())["crypto"]["kdfparams"] | {"salt": ""} == {
        "n": 262144,
        "r": 8,
        "p": 1,
        "dklen": 32,
        "salt": "",
    }


def test_only_the_owner_may_read_the_file_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_keystore(tmp_path / "k", KEY, PASSWORD, work_factor=FAST)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o600


def test_writing_leaves_no_other_file(path: Path) -> None:
    assert list(path.parent.iterdir()) == [path]


def test_a_keystore_is_not_overwritten_unasked(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(KeystoreExists):
        write_keystore(path, b"\x01" * 32, PASSWORD, work_factor=FAST)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


def test_a_keystore_is_overwritten_when_asked(path: Path) -> None:
    write_keystore(path, b"\x01" * 32, PASSWORD, overwrite=True, work_factor=FAST)
    assert read_keystore(path, PASSWORD) == b"\x01" * 32


def test_a_folder_that_cannot_be_made_is_a_wallet_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WalletError, match="cannot be written"):
        write_keystore(tmp_path / "file" / "k", KEY, PASSWORD, work_factor=FAST)


def test_an_empty_password_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WalletError, match="password"):
        write_keystore(tmp_path / "k", KEY, "", work_factor=FAST)


def test_a_wrong_password_is_said_without_showing_it(path: Path) -> None:
    with pytest.raises(WrongPassword) as caught:
        read_keystore(path, "kata sandi lain")
    assert "kata sandi lain" not in str(caught.value) and KEY.hex() not in str(caught.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(KeystoreMissing):
        read_keystore(tmp_path / "none", PASSWORD)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(KeystoreInvalid, match="chmod 600"):
        read_keystore(path, PASSWORD)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b"null",
        b"7",
        b"\xff",
        b'{"version": 3, "crypto": 1}',
        b"[" * 60000,
        b"a" * 70000,
    ],
)
def test_what_is_no_keystore_is_refused(tmp_path: Path, data: bytes) -> None:
    write_private(tmp_path / "k", data)
    with pytest.raises(KeystoreInvalid):
        read_keystore(tmp_path / "k", PASSWORD)


def test_a_folder_or_a_pipe_is_no_keystore(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(KeystoreInvalid):
            read_keystore(path, PASSWORD)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("version",), 4),
        (("crypto", "cipher"), "none"),
        (("crypto", "kdf"), "md5"),
        (("crypto", "kdfparams", "n"), 1 << 40),
        (("crypto", "kdfparams", "n"), 3),
        (("crypto", "kdfparams", "n"), "1024"),
        (("crypto", "kdfparams", "r"), 0),
        (("crypto", "kdfparams", "p"), 1 << 20),
        (("crypto", "kdfparams", "salt"), "xyz"),
        (("crypto", "kdfparams", "dklen"), -1),
        (("crypto", "mac"), 7),
        (("crypto", "cipherparams"), {}),
        (("address",), "00" * 20),
        (("address",), 5),
    ],
)
def test_a_damaged_keystore_is_refused(path: Path, where: tuple[str, ...], value: object) -> None:
    keystore = json.loads(path.read_text())
    target = keystore
    for name in where[:-1]:
        target = target[name]
    target[where[-1]] = value
    with pytest.raises(KeystoreInvalid):
        read_keystore(put(path, keystore), PASSWORD)


def test_a_changed_ciphertext_does_not_open(path: Path) -> None:
    keystore = json.loads(path.read_text())
    keystore["crypto"]["ciphertext"] = "00" * 32
    with pytest.raises(WrongPassword):
        read_keystore(put(path, keystore), PASSWORD)
