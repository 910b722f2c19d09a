"""What a deployment leaves behind: roles with the right people, and a deployer whose key is worth nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from eth_abi.abi import decode, encode

from ledger.authority import has_role_call, parse_has_role
from ledger.encoding import canonical_json, keccak256
from ledger.errors import ConfigurationError, ContractReverted
from ledger.land_entry import MAX_COOLING_OFF
from ledger.verifier import verify
from scripts.deploy import (
    ADMIN_ROLE,
    GUARDIAN_ROLE,
    REGISTRAR_ROLE,
    Deployer,
    Plan,
    deploy,
    deploy_devnet,
    devnet_account,
)
from tests.office import TestOffice, running_office
from wallet.keys import address_of, new_key
from wallet.signer import LocalSigner


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("office")) as office:
        yield office


def holder(desk: TestOffice, name: str) -> LocalSigner:
    settings = desk.office.settings
    return LocalSigner.from_keystore(settings.data / f"{name}.json", settings.password)


def has_role(desk: TestOffice, role: int, account: str) -> bool:
    return parse_has_role(desk.office.chain.call(desk.office.trusted.authority, has_role_call(role, account)))


def attempt(desk: TestOffice, sender: str, signature: str, *values: object) -> int:
    types = signature[signature.index("(") + 1 : -1].split(",")
    data = keccak256(signature.encode())[:4] + encode(types, values)
    return desk.office.chain.estimate_gas(sender, desk.office.trusted.authority, data)


def test_the_deployer_keeps_no_role(desk: TestOffice) -> None:
    deployer = devnet_account().address
    assert not any(has_role(desk, role, deployer) for role in (ADMIN_ROLE, REGISTRAR_ROLE, GUARDIAN_ROLE))
    for signature, values in (
        ("grantRole(uint64,address,uint32)", (REGISTRAR_ROLE, deployer, 0)),
        ("setPolicy(address,uint64,uint8)", (desk.office.trusted.name.address, REGISTRAR_ROLE, 1)),
        ("markSuspect(address,uint40)", (desk.registrars[0].address, 1)),
        ("announceSuccessor(address,address)", (desk.office.trusted.name.address, deployer)),
    ):
        with pytest.raises(ContractReverted):
            attempt(desk, deployer, signature, *values)


def test_admin_governs_and_guardian_only_marks(desk: TestOffice) -> None:
    admin, guardian = holder(desk, "admin").address, holder(desk, "guardian").address
    assert attempt(desk, admin, "grantRole(uint64,address,uint32)", REGISTRAR_ROLE, address_of(new_key()), 0)
    assert attempt(desk, guardian, "markSuspect(address,uint40)", desk.registrars[0].address, 1)
    with pytest.raises(ContractReverted):
        attempt(desk, guardian, "grantRole(uint64,address,uint32)", REGISTRAR_ROLE, guardian, 0)
    with pytest.raises(ContractReverted):
        attempt(desk, desk.registrars[0].address, "markSuspect(address,uint40)", desk.registrars[1].address, 1)


def test_a_marked_key_clouds_the_certificates_of_what_it_approves(desk: TestOffice) -> None:
    application = desk.approve(desk.office.applications.submit_issue([desk.request()], "suspect").application)
    guardian = holder(desk, "guardian")
    Deployer(desk.office.chain, devnet_account()).fund(guardian.address, 10**17)  # type: ignore[arg-type]
    suspect = desk.registrars[0].address
    marking = Deployer(desk.office.chain, guardian)  # type: ignore[arg-type]
    marking.call(desk.office.trusted.authority, "markSuspect(address,uint40)", suspect, 1)
    raw = desk.office.chain.call(
        desk.office.trusted.authority, keccak256(b"suspectSince(address)")[:4] + encode(["address"], [suspect])
    )
    assert decode(["uint40"], raw) == (1,)
    assert desk.certify(application.id).state == "certified"
    record_id = bytes.fromhex(application.payload["records"][0]["recordId"][2:])
    found = desk.office.store.certificate(str(desk.office.trusted.name), record_id)
    verdict = verify(canonical_json(found), desk.office.trust)
    assert (verdict.axes["integrity"].state, verdict.axes["issuer"].state) == ("valid", "unknown")
    assert suspect in verdict.axes["issuer"].reason


def test_an_office_is_never_deployed_over_another(desk: TestOffice) -> None:
    with pytest.raises(ConfigurationError, match="holds an office"):
        deploy_devnet(desk.office.settings)


def test_a_plan_that_cannot_hold_is_refused_before_anything_is_sent(desk: TestOffice) -> None:
    deployer, one, two = devnet_account(), address_of(new_key()), address_of(new_key())
    plan = Plan("test.example", "Test", address_of(new_key()), address_of(new_key()), (one, two), 2, 0)
    before = desk.office.chain.next_nonce(deployer.address)
    wrong_windows = [replace(plan, cooling_off=seconds) for seconds in (-1, MAX_COOLING_OFF + 1)]
    for wrong in (replace(plan, registrars=(one, one)), replace(plan, admin=deployer.address), *wrong_windows):
        with pytest.raises(ConfigurationError):
            deploy(desk.office.chain, deployer, wrong, ())  # type: ignore[arg-type]
    assert desk.office.chain.next_nonce(deployer.address) == before


@pytest.mark.parametrize("seconds", [0, MAX_COOLING_OFF])
def test_a_register_has_the_cooling_off_window_of_the_plan(desk: TestOffice, seconds: int) -> None:
    admin, guardian, registrar = (address_of(new_key()) for _ in range(3))
    plan = Plan("test.example", "Test", admin, guardian, (registrar,), 1, cooling_off=seconds)
    trust = deploy(desk.office.chain, devnet_account(), plan, ())  # type: ignore[arg-type]
    raw = desk.office.chain.call(trust.registers[0].name.address, keccak256(b"coolingOff()")[:4])
    assert decode(["uint256"], raw) == (seconds,)
