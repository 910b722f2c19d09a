"""FAULTS 21: no code, or other code, where a register should be. An error of the configuration, never "not issued"."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.bootstrap import open_office
from ledger.errors import ChainMismatch, KhalayakError
from tests.forks import Anvil, start_anvil
from tests.office import TestOffice, office_at, record_of


@pytest.fixture(scope="module")
def chain() -> Iterator[Anvil]:
    with start_anvil("--slots-in-an-epoch", "1") as node:
        yield node


@pytest.fixture(scope="module")
def desk(chain: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with office_at(chain.url, tmp_path_factory.mktemp("office")) as office:
        yield office


@pytest.mark.parametrize(("code", "said"), [("0x", "There is no contract at"), ("0x6001", "is not the trusted one")])
def test_fault_21_other_code_is_an_error_of_the_configuration(
    desk: TestOffice, chain: Anvil, code: str, said: str
) -> None:
    address, never = desk.trusted().name.address, {"nib": "99.99.99.99.99999"}
    original = chain.rpc("eth_getCode", address, "latest")
    chain.rpc("anvil_mine", "0x4")
    assert desk.office.certifier.absence("land", never)
    application = desk.approve(desk.issue(desk.request()))
    for _ in range(3):
        desk.office.run_once()
        chain.rpc("anvil_mine", "0x4")
    assert desk.certify(application.id).state == "certified"
    chain.rpc("anvil_setCode", address, code)
    chain.rpc("anvil_mine", "0x4")
    try:
        with pytest.raises(ChainMismatch, match=f"{address}.*" if code == "0x" else address) as refusal:
            open_office(desk.office.settings)
        assert said in refusal.value.message
        for follower in desk.office.followers:
            follower.run_once()
        for question in (
            lambda: desk.office.certifier.absence("land", never),
            lambda: desk.office.certifier.newest(desk.trusted(), record_of(application)),
        ):
            with pytest.raises(KhalayakError):
                question()
    finally:
        chain.rpc("anvil_setCode", address, original)
