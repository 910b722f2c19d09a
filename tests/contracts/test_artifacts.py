"""The committed artifacts, the contracts and the Python that calls and reads them say the same."""

from __future__ import annotations

import json
import re
from typing import Any

from eth_utils.abi import abi_to_signature

from ledger import codec, land_entry
from ledger.encoding import keccak256
from ledger.land_actions import ACTIONS, TRANSFER_ENCUMBERED
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
    called = [f"{action.function}({','.join(action.all_types)})" for action in (*ACTIONS.values(), TRANSFER_ENCUMBERED)]
    assert [name.encode() for name in called] == [signature("function", name.split("(")[0]) for name in called]


def test_every_function_that_changes_a_title_is_called() -> None:
    functions = [i for i in artifact("LandRegister")["abi"] if i["type"] == "function"]
    changing = {i["name"] for i in functions if i["stateMutability"] == "nonpayable"}
    assert changing == {action.function for action in (*ACTIONS.values(), TRANSFER_ENCUMBERED)}


def test_the_events_that_are_read_are_those_the_contract_emits() -> None:
    assert keccak256(signature("event", "Approved")) == codec.APPROVED
    assert keccak256(signature("event", "Issued")) == land.ISSUED
    assert keccak256(signature("event", "Recorded")) == land.RECORDED
    assert keccak256(signature("event", "LiensRecorded")) == land_entry.LIENS_RECORDED


def test_an_entry_has_the_members_of_the_struct_in_its_order() -> None:
    (event,) = (i for i in artifact("LandRegister")["abi"] if i.get("name") == "Recorded")
    members = [(m["name"], m["type"]) for m in event["inputs"][1]["components"]]
    assert members == [(f.name, f.metadata["abi"]) for f in land.LandEntry.__dataclass_fields__.values()]


def land_sources() -> str:
    return "".join(path.read_text() for path in sorted(CONTRACTS.glob("Land*.sol")))


def test_what_is_signed_is_what_the_contract_hashes() -> None:
    hashed = set(re.findall(r'_TYPEHASH =\s*keccak256\(\s*"([^"]+)"', land_sources()))
    structs = {action.struct for action in ACTIONS.values() if action.struct}
    assert hashed == {struct_types(struct) for struct in structs} | {struct_of_a_title()}


def struct_of_a_title() -> str:
    return struct_types("IssueTitles").removeprefix("IssueTitles(Title[] titles,uint256 deadline)")


def test_the_domain_that_is_signed_is_the_contracts() -> None:
    assert re.findall(r'EIP712\("([^"]+)", "([^"]+)"\)', land_sources()) == [(land.REGISTER.contract, VERSION)]


def test_actions_and_statuses_have_the_contracts_numbers() -> None:
    numbers = {name: int(n) for name, n in re.findall(r"uint8 public constant (\w+) = (\d+);", land_sources())}
    assert numbers == {name: getattr(land_entry, name) for name in numbers}
    assert {numbers[name.upper()]: name for name in ACTIONS} == land.REGISTER.actions
    assert set(land.REGISTER.statuses) == set(numbers.values()) & set(range(1, 5))


def test_windows_are_as_long_as_the_contract_says() -> None:
    lengths = re.findall(r"uint256 public constant (\w+) = (\d+) days;", land_sources())
    assert {name for name, _ in lengths} == {"ASSIGNMENT_WINDOW", "MAX_COOLING_OFF"}
    assert all(int(days) * 86400 == getattr(land_entry, name) for name, days in lengths)
