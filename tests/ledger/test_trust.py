from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.checkpoint import VerifierKey
from ledger.encoding import RegisterName
from ledger.errors import BadInput, TooLarge
from ledger.trust import TrustRoot
from tests.builders import NAME, REGISTER_ADDRESS, WITNESSES, address, trust_root, verifier_key

FILE = trust_root().as_json()


def as_bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_trust_root_survives_json() -> None:
    assert TrustRoot.parse(as_bytes(FILE)) == trust_root()
    assert TrustRoot.parse(as_bytes(FILE)).origin == "demo/eip155:1337"


def test_a_register_is_found_by_name_whatever_the_case_it_was_written_in() -> None:
    value = copy.deepcopy(FILE)
    value["registers"][0]["address"] = REGISTER_ADDRESS.lower()
    trust = TrustRoot.parse(as_bytes(value))
    assert trust.register(NAME) is not None
    assert trust.register(RegisterName(1, REGISTER_ADDRESS)) is None
    assert trust.register(RegisterName(1337, address("other"))) is None


def test_a_register_is_found_by_kind_or_its_lack_is_told() -> None:
    assert trust_root().register_of_kind("land").name == NAME
    with pytest.raises(BadInput, match="no identity register"):
        trust_root().register_of_kind("identity")


def test_one_key_cannot_make_up_a_threshold_of_two() -> None:
    # The same key twice, and the same key under two names, is one witness.
    public_key = WITNESSES["a"].public_key().public_bytes_raw()
    for keys in ([verifier_key("a")] * 2, [verifier_key("a"), str(VerifierKey("b", public_key))]):
        with pytest.raises(BadInput, match="threshold"):
            TrustRoot.parse(as_bytes(FILE | {"witnesses": {"keys": keys, "threshold": 2}}))


def test_no_witness_at_all_is_allowed() -> None:
    assert TrustRoot.parse(as_bytes(FILE | {"witnesses": {"keys": [], "threshold": 1}})).witnesses == ()


def _key_of_another_type() -> str:
    key = VerifierKey("a", Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    return str(key).replace("+BA", "+AQ", 1) if "+BA" in str(key) else str(key)[:-1]


@pytest.mark.parametrize(
    ("pointer", "change"),
    [
        ("/format", lambda v: v.update(format="khalayak-trust@2")),
        ("", lambda v: v.pop("genesis")),
        ("", lambda v: v.update(more=1)),
        ("/name", lambda v: v.update(name="Demo Office")),
        ("/name", lambda v: v.update(name="demo\n")),
        ("/name", lambda v: v.update(name="")),
        ("/chainId", lambda v: v.update(chainId=0)),
        ("/chainId", lambda v: v.update(chainId=True)),
        ("/chainId", lambda v: v.update(chainId="1337")),
        ("/genesis", lambda v: v.update(genesis="0x00")),
        ("/registers", lambda v: v.update(registers={})),
        ("/registers/0", lambda v: v["registers"][0].pop("kind")),
        ("/registers/0", lambda v: v["registers"][0].update(kind=None)),
        ("/registers/0/address", lambda v: v["registers"][0].update(address="0x00")),
        ("/registers/0/codeHash", lambda v: v["registers"][0].update(codeHash="")),
        ("/registers/0/threshold", lambda v: v["registers"][0].update(threshold=0)),
        ("/registers/0/threshold", lambda v: v["registers"][0].update(threshold="2")),
        ("/registers/0/threshold", lambda v: v["registers"][0].update(threshold=33)),
        ("/registers/0/authority", lambda v: v["registers"][0].update(authority=None)),
        ("/registers/0/authority/address", lambda v: v["registers"][0]["authority"].update(address=7)),
        ("/registers/0/authority/codeHash", lambda v: v["registers"][0]["authority"].update(codeHash=[])),
        ("/witnesses", lambda v: v.update(witnesses=[])),
        ("/witnesses/keys", lambda v: v["witnesses"].update(keys=[verifier_key("a")] * 65)),
        ("/witnesses/keys/1", lambda v: v["witnesses"]["keys"].__setitem__(1, 7)),
        ("/witnesses/keys/1", lambda v: v["witnesses"]["keys"].__setitem__(1, "a+00000000+BAAA")),
        ("/witnesses/keys/1", lambda v: v["witnesses"]["keys"].__setitem__(1, _key_of_another_type())),
        ("/witnesses/threshold", lambda v: v["witnesses"].update(threshold=0)),
        ("/witnesses/threshold", lambda v: v["witnesses"].update(threshold=4)),
        ("/witnesses/threshold", lambda v: v["witnesses"].update(threshold=True)),
        ("/witnesses/threshold", lambda v: v["witnesses"].update(threshold=1.5)),
    ],
)
def test_a_malformed_trust_root_is_refused_by_pointer(pointer: str, change: Callable[[dict[str, Any]], Any]) -> None:
    value = copy.deepcopy(FILE)
    change(value)
    with pytest.raises(BadInput) as caught:
        TrustRoot.parse(as_bytes(value))
    assert caught.value.pointer == pointer


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"format": "khalayak-trust@1", "format": "khalayak-trust@1"}', b"[" * 9999]
)
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        TrustRoot.parse(data)


def test_a_trust_root_over_the_size_limit_is_refused() -> None:
    with pytest.raises(TooLarge):
        TrustRoot.parse(b" " * ((1 << 20) + 1))
