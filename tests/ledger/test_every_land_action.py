"""Every action of the register of land, from the application to a certificate that a stranger verifies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.registers import register_of_kind
from ledger.registers.forms import Change, RecordRequest
from tests.office import TestOffice, record_of, running_office
from wallet.keys import new_key
from wallet.signer import LocalSigner

MONTH = 31 * 86400
CLAIM = "0x" + "c1" * 32


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("every-action")) as office:
        yield office


def signer() -> LocalSigner:
    return LocalSigner(new_key())


def changed(action: str, nib: str, **details: str) -> Change:
    return Change(action, subjects=[{"nib": nib}], details=details)


def title(desk: TestOffice, holder: LocalSigner, **fields: str) -> tuple[RecordRequest, bytes]:
    request = desk.request(holder, **fields)
    return request, record_of(desk.done("land", Change("issue", [request])))


def without_holder(request: RecordRequest, **fields: str) -> RecordRequest:
    return RecordRequest({**request.fields, **fields}, document=request.document)


def test_land_is_amended_encumbered_and_released(desk: TestOffice) -> None:
    holder, bank = signer(), signer()
    request, record_id = title(desk, holder)
    desk.done("land", Change("amend", [without_holder(request, location="Jl. Baru 1")]))
    nib = request.fields["nib"]
    desk.done("land", changed("encumber", nib, creditor=bank.address, claim=CLAIM), ("holder", holder))
    verdict = desk.verdict("land", record_id)
    assert verdict.valid and verdict.axes["status"].reason == "active, 1 lien(s)"
    certificate = desk.office.certifier.newest(desk.trusted(), record_id).as_json()
    assert certificate["evidence"]["liens"] == [{"rank": 1, "creditor": bank.address, "claim": CLAIM}]
    sale = Change("transfer", [without_holder(request)], details={"recipient": signer().address})
    application = desk.submit("land", sale)
    assert desk.office.applications.missing(application) == [
        "holder",
        "recipient",
        "creditor",
        "registrar",
        "registrar",
    ]
    with pytest.raises(NotFound, match="no such lien"):
        desk.submit("land", changed("release", nib, rank="2", creditor=bank.address, claim=CLAIM))
    desk.done("land", changed("release", nib, rank="1", creditor=bank.address, claim=CLAIM), ("creditor", bank))
    assert desk.verdict("land", record_id).axes["status"].reason == "active, no lien"


def test_a_title_with_a_lien_moves_with_its_creditor_and_keeps_it(desk: TestOffice) -> None:
    holder, buyer, bank = signer(), signer(), signer()
    request, record_id = title(desk, holder)
    encumbering = changed("encumber", request.fields["nib"], creditor=bank.address, claim=CLAIM)
    desk.done("land", encumbering, ("holder", holder))
    sale = Change("transfer", [without_holder(request)], details={"recipient": buyer.address})
    desk.done("land", sale, ("holder", holder), ("recipient", buyer), ("creditor", bank))
    assert desk.newest("land", record_id)["holder"] == buyer.address
    assert desk.verdict("land", record_id).axes["status"].reason == "active, 1 lien(s)"


def test_a_court_freezes_and_unfreezes(desk: TestOffice) -> None:
    request, record_id = title(desk, signer())
    freeze, judge = changed("freeze", request.fields["nib"]), desk.judges[0]
    application = desk.submit("land", freeze)
    assert desk.office.applications.missing(application) == ["court"]
    with pytest.raises(Refused, match="is not a court"):
        desk.approve(application, ("court", desk.registrars[0]), registrars=0)
    desk.done("land", freeze, ("court", judge), registrars=0)
    verdict = desk.verdict("land", record_id)
    assert [verdict.axes[name].state for name in ("integrity", "status", "issuer")] == ["valid", "invalid", "valid"]
    desk.done("land", changed("unfreeze", request.fields["nib"]), ("court", judge), registrars=0)
    assert desk.verdict("land", record_id).valid


def test_an_assignment_waits_and_is_completed_or_withdrawn(desk: TestOffice) -> None:
    heir, judge = signer(), desk.judges[0]
    for ending in ("withdraw", "complete"):
        holder = signer()
        request, record_id = title(desk, holder)
        assign = Change("assign", [without_holder(request)], details={"recipient": heir.address})
        desk.done("land", assign, ("recipient", heir), ("court", judge))
        assert "pending" in desk.verdict("land", record_id).axes["status"].reason
        if ending == "withdraw":
            desk.done("land", changed("withdraw", request.fields["nib"]), ("court", judge), registrars=0)
        else:
            with pytest.raises(Conflict, match="waits until"):
                desk.submit("land", changed("complete", request.fields["nib"]))
            with pytest.raises(Conflict, match="is an assignment"):
                desk.submit("land", changed("object", request.fields["nib"]))
            desk.later(MONTH)
            desk.done("land", changed("complete", request.fields["nib"]))
        assert desk.newest("land", record_id)["holder"] == (holder if ending == "withdraw" else heir).address
        assert desk.verdict("land", record_id).valid


def test_a_parcel_is_split_merged_again_and_retired_with_its_descent_proved(desk: TestOffice) -> None:
    holder, bank = signer(), signer()
    request, parent = title(desk, holder, area="100.00")
    nib = request.fields["nib"]
    desk.done("land", changed("encumber", nib, creditor=bank.address, claim=CLAIM), ("holder", holder))
    children = [without_holder(desk.request(area=area)) for area in ("60.00", "40.00")]
    split = desk.done("land", Change("split", children, [{"nib": nib}]), ("holder", holder))
    assert "was split" in desk.verdict("land", parent).axes["status"].reason
    for index in (0, 1):
        verdict = desk.verdict("land", record_of(split, index))
        assert verdict.valid and verdict.axes["status"].reason == "active, 1 lien(s)"
    whole = without_holder(desk.request(area="100.00"))
    merge = Change("merge", [whole], [{"nib": child.fields["nib"]} for child in children])
    merged = desk.done("land", merge, ("holder", holder), ("creditor", bank), ("creditor 2", bank))
    certificate = desk.office.certifier.newest(desk.trusted(), record_of(merged)).as_json()
    heads = [desk.newest("land", record_of(split, index))["previous"] for index in (0, 1)]
    assert certificate["evidence"]["parents"] == sorted(heads)
    assert len(certificate["evidence"]["liens"]) == 2
    other, other_id = title(desk, holder)
    desk.done("land", changed("retire", other.fields["nib"]), ("holder", holder))
    assert "retired for ever" in desk.verdict("land", other_id).axes["status"].reason


def test_a_change_waits_until_the_one_before_is_final(desk: TestOffice) -> None:
    request, _ = title(desk, signer())
    amendment = Change("amend", [without_holder(request, location="Jl. Baru 2")])
    desk.approve(desk.submit("land", amendment))
    for _ in range(2):
        desk.office.publisher.run_once()
    with pytest.raises(Conflict, match="not final"):
        desk.submit("land", amendment)


def test_an_area_never_changes_and_a_merge_needs_existing_parcels(desk: TestOffice) -> None:
    request, _ = title(desk, signer())
    with pytest.raises(BadInput, match="area"):
        desk.submit("land", Change("amend", [without_holder(request, area="1.00")]))
    unknown = desk.request().fields["nib"]
    with pytest.raises(NotFound):
        desk.submit("land", Change("merge", [without_holder(desk.request())], [{"nib": unknown}, {"nib": unknown}]))


def refused(desk: TestOffice, change: Change, why: str) -> None:
    """The desk takes no such application, and seals no document for it."""
    documents = sorted((desk.office.settings.data / "documents").rglob("*"))
    with pytest.raises(Conflict, match=why):
        desk.submit("land", change)
    assert sorted((desk.office.settings.data / "documents").rglob("*")) == documents


def test_the_desk_refuses_what_a_frozen_title_does_not_do(desk: TestOffice) -> None:
    holder, judge = signer(), desk.judges[0]
    request, _ = title(desk, holder)
    nib, sale = request.fields["nib"], {"recipient": signer().address}
    refused(desk, changed("unfreeze", nib), "is active")
    desk.done("land", changed("freeze", nib), ("court", judge), registrars=0)
    for change in (
        Change("amend", [without_holder(request, location="Jl. Baru 3")]),
        Change("transfer", [without_holder(request)], details=sale),
        changed("encumber", nib, creditor=signer().address, claim=CLAIM),
        changed("freeze", nib),
        changed("retire", nib),
        changed("complete", nib),
        changed("withdraw", nib),
    ):
        refused(desk, change, "is frozen by a court")
    desk.done("land", changed("unfreeze", nib), ("court", judge), registrars=0)
    desk.done("land", changed("retire", nib), ("holder", holder))
    refused(desk, changed("freeze", nib), "is retired for ever")


def test_the_desk_refuses_what_does_not_add_up(desk: TestOffice) -> None:
    holder, bank = signer(), signer()
    request, _ = title(desk, holder, area="100.00")
    other, _ = title(desk, signer(), area="50.00")
    nib = request.fields["nib"]
    sale = Change("transfer", [without_holder(request)], details={"recipient": holder.address})
    refused(desk, sale, "cannot pass to")
    halves = [without_holder(desk.request(area="50.00")), without_holder(desk.request(area="50.01"))]
    refused(desk, Change("split", halves, [{"nib": nib}]), "10001 dm², the old 10000")
    whole = without_holder(desk.request(area="150.00"))
    refused(desk, Change("merge", [whole], [{"nib": nib}, {"nib": other.fields["nib"]}]), "The holder of")
    encumbering = changed("encumber", nib, creditor=bank.address, claim=CLAIM)
    desk.done("land", encumbering, ("holder", holder))
    refused(desk, changed("retire", nib), "1 liens on title")


def test_what_two_are_allowed_at_once_one_of_them_fails_with_the_reason(desk: TestOffice) -> None:
    request, _ = title(desk, signer())
    freeze = changed("freeze", request.fields["nib"])
    first, second = (
        desk.approve(desk.submit("land", freeze), ("court", desk.judges[0]), registrars=0) for _ in range(2)
    )
    states = {desk.certify(application.id).state: application for application in (first, second)}
    assert sorted(states) == ["certified", "failed"]
    assert "StaleHead" in desk.office.store.application(states["failed"].id).reason


def test_a_transfer_waits_for_the_window_of_its_register(desk: TestOffice) -> None:
    request, record_id = title(desk, signer())
    sale = Change("transfer", [without_holder(request)], details={"recipient": signer().address})
    payload, known = desk.submit("land", sale).payload, desk.office.state(desk.trusted())
    register = register_of_kind("land")
    for window, status in ((0, "active"), (1, "pending")):
        entry = register.follow("transfer", payload, known.head, 1 << 32, window)[record_id]
        assert register.statuses[entry.status] == status
