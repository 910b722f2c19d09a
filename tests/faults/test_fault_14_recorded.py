"""FAULTS row 14: what is asked for is recorded already. The same content is a success, other content a conflict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copyfile

import pytest

from ledger.model import Application
from ledger.registers.forms import Change, RecordRequest
from tests.faults.test_fault_43_restored import restore
from tests.ledger.test_every_action import PERSON, SPENT
from tests.office import DEED, TestOffice
from tests.publishing import Desk, reopened
from wallet.keys import new_key
from wallet.signer import LocalSigner


def backup(desk: Desk, folder: Path) -> Path:
    desk.office.store.close()
    copyfile(database(desk), folder / "yesterday")
    return folder / "yesterday"


def database(desk: Desk) -> Path:
    return desk.office.settings.data / "office.db"


def issued(desk: Desk) -> Application:
    return desk.approved()


def transferred(desk: Desk) -> Application:
    seller, buyer = LocalSigner(new_key()), LocalSigner(new_key())
    request = desk.request(seller)
    assert desk.settle(desk.approve(desk.issue(request))) == ["certified"]
    sold = replace(request, fields={**request.fields, "holder": "Pembeli Contoh"}, holder="")
    application = desk.submit("land", Change("transfer", [sold], details={"recipient": buyer.address}))
    return desk.approve(application, ("holder", seller), ("recipient", buyer))


def frozen(desk: Desk) -> Application:
    request = desk.request()
    assert desk.settle(desk.approve(desk.issue(request))) == ["certified"]
    application = desk.submit("land", Change("freeze", subjects=[{"nib": request.fields["nib"]}]))
    return desk.approve(application, ("court", desk.judges[0]), registrars=0)


def identified(desk: Desk) -> Application:
    fields = {**PERSON, "birthPlace": "Sleman"}
    controller = LocalSigner(new_key()).address
    return desk.approve(desk.submit("identity", Change("issue", [RecordRequest(fields, controller, DEED)])))


def appended(desk: Desk) -> Application:
    fields = {**SPENT, "buyer": f"id-{next(desk.numbers):05}", "period": "2026-11", "id": "1", "amount": "1000.00"}
    return desk.approve(desk.submit("transactions", Change("append", [RecordRequest(fields)])))


@pytest.mark.parametrize("apply", [issued, transferred, frozen, identified, appended])
def test_fault_14_what_a_forgotten_transaction_recorded_is_found_and_not_sent_again(
    desk: Desk, tmp_path: Path, apply: Callable[[Desk], Application]
) -> None:
    application = apply(desk)
    yesterday = backup(desk, tmp_path)
    assert desk.settle(application) == ["certified"]
    nonce = desk.office.chain.next_nonce(desk.relayer.address)
    desk.office.store.close()
    restore(database(desk), yesterday)
    desk = reopened(desk)
    assert desk.state(application) == "approved"
    assert desk.settle(application) == ["certified"]
    assert desk.office.store.transaction_of(application.id) is None
    assert desk.office.chain.next_nonce(desk.relayer.address) == nonce
    desk.office.close()


def test_fault_14_other_content_for_the_same_parcel_is_a_conflict(desk: Desk, at_hardhat: TestOffice) -> None:
    nib = "78.00.00.00.00014"
    application = desk.approved(nib=nib)
    other = at_hardhat.approve(at_hardhat.issue(at_hardhat.request(nib=nib)))
    assert at_hardhat.certify(other.id).state == "certified"
    assert desk.settle(application) == ["failed"]
    assert "AlreadyRecorded" in desk.office.store.application(application.id).reason


def test_fault_14_while_a_change_is_not_final_nobody_can_tell_and_it_waits(
    forkable: Desk, at_anvil: TestOffice
) -> None:
    nib = "78.00.00.00.00015"
    application = forkable.approved(nib=nib)
    at_anvil.approve(at_anvil.issue(at_anvil.request(nib=nib)))
    at_anvil.office.run_once()
    forkable.office.run_once()
    assert forkable.state(application) == "approved"
    forkable.mine(3)
    forkable.office.run_once()
    forkable.office.run_once()
    assert forkable.state(application) == "failed"
    for _ in range(3):
        at_anvil.office.run_once()
