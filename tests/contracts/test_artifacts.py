"""The committed artifacts, the contracts and the Python that calls and reads them say the same."""

from __future__ import annotations

import json
import re
from typing import Any

from eth_utils.abi import abi_to_signature

from ledger.encoding import keccak256
from ledger.registers import base, land
from scripts.compile import ARTIFACTS, CONTRACTS, stale
from wallet.typed_data import TYPES, VERSION


def artifact(name: str) -> Any:
    return json.loads((ARTIFACTS / f"{name}.json").read_text())


def signature(kind: str, name: str) -> bytes:
    """Of a function or event of the land register, as issue((bytes32,...)[],...)."""
    (item,) = (i for i in artifact("LandRegister")["abi"] if (i["type"], i.get("name")) == (kind, name))
    return abi_to_signature(item).encode()


def slot(contract: str, variable: str) -> tuple[int, int]:
    """Where a state variable lies: slot and offset."""
    (item,) = (i for i in artifact(contract)["storageLayout"] if i["label"] == variable)
    return int(item["slot"]), item["offset"]


def struct_types(primary: str) -> str:
    """encodeType of EIP-712: the struct, then those it refers to by name."""
    types = {name: members for name, members in TYPES[primary].items() if name != "EIP712Domain"}
    names = [primary, *sorted(set(types) - {primary})]
    members = {name: ",".join(f"{m['type']} {m['name']}" for m in types[name]) for name in names}
    return "".join(f"{name}({members[name]})" for name in names)


def test_the_artifacts_are_what_the_sources_compile_to() -> None:
    assert stale() == [], "run `make compile` and commit contracts/artifacts"


def test_heads_lie_where_verifiers_look_for_them() -> None:
    assert slot("LandRegister", "headOf") == (base.HEAD_SLOT, 0)


def test_suspicions_lie_where_verifiers_look_for_them() -> None:
    assert slot("Authority", "suspectSince") == (base.SUSPECT_SINCE_SLOT, 0)


def test_calls_name_functions_that_the_contract_has() -> None:
    assert land._selector("issue", land._ISSUE_ARGUMENTS) == keccak256(signature("function", "issue"))[:4]
    assert land._selector("transfer", land._TRANSFER_ARGUMENTS) == keccak256(signature("function", "transfer"))[:4]


def test_the_events_that_are_read_are_those_the_contract_emits() -> None:
    assert keccak256(signature("event", "Approved")) == land._APPROVED
    assert keccak256(signature("event", "Issued")) == land._ISSUED
    assert keccak256(signature("event", "Recorded")) == land._RECORDED


def test_an_entry_has_the_members_of_the_struct_in_its_order() -> None:
    (event,) = (i for i in artifact("LandRegister")["abi"] if i.get("name") == "Recorded")
    members = [(m["name"], m["type"]) for m in event["inputs"][1]["components"]]
    assert members == [(f.name, f.metadata["abi"]) for f in land.LandEntry.__dataclass_fields__.values()]


def test_what_is_signed_is_what_the_contract_hashes() -> None:
    source = (CONTRACTS / "LandRegister.sol").read_text()
    hashed = set(re.findall(r'_TYPEHASH =\s*keccak256\(\s*"([^"]+)"', source))
    assert hashed == {struct_types("IssueTitles"), struct_types("TransferTitle")} | {struct_of_a_title()}


def struct_of_a_title() -> str:
    return struct_types("IssueTitles").removeprefix("IssueTitles(Title[] titles,uint256 deadline)")


def test_the_domain_that_is_signed_is_the_contracts() -> None:
    source = (CONTRACTS / "LandRegister.sol").read_text()
    assert re.findall(r'EIP712\("([^"]+)", "([^"]+)"\)', source) == [(land.REGISTER.contract, VERSION)]


def test_actions_and_statuses_have_the_contracts_numbers() -> None:
    source = (CONTRACTS / "LandRegister.sol").read_text()
    numbers = {name: int(number) for name, number in re.findall(r"uint8 public constant (\w+) = (\d+);", source)}
    assert numbers == {"ISSUE": land.ISSUE, "TRANSFER": land.TRANSFER, "ACTIVE": land.ACTIVE}
