"""The published ERC-1056 contract beside our register: ethr-did-resolver resolves the controller of an identity."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from ledger.encoding import address_bytes, from_hex, keccak256
from scripts.node import MODULES, NODE, WORKSPACE
from tests.contracts.identities import Identities, create, record, sign
from tests.contracts.offices import CHAIN_ID, Office, address_of

PACKAGE = MODULES / "ethr-did-registry"
CONTRACT = json.loads((PACKAGE / "artifacts/contracts/EthereumDIDRegistry.sol/EthereumDIDRegistry.json").read_text())


@pytest.fixture(scope="module")
def registry(office: Office) -> str:
    """The address of the contract, deployed as the package has it."""
    return create(office, CONTRACT["bytecode"])


def did(controller: str) -> str:
    return f"did:ethr:{hex(CHAIN_ID)}:{controller}"


def resolve(office: Office, registry: str, name: str) -> Any:
    command = [str(NODE), "resolve-did.mjs", office.url, str(CHAIN_ID), registry, name]
    run = subprocess.run(command, cwd=WORKSPACE, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def accounts(resolved: Any) -> list[str]:
    return [method["blockchainAccountId"] for method in resolved["didDocument"]["verificationMethod"]]


def send_signed(office: Office, registry: str, function: str, types: list[str], name: str, *values: Any) -> None:
    """A change of the DID of the key `name` that it signs and somebody else sends."""
    packed = b"".join(address_bytes(v) if isinstance(v, str) else v for v in values)
    identity = address_of(name)
    parts = [bytes.fromhex("1900"), address_bytes(registry), bytes(32), address_bytes(identity)]
    signature = sign(keccak256(b"".join(parts) + function.encode() + packed), name)
    r, s, v = signature[:32], signature[32:64], signature[64]
    all_types = ["address", "uint8", "bytes32", "bytes32", *types]
    office.call(registry, f"{function}Signed", all_types, identity, v, r, s, *values)


def test_the_contract_is_the_published_one(office: Office, registry: str) -> None:
    assert json.loads((PACKAGE / "package.json").read_text())["version"] == "1.3.0"
    assert office.rpc("eth_getCode", registry, "latest") == CONTRACT["deployedBytecode"]


def test_the_controller_of_an_identity_resolves(office: Office, registry: str) -> None:
    identities = Identities(office).deploy()
    ours = record(1, address_of("first"))
    identities.issue([ours])
    identities.change("rotate", {**ours, "controller": address_of("second")}, holder="first", recipient="second")
    controller = identities.entries[from_hex(ours["recordId"], 32)][-1].controller
    resolved = resolve(office, registry, did(controller))
    assert resolved["didDocument"]["id"] == did(controller)
    assert accounts(resolved) == [f"eip155:{CHAIN_ID}:{address_of('second')}"]
    assert resolved["didResolutionMetadata"].get("error") is None


def test_a_did_that_was_handed_on_resolves_to_its_new_owner(office: Office, registry: str) -> None:
    send_signed(office, registry, "changeOwner", ["address"], "mover", address_of("heir"))
    resolved = resolve(office, registry, did(address_of("mover")))
    assert resolved["didDocument"]["id"] == did(address_of("mover"))
    assert accounts(resolved) == [f"eip155:{CHAIN_ID}:{address_of('heir')}"]


def test_a_did_that_was_given_up_resolves_as_deactivated(office: Office, registry: str) -> None:
    send_signed(office, registry, "changeOwner", ["address"], "leaver", "0x" + "00" * 20)
    resolved = resolve(office, registry, did(address_of("leaver")))
    assert resolved["didDocumentMetadata"]["deactivated"] is True
    assert resolved["didDocument"].get("verificationMethod", []) == []


def test_a_malformed_did_does_not_resolve(office: Office, registry: str) -> None:
    assert resolve(office, registry, did("0x1234"))["didResolutionMetadata"]["error"] == "invalidDid"
