"""Every action of identities and batches, from the application to a certificate that a stranger verifies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from ledger.cid import Cid
from ledger.encoding import canonical_json
from ledger.errors import BadInput, Conflict
from ledger.registers import REGISTERS, register_of_kind
from ledger.registers.forms import Change, RecordRequest
from ledger.verifier import verify
from tests.office import DEED, TestOffice, record_of, running_office
from wallet.keys import new_key
from wallet.signer import LocalSigner

RAW = 0x55  # the multicodec of a block that is no tree
PERSON = {"kind": "citizen", "validity": "2099-12-31", "name": "Siti Contoh", "birthDate": "1979-03-14"}
SPENT = {"buyer": "id-contoh", "date": "2026-11-03", "supplier": "PT Contoh Jaya", "currency": "IDR"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("every-action")) as office:
        yield office


def signer() -> LocalSigner:
    return LocalSigner(new_key())


def test_every_action_has_a_form_and_no_form_is_without_its_action() -> None:
    for register in REGISTERS.values():
        assert set(register.forms) == set(register.actions.values())


def identity(desk: TestOffice, controller: LocalSigner) -> dict[str, str]:
    """The subject of a new identity."""
    fields = {**PERSON, "birthPlace": "Sleman"}
    application = desk.done("identity", Change("issue", [RecordRequest(fields, controller.address, DEED)]))
    return {"recordId": application.payload["records"][0]["recordId"]}


def test_an_identity_is_renewed_rotated_suspended_reinstated_and_revoked(desk: TestOffice) -> None:
    first, second = signer(), signer()
    subject = identity(desk, first)
    record_id = bytes.fromhex(subject["recordId"][2:])
    renewal = RecordRequest({**PERSON, "birthPlace": "Sleman", **subject, "validity": "2120-12-31"}, document=DEED)
    desk.done("identity", Change("renew", [renewal]))
    rotation = Change("rotate", subjects=[subject], details={"controller": second.address})
    desk.done("identity", rotation, ("holder", first), ("recipient", second))
    assert desk.verdict("identity", record_id).valid
    for action, state in (("suspend", "invalid"), ("reinstate", "valid"), ("revoke", "invalid")):
        desk.done("identity", Change(action, subjects=[subject]))
        assert desk.verdict("identity", record_id).axes["status"].state == state
    assert desk.newest("identity", record_id)["controller"] == second.address


def refused(desk: TestOffice, kind: str, change: Change, why: str) -> None:
    """The desk takes no such application, and seals no document for it."""
    documents = sorted((desk.office.settings.data / "documents").rglob("*"))
    with pytest.raises(Conflict, match=why):
        desk.submit(kind, change)
    assert sorted((desk.office.settings.data / "documents").rglob("*")) == documents


def test_the_desk_refuses_what_an_identity_does_not_do(desk: TestOffice) -> None:
    controller = signer()
    subject = identity(desk, controller)
    rotation = Change("rotate", subjects=[subject], details={"controller": controller.address})
    refused(desk, "identity", rotation, "cannot become the controller")
    renewal = RecordRequest({**PERSON, "birthPlace": "Sleman", **subject, "validity": "2020-12-31"}, document=DEED)
    refused(desk, "identity", Change("renew", [renewal]), "would end at 2021-01-01 00:00:00 UTC")
    refused(desk, "identity", Change("reinstate", subjects=[subject]), "is active")
    desk.done("identity", Change("suspend", subjects=[subject]))
    refused(desk, "identity", Change("suspend", subjects=[subject]), "is suspended")
    desk.done("identity", Change("revoke", subjects=[subject]))
    for action in ("reinstate", "revoke"):
        refused(desk, "identity", Change(action, subjects=[subject]), "is revoked for ever")


def test_a_recovery_is_vetoed_or_confirmed(desk: TestOffice) -> None:
    first, second = signer(), signer()
    subject = identity(desk, first)
    recovery = Change("recover", subjects=[subject], details={"controller": second.address})
    desk.done("identity", recovery)
    desk.done("identity", Change("veto", subjects=[subject]), ("holder", first), registrars=0)
    refused(desk, "identity", Change("confirm", subjects=[subject]), "is active")
    desk.done("identity", recovery)
    refused(desk, "identity", Change("confirm", subjects=[subject]), "may veto until")
    refused(desk, "identity", recovery, "is waiting for a recovery")
    desk.later(100)
    refused(desk, "identity", Change("veto", subjects=[subject]), "could veto until")
    desk.done("identity", Change("confirm", subjects=[subject]))
    record_id = bytes.fromhex(subject["recordId"][2:])
    assert desk.newest("identity", record_id)["controller"] == second.address
    assert desk.verdict("identity", record_id).valid


def spending(period: str, count: int, amount: str = "1250000.00") -> list[RecordRequest]:
    base = {**SPENT, "period": period, "date": f"{period}-03", "amount": amount}
    return [RecordRequest({**base, "id": f"{period}/{number}"}) for number in range(count)]


@pytest.mark.parametrize(("action", "period"), [("append", "2026-01"), ("appendLeaves", "2026-02")])
def test_batches_are_appended_and_each_record_is_proved(desk: TestOffice, action: str, period: str) -> None:
    for count in (5, 3):
        batch = desk.done("transactions", Change(action, spending(period, count)))
        for index in range(count):
            verdict = desk.verdict("transactions", record_of(batch, index))
            assert verdict.valid and "never corrected" in verdict.axes["status"].reason
    series = register_of_kind("transactions").record_id({"buyer": SPENT["buyer"], "period": period})
    entry = desk.newest("transactions", series)
    assert (entry["sequence"], entry["count"], entry["total"]) == (2, "3", "8")


def test_the_list_of_a_batch_lies_where_its_entry_says(desk: TestOffice) -> None:
    batch = desk.done("transactions", Change("append", spending("2026-03", 4)))
    manifest = bytes.fromhex(batch.payload["manifest"][2:])
    cid = str(Cid(RAW, manifest))
    listed = desk.office.documents.get(cid, 1 << 20)
    assert listed == b"".join(bytes.fromhex(record["digest"][2:]) for record in batch.payload["records"])


def test_a_record_of_a_batch_is_amended_and_voided(desk: TestOffice) -> None:
    batch = desk.done("transactions", Change("append", spending("2026-04", 3)))
    leaf = record_of(batch, 1)
    details = {"record": "0x" + leaf.hex(), "reason": "the amount was wrong"}
    right = spending("2026-04", 2, amount="9.00")[1]
    for _ in range(2):
        desk.done("transactions", Change("amend", [right], details=details))
    certificate = desk.office.certifier.newest(desk.trusted("transactions"), leaf)
    assert certificate.content.values["amount"] == "9.00"
    assert len(certificate.evidence.approved()) == 2
    verdict = desk.verdict("transactions", leaf)
    assert verdict.valid and "corrected 2 time(s)" in verdict.axes["status"].reason
    with pytest.raises(BadInput, match="series"):
        desk.submit("transactions", Change("amend", spending("2026-05", 1), details=details))
    desk.done("transactions", Change("void", details=details))
    assert desk.verdict("transactions", leaf).axes["status"].reason == "the record was declared void"
    assert desk.verdict("transactions", record_of(batch, 0)).valid
    for change in (Change("void", details=details), Change("amend", [right], details=details)):
        refused(desk, "transactions", change, "is void, for ever")


def test_one_batch_is_of_one_series_and_a_series_without_batches_is_absent(desk: TestOffice) -> None:
    with pytest.raises(BadInput, match="one series"):
        desk.submit("transactions", Change("append", [*spending("2026-06", 1), *spending("2026-07", 1)]))
    subject = {"buyer": SPENT["buyer"], "period": "2026-08"}
    absence = desk.office.certifier.absence("transactions", subject)
    assert verify(canonical_json(absence.as_json()), desk.office.trust).valid


def test_what_no_verifier_would_take_is_refused_at_the_desk(desk: TestOffice) -> None:
    (good,) = spending("2026-09", 1)
    outside = RecordRequest({**good.fields, "date": "2026-10-03"})
    with pytest.raises(BadInput, match="the date is not in the month"):
        desk.submit("transactions", Change("append", [good, outside]))


def test_a_register_of_another_kind_of_record_is_one_file(desk: TestOffice) -> None:
    fields: Mapping[str, str] = {
        "number": "D-2026-001",
        "institution": "id-ui",
        "year": "2026",
        "degree": "Sarjana Teknik",
        "programme": "Teknik Informatika",
        "name": "Siti Contoh",
        "birthDate": "2003-03-14",
        "graduated": "2026-08-01",
    }
    diplomas = [RecordRequest({**fields, "number": f"D-{n}"}, document=DEED) for n in range(3)]
    batch = desk.done("diplomas", Change("append", diplomas))
    certificate = desk.office.certifier.newest(desk.trusted("diplomas"), record_of(batch, 2))
    assert verify(canonical_json(certificate.as_json()), desk.office.trust, document=DEED).valid
