"""FAULTS row 13: a revert on chain is failed with its decoded reason, also where the node raises and mines it."""

from __future__ import annotations

import pytest

from ledger.bundler import Bundler
from ledger.errors import ChainUnreachable, ContractReverted
from ledger.model import Application
from tests.fakes import FaultyChain
from tests.office import TestOffice
from tests.publishing import Desk


def signed_only(desk: Desk) -> None:
    real = desk.publisher.chain
    desk.publisher.chain = FaultyChain(real, before={"send"})
    with pytest.raises(ChainUnreachable):
        desk.publisher.run_once()
    desk.publisher.chain = real


def twin(desk: Desk, shared: TestOffice, application: Application) -> None:
    """Another office records the same parcel first."""
    other = shared.issue(shared.request(nib=shared_nib(desk, application)))
    assert shared.certify(shared.approve(other).id).state == "certified"


def follow(desk: Desk) -> None:
    for follower in desk.office.followers:
        follower.run_once()


def shared_nib(desk: Desk, application: Application) -> str:
    digest = bytes.fromhex(application.payload["records"][0]["digest"][2:])
    fields = desk.office.store.content(digest)
    assert fields is not None
    return next(str(field["value"]) for field in fields if field["name"] == "nib")


def test_fault_13_a_transaction_that_reverts_fails_with_its_reason_and_its_nonce_counts(
    desk: Desk, at_hardhat: TestOffice
) -> None:
    lost, other = desk.approved(), desk.approved()
    desk.publisher.contract = None
    signed_only(desk)
    twin(desk, at_hardhat, lost)
    assert desk.settle(lost, other) == ["failed", "certified"]
    assert "AlreadyRecorded" in desk.office.store.application(lost.id).reason
    assert [(desk.transaction(item).nonce, desk.transaction(item).state) for item in (lost, other)] == [
        (0, "failed"),
        (1, "final"),
    ]


def test_fault_13_of_a_bundle_that_reverts_one_application_fails_and_the_others_go_alone(
    desk: Desk, at_hardhat: TestOffice
) -> None:
    applications = [desk.approved() for _ in range(3)]
    signed_only(desk)
    bundle = desk.transaction(applications[0])
    assert len(bundle.applications) == 3
    twin(desk, at_hardhat, applications[1])
    assert desk.settle(*applications) == ["certified", "failed", "certified"]
    assert "AlreadyRecorded" in desk.office.store.application(applications[1].id).reason
    assert [desk.transaction(applications[i]).applications for i in (0, 2)] == [
        (applications[0].id,),
        (applications[2].id,),
    ]
    assert [desk.recorded(item) for item in applications] == [1, 1, 1]


def test_fault_13_the_estimate_finds_the_one_that_cannot_go_and_the_others_go_together(
    desk: Desk, at_hardhat: TestOffice
) -> None:
    applications = [desk.approved() for _ in range(3)]
    twin(desk, at_hardhat, applications[1])
    desk.office.run_once()
    assert desk.settle(*applications) == ["certified", "failed", "certified"]
    assert desk.transaction(applications[0]).applications == (applications[0].id, applications[2].id)
    assert desk.office.store.transaction_of(applications[1].id) is None


def test_fault_13_all_that_cannot_go_are_found_at_once(
    desk: Desk, at_hardhat: TestOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    applications = [desk.approved() for _ in range(7)]
    for number in (0, 3, 6):
        twin(desk, at_hardhat, applications[number])
    follow(desk)
    estimated = list[str]()
    real = desk.publisher.chain.estimate_gas

    def estimate(sender: str, to: str, data: bytes) -> int:
        estimated.append(to)
        return real(sender, to, data)

    monkeypatch.setattr(desk.publisher.chain, "estimate_gas", estimate)
    desk.publisher.run_once()
    assert [desk.state(item) for item in applications] == ["failed" if i % 3 == 0 else "final" for i in range(7)]
    assert estimated == [desk.publisher.contract] * 2, "all of them, and those that can go"
    assert desk.settle(*applications[1:3]) == ["certified"] * 2


def test_fault_13_what_the_chain_may_take_after_another_waits_for_it(
    desk: Desk, at_hardhat: TestOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, lost = desk.approved(), desk.approved()
    after = desk.approved(nib=shared_nib(desk, first))
    twin(desk, at_hardhat, lost)
    follow(desk)
    publisher = desk.publisher
    monkeypatch.setattr(
        publisher.chain, "refusals", lambda to, calls: [None, ContractReverted("lost"), ContractReverted("stale")]
    )
    bundler = Bundler(publisher.trust, publisher.store, publisher.chain, publisher.contract, {})
    bundle = bundler.compose(bundler.fit([first, lost, after])[0])
    assert bundle is not None and bundle.applications == (first.id,)
    assert [desk.state(item) for item in (first, lost, after)] == ["approved", "failed", "approved"]
    assert bundler.held == {after.id}


def test_calls_that_would_need_too_much_gas_by_the_last_estimate_are_not_estimated_together(desk: Desk) -> None:
    queue = [desk.approved() for _ in range(3)]
    publisher = desk.publisher
    parts = (publisher.trust, publisher.store, publisher.chain, publisher.contract)
    for gas_of_byte, number in ((1.0, 3), (1_000_000.0, 1)):
        calls, is_full = Bundler(*parts, {queue[0].register: gas_of_byte}).fit(queue)
        assert (len(calls), is_full) == (number, number == 1)
    assert publisher.gas_of_byte == {}
    assert desk.settle(*queue) == ["certified"] * 3
    assert publisher.gas_of_byte[queue[0].register] > 0, "and the next step knows it"
