"""Calls and events, apart from any register: eth_abi is the oracle."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode, encode
from eth_utils.abi import function_signature_to_4byte_selector

from ledger import codec
from ledger.errors import InvalidProof
from ledger.model import Approval, Log


def test_a_call_is_its_selector_and_its_arguments() -> None:
    data = codec.call("veto", ["bytes32", "bytes"], [b"\x01" * 32, b"abc"])
    assert data[:4] == function_signature_to_4byte_selector("veto(bytes32,bytes)")
    assert decode(["bytes32", "bytes"], data[4:]) == (b"\x01" * 32, b"abc")


def test_data_of_other_types_are_refused_by_place() -> None:
    log = Log("0x", (b"t",), encode(["uint256"], [7]), 12, b"", b"", 3)
    assert codec.words(["uint256"], log) == (7,)
    with pytest.raises(InvalidProof, match="log 3 of block 12"):
        codec.words(["uint256", "uint256"], log)


@pytest.mark.parametrize(("roles", "signers"), [(("registrar",), "13"), (("registrar", "court"), "123"), ((), "")])
def test_approvals_go_to_a_contract_ascending_by_signer(roles: tuple[str, ...], signers: str) -> None:
    given = [("3", "registrar"), ("2", "court"), ("4", "holder"), ("1", "registrar")]
    approvals = [Approval("0x" + 40 * number, role, number.encode()) for number, role in given]
    expected = [("0x" + 40 * number, number.encode()) for number in signers]
    assert codec.approvals_of(approvals, *roles) == expected
