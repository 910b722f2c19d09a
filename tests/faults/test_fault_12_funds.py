"""FAULTS row 12, of the publisher: a relayer without funds pauses with that reason, and an outage never says so."""

from __future__ import annotations

from pathlib import Path

from ledger.adapters.evm_chain import EvmChain
from scripts.devnet import free_port
from tests.office import TestOffice
from tests.publishing import Desk, desk_at, fund


def test_fault_12_without_funds_nothing_is_signed_and_with_funds_it_goes_on(desk: Desk) -> None:
    application = desk.approved()
    fund(desk.office.settings.rpc_url, desk.relayer.address, 1)
    desk.publisher.run_once()
    assert (desk.state(application), desk.office.store.highest_nonce(desk.relayer.address)) == ("approved", None)
    (told,) = desk.publisher.obstacles()
    assert f"Relayer {desk.relayer.address} is out of funds: it lacks 0.000" in told
    fund(desk.office.settings.rpc_url, desk.relayer.address)
    assert desk.publisher.obstacles() == []
    assert desk.settle(application) == ["certified"]


def test_fault_12_a_node_that_is_away_says_that_and_nothing_of_funds(desk: Desk) -> None:
    desk.approved()
    fund(desk.office.settings.rpc_url, desk.relayer.address, 1)
    desk.publisher.chain = EvmChain(f"http://127.0.0.1:{free_port()}")
    (told,) = desk.publisher.obstacles()
    assert "does not answer" in told and "funds" not in told


def test_fault_12_a_key_with_funds_does_the_work_of_one_without(at_hardhat: TestOffice, tmp_path: Path) -> None:
    with desk_at(at_hardhat, tmp_path, relayers=2) as desk:
        poor, rich = desk.relayers
        fund(desk.office.settings.rpc_url, poor.address, 1)
        application = desk.approved()
        assert desk.settle(application) == ["certified"]
        assert desk.transaction(application).sender == rich.address
