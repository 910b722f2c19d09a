"""Applications, publisher, follower and certifier together, on a real devnet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ledger.certificate import parse
from ledger.encoding import ZERO32, canonical_json, to_hex
from ledger.entries import approvals_hash
from ledger.errors import (
    AlreadyRecorded,
    BadInput,
    ChainUnreachable,
    ContractReverted,
    Refused,
    TooLarge,
)
from ledger.model import Approval
from ledger.registers.forms import Change
from ledger.verifier import verify
from tests.fakes import FakeClock, FaultyChain
from tests.office import DEED, TestOffice, running_office
from wallet.errors import BadSignature
from wallet.keys import new_key
from wallet.signer import LocalSigner


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("office")) as office:
        yield office


@pytest.fixture
def chain(desk: TestOffice, monkeypatch: pytest.MonkeyPatch) -> FaultyChain:
    """The publisher's chain, which can be made to fail."""
    faulty = FaultyChain(desk.office.chain)
    monkeypatch.setattr(desk.office.publisher, "chain", faulty)
    return faulty


def relayer_of(desk: TestOffice) -> str:
    return next(iter(desk.office.publisher.relayers))


def submit(desk: TestOffice, **changed: str) -> Any:
    return desk.issue(desk.request(**changed))


def approved(desk: TestOffice, **changed: str) -> Any:
    return desk.approve(submit(desk, **changed))


def record_id(application: Any) -> bytes:
    return bytes.fromhex(application.payload["records"][0]["recordId"][2:])


def head_of(desk: TestOffice, record: bytes) -> bytes:
    return desk.office.state(desk.trusted()).head(record)


def certificate_of(desk: TestOffice, application: Any) -> Any:
    return desk.office.store.certificate(str(desk.trusted().name), record_id(application))


def test_issued_title_is_certified_and_the_certificate_verifies(desk: TestOffice) -> None:
    application = approved(desk)
    assert application.state == "approved"
    assert desk.certify(application.id).state == "certified"
    found = certificate_of(desk, application)
    assert verify(canonical_json(found), desk.office.trust, document=DEED).valid
    approvers = sorted((signer.address for signer in desk.registrars[:2]), key=lambda a: int(a, 16))
    assert found["approvers"] == [approvers]
    assert found["entries"][0]["approvals"] == to_hex(approvals_hash(approvers))


def test_batch_is_one_transaction_and_every_title_gets_its_certificate(desk: TestOffice) -> None:
    application = desk.issue(*(desk.request() for _ in range(5)))
    assert desk.certify(desk.approve(application).id).state == "certified"
    for record in application.payload["records"]:
        found = desk.office.store.certificate(str(desk.trusted().name), bytes.fromhex(record["recordId"][2:]))
        assert found and verify(canonical_json(found), desk.office.trust).valid


def test_transfer_needs_holder_and_recipient_and_extends_the_history(desk: TestOffice) -> None:
    seller, buyer = LocalSigner(new_key()), LocalSigner(new_key())
    request = desk.request(seller)
    desk.certify(desk.approve(desk.issue(request)).id)
    sold = replace(request, fields={**request.fields, "holder": "Pembeli Contoh"}, holder="")
    application = desk.submit("land", Change("transfer", [sold], details={"recipient": buyer.address}))
    assert desk.approve(application, ("holder", seller)).state == "submitted"
    assert desk.office.applications.missing(application) == ["recipient"]
    assert desk.approve(application, ("recipient", buyer)).state == "approved"
    assert desk.certify(application.id).state == "certified"
    parsed = parse(canonical_json(certificate_of(desk, application)))
    assert [entry.action for entry in parsed.entries] == [1, 3]  # type: ignore[union-attr]
    assert parsed.entries[-1].holder == buyer.address  # type: ignore[union-attr]


def test_second_title_for_a_parcel_is_refused_at_the_desk(desk: TestOffice) -> None:
    application = approved(desk, nib="77.00.00.00.00001")
    desk.certify(application.id)
    with pytest.raises(AlreadyRecorded):
        submit(desk, nib="77.00.00.00.00001")


def test_second_title_for_a_parcel_fails_on_chain_with_its_reason_when_two_race(desk: TestOffice) -> None:
    first, second = (approved(desk, nib="77.00.00.00.00002") for _ in range(2))
    assert desk.certify(first.id).state == "certified"
    lost = desk.certify(second.id)
    assert lost.state == "failed" and "AlreadyRecorded" in lost.reason


def test_same_parcel_twice_in_a_batch_is_refused(desk: TestOffice) -> None:
    with pytest.raises(BadInput, match="same id"):
        twice = [desk.request(nib="77.00.00.00.00003") for _ in range(2)]
        desk.issue(*twice)


def test_one_approval_publishes_nothing(desk: TestOffice) -> None:
    application = desk.approve(submit(desk), registrars=1)
    desk.office.run_once()
    assert desk.office.store.application(application.id).state == "submitted"
    assert head_of(desk, record_id(application)) == ZERO32


def test_registrar_who_signs_twice_counts_once(desk: TestOffice) -> None:
    application = submit(desk)
    for _ in range(2):
        desk.approve(application, registrars=1)
    assert desk.office.applications.missing(application) == ["registrar"]


