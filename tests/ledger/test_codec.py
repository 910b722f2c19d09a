"""Calls and events, apart from any register: eth_abi is the oracle."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode, encode
from eth_utils.abi import function_signature_to_4byte_selector

from ledger import codec
from ledger.encoding import ZERO32
from ledger.errors import InvalidProof
from ledger.model import Approval


def test_a_call_is_its_selector_and_its_arguments() -> None:
    data = codec.call("veto", ["bytes32", "bytes"], [b"\x01" * 32, b"abc"])
    assert data[:4] == function_signature_to_4byte_selector("veto(bytes32,bytes)")
    assert decode(["bytes32", "bytes"], data[4:]) == (b"\x01" * 32, b"abc")


WORDS = {"bytes32": (b"d" * 32, b"\xff" * 32), "address": ("0x" + 20 * "0a", "0x" + 40 * "f"), "uint64": (7, 2**64 - 1)}


@pytest.mark.parametrize("which", [0, 1])
def test_a_first_registration_is_told_in_words_that_its_entry_begins_and_ends_around(which: int) -> None:
    values = [of[which] for of in WORDS.values()]
    build = codec.first_words([*WORDS], 5, 6, implied=2)
    types = ["bytes32", "uint32", "uint40", "uint8", "uint8", "bytes32", "bytes32", "address", "uint64"]
    told = [ZERO32, 1, 1234, 5, 6, values[0], b"a" * 32, *values[1:], ZERO32, ZERO32]
    assert build(encode([*WORDS], values), b"a" * 32, 1234) == encode([*types, "bytes32", "bytes32"], told)


@pytest.mark.parametrize("change", ["shorter", "longer", "a wide address", "a wide number"])
def test_words_that_are_not_of_their_types_are_refused(change: str) -> None:
    data = encode([*WORDS], [of[0] for of in WORDS.values()])
    changed = {
        "shorter": data[:-1],
        "longer": data + bytes(32),
        "a wide address": data[:43] + b"\1" + data[44:],
        "a wide number": data[:87] + b"\1" + data[88:],
    }[change]
    for build in (codec.first_words([*WORDS], 1, 1, 0), codec.whole_words("bytes32 a,address b,uint64 c")):
        build(data, b"a" * 32, 1)
        with pytest.raises(InvalidProof):
            build(changed, b"a" * 32, 1)


@pytest.mark.parametrize(("roles", "signers"), [(("registrar",), "13"), (("registrar", "court"), "123"), ((), "")])
def test_approvals_go_to_a_contract_ascending_by_signer(roles: tuple[str, ...], signers: str) -> None:
    given = [("3", "registrar"), ("2", "court"), ("4", "holder"), ("1", "registrar")]
    approvals = [Approval("0x" + 40 * number, role, number.encode()) for number, role in given]
    expected = [("0x" + 40 * number, number.encode()) for number in signers]
    assert codec.approvals_of(approvals, *roles) == expected
