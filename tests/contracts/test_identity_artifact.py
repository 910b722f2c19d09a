"""The committed artifact of IdentityRegister, its source and the Python that calls and reads it say the same."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from eth_utils.abi import abi_to_signature

from ledger import codec
from ledger.encoding import keccak256
from ledger.registers import base, identity
from scripts.compile import ARTIFACTS, CONTRACTS
from tests.contracts.test_artifacts import slot, struct_types
from wallet.typed_data import VERSION

ARTIFACT = json.loads((ARTIFACTS / "IdentityRegister.json").read_text())
SOURCE = "".join((CONTRACTS / f"{name}.sol").read_text() for name in ("IdentityHistory", "IdentityRegister"))
MAX_CODE = 24_576  # EIP-170


def item(kind: str, name: str) -> Any:
    (found,) = (i for i in ARTIFACT["abi"] if (i["type"], i.get("name")) == (kind, name))
    return found


def test_heads_lie_where_verifiers_look_for_them() -> None:
    assert slot("IdentityRegister", "headOf") == (base.HEAD_SLOT, 0)


def test_the_contract_fits_into_an_account() -> None:
    assert len(ARTIFACT["deployedBytecode"]) // 2 - 1 < MAX_CODE


@pytest.mark.parametrize("action", identity.ARGUMENTS)
def test_calls_name_functions_that_the_contract_has(action: str) -> None:
    called = f"{action}({','.join(identity.ARGUMENTS[action])})"
    assert called == abi_to_signature(item("function", action))


def test_every_function_that_changes_something_is_an_action() -> None:
    changing = {i["name"] for i in ARTIFACT["abi"] if i["type"] == "function" and i["stateMutability"] == "nonpayable"}
    assert changing == set(identity.ARGUMENTS)


def test_the_events_that_are_read_are_those_the_contract_emits() -> None:
    for name, topic in [("Approved", codec.APPROVED), ("Issued", identity.ISSUED), ("Recorded", identity.RECORDED)]:
        assert keccak256(abi_to_signature(item("event", name)).encode()) == topic


def test_an_entry_has_the_members_of_the_struct_in_its_order() -> None:
    members = [(m["name"], m["type"]) for m in item("event", "Recorded")["inputs"][1]["components"]]
    assert members == [(f.name, f.metadata["abi"]) for f in identity.IdentityEntry.__dataclass_fields__.values()]


def test_what_is_signed_is_what_the_contract_hashes() -> None:
    hashed = set(re.findall(r'_TYPEHASH =\s*keccak256\(\s*"([^"]+)"', SOURCE))
    issue = struct_types("IssueIdentities")
    member = issue.removeprefix("IssueIdentities(Identity[] identities,uint256 deadline)")
    assert hashed == {issue, member} | {struct_types(name) for name in identity.STRUCTS.values()}


def test_the_domain_that_is_signed_is_the_contracts() -> None:
    assert re.findall(r'EIP712\("([^"]+)", "([^"]+)"\)', SOURCE) == [(identity.REGISTER.contract, VERSION)]


def test_actions_and_statuses_have_the_contracts_numbers() -> None:
    numbers = {
        name.lower(): int(number) for name, number in re.findall(r"uint8 public constant (\w+) = (\d+);", SOURCE)
    }
    register = identity.REGISTER
    assert numbers == {
        name: number for names in (register.actions, register.statuses) for number, name in names.items()
    }