def test_contract_refuses_what_the_desk_would_never_send(desk: TestOffice) -> None:
    application, office = submit(desk), desk.office
    data = office.applications.typed_data(application)

    def call(*signers: LocalSigner) -> bytes:
        approvals = [Approval(s.address, "registrar", s.sign_typed(data)) for s in signers]
        return office.applications.register(application).calldata(application, approvals)

    stranger = LocalSigner(new_key())
    ordered = sorted([desk.registrars[0], stranger], key=lambda s: int(s.address, 16))
    for error, signers in (
        ("TooFewApprovals", [desk.registrars[0]]),
        ("ApprovalsNotAscending", [desk.registrars[0]] * 2),
        ("NotRegistrar", ordered),
    ):
        with pytest.raises(ContractReverted) as refusal:
            office.chain.estimate_gas(relayer_of(desk), desk.trusted().name.address, call(*signers))
        assert refusal.value.name == error


def test_each_application_is_shown_as_it_is_whichever_was_shown_before(desk: TestOffice) -> None:
    first, second = submit(desk), submit(desk)
    later = replace(first, payload={**first.payload, "deadline": first.payload["deadline"] + 1})
    shown = [desk.office.applications.typed_data(it).digest() for it in (first, first, second, first, later)]
    assert shown[0] == shown[1] == shown[3] and len(set(shown)) == 3


def test_unknown_registrar_and_foreign_signature_are_refused(desk: TestOffice) -> None:
    application, stranger = submit(desk), LocalSigner(new_key())
    data = desk.office.applications.typed_data(application)
    with pytest.raises(Refused, match="not a registrar"):
        desk.office.applications.approve(application.id, stranger.sign_typed(data), stranger.address, "registrar")
    with pytest.raises(Refused, match="not by"):
        registrar = desk.registrars[0].address
        desk.office.applications.approve(application.id, stranger.sign_typed(data), registrar, "registrar")
    with pytest.raises(BadSignature):
        desk.office.applications.approve(application.id, bytes(65), stranger.address, "registrar")
    assert desk.office.store.approvals(application.id) == []


def test_approval_after_the_deadline_is_refused(desk: TestOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    application = submit(desk)
    clock = FakeClock(application.payload["deadline"] + 1)
    monkeypatch.setattr(desk.office.applications, "clock", clock)
    with pytest.raises(Refused, match="deadline"):
        desk.approve(application)


@pytest.mark.parametrize(
    ("document", "error"),
    [(b"", BadInput), (b"not a PDF", BadInput), (DEED[:5000], BadInput), (b"%PDF-" + bytes(100_000_000), TooLarge)],
    ids=["empty", "text", "cut", "100 MB"],
)
def test_document_that_is_no_whole_pdf_is_refused(desk: TestOffice, document: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        desk.issue(replace(desk.request(), document=document))


def test_refused_application_names_the_field_and_never_its_value(desk: TestOffice) -> None:
    with pytest.raises(BadInput) as refusal:
        submit(desk, holderBirth="1990-31-12 RAHASIA")
    assert refusal.value.pointer == "/records/0/fields/holderBirth" and "RAHASIA" not in str(refusal.value)


def test_crash_before_sending_sends_the_same_bytes_later(desk: TestOffice, chain: FaultyChain) -> None:
    application = approved(desk)
    chain.before.add("send")
    with pytest.raises(ChainUnreachable):
        desk.office.publisher.run_once()
    transaction = desk.office.store.transaction_of(application.id)
    assert transaction and transaction.state == "signed"
    assert desk.certify(application.id).state == "certified"
    assert set(chain.sent) == {transaction.newest.raw}


def test_lost_answer_to_a_send_is_no_second_transaction(desk: TestOffice, chain: FaultyChain) -> None:
    application = approved(desk)
    chain.after.add("send")
    before = desk.office.chain.next_nonce(relayer_of(desk))
    with pytest.raises(ChainUnreachable):
        desk.office.publisher.run_once()
    assert desk.certify(application.id).state == "certified"
    assert desk.office.chain.next_nonce(relayer_of(desk)) == before + 1
    assert len(set(chain.sent)) == 1


@pytest.mark.parametrize("call", ["estimate_gas", "fees", "next_nonce", "receipt", "block"])
def test_outage_at_any_step_only_delays(desk: TestOffice, chain: FaultyChain, call: str) -> None:
    application = approved(desk)
    chain.before.add(call)
    while chain.before:
        try:
            desk.office.run_once()
        except ChainUnreachable:
            assert desk.office.store.application(application.id).state not in ("failed", "refused")
    assert desk.certify(application.id).state == "certified"
    assert len(desk.office.store.history(str(desk.trusted().name), record_id(application))) == 1


def test_no_personal_data_leaves_for_the_chain_or_the_store(desk: TestOffice) -> None:
    application = approved(desk, location="Jalan Rahasia Sekali")
    desk.certify(application.id)
    transaction = desk.office.store.transaction_of(application.id)
    assert transaction and b"Rahasia" not in transaction.newest.raw
    stored = [path.read_bytes() for path in (desk.office.settings.data / "documents").rglob("*") if path.is_file()]
    assert stored and not [data for data in stored if b"Rahasia" in data or b"%PDF-" in data]
