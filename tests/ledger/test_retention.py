"""How long contents are kept, what a legal hold keeps, and what is held about a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.errors import BadInput, ConfigurationError, NotFound, Refused
from ledger.registers.forms import Change, RecordRequest
from ledger.retention import Policy, normalised
from tests.fakes import FakeClock
from tests.ledger.test_erasure import GRADUATE, order
from tests.office import DEED, TestOffice, record_of, running_office
from tests.traces import traces
from wallet.keys import new_key, recover
from wallet.signer import LocalSigner
from wallet.typed_data import Domain, build

KEPT = Policy({"diplomas": 30, "land": 100})


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("retention")) as office:
        office.office.run_once()
        yield office


def title(desk: TestOffice, **fields: str) -> bytes:
    request = desk.request()
    return record_of(desk.done("land", Change("issue", [replace(request, fields={**request.fields, **fields})])))


def is_held(desk: TestOffice, record_id: bytes) -> bool:
    return any(content.fields for content in desk.office.store.contents_of(str(desk.trusted().name), record_id))


def test_a_hold_refuses_orders_and_says_who_placed_and_lifted_it_and_when(desk: TestOffice) -> None:
    retention, record_id = desk.office.retention, title(desk)
    pending = desk.submit("erasures", order(desk, "land", record_id))
    placed = retention.place_hold("land", record_id, desk.registrars[0])
    assert placed.placed_by == desk.registrars[0].address
    refused = desk.office.store.application(pending.id)
    assert (refused.state, refused.reason) == ("refused", "a legal hold was placed")
    with pytest.raises(Refused, match="legal hold"):
        desk.submit("erasures", order(desk, "land", record_id))
    with pytest.raises(Refused, match="legal hold"):
        retention.place_hold("land", record_id, desk.registrars[1])
    lifted = retention.lift_hold("land", record_id, desk.registrars[1])
    assert (lifted.lifted_by, lifted.since) == (desk.registrars[1].address, placed.since)
    assert desk.office.store.holds(str(desk.trusted().name), [record_id]) == [lifted]
    with pytest.raises(NotFound, match="No hold"):
        retention.lift_hold("land", record_id, desk.registrars[0])
    desk.done("erasures", order(desk, "land", record_id))
    assert not is_held(desk, record_id)
    with pytest.raises(NotFound, match="holds nothing"):
        retention.place_hold("land", record_id, desk.registrars[0])


def test_a_hold_stops_an_order_that_is_on_the_chain_already(desk: TestOffice) -> None:
    record_id = title(desk)
    application = desk.approve(desk.submit("erasures", order(desk, "land", record_id)))
    desk.publish_and_follow()
    held = desk.office.retention.place_hold("land", record_id, desk.registrars[0])
    desk.certify(application.id)
    desk.office.run_once()
    assert is_held(desk, record_id)
    desk.office.retention.lift_hold("land", record_id, desk.registrars[0])
    desk.office.run_once()
    assert not is_held(desk, record_id) and held.until is None


def test_only_a_registrar_places_and_lifts_and_his_signature_is_kept(desk: TestOffice) -> None:
    record_id, retention = title(desk), desk.office.retention
    for stranger in (LocalSigner(new_key()), desk.judges[0]):
        with pytest.raises(Refused, match="not a registrar"):
            retention.place_hold("land", record_id, stranger)
    placed = retention.place_hold("land", record_id, desk.registrars[2])
    with pytest.raises(Refused, match="not a registrar"):
        retention.lift_hold("land", record_id, desk.judges[0])
    name = desk.trusted().name
    message = {"recordId": record_id, "since": placed.since}
    data = build(Domain("LandRegister", name.chain_id, name.address), "PlaceHold", message)
    assert recover(data.digest(), placed.placed) == desk.registrars[2].address
    retention.lift_hold("land", record_id, desk.registrars[2])


def test_what_is_past_its_time_is_due_and_nothing_else(desk: TestOffice) -> None:
    retention, now = desk.office.retention, desk.office.retention.clock
    batch = desk.done("diplomas", Change("append", [RecordRequest(GRADUATE, document=DEED)]))
    try:
        assert list(retention.due(KEPT)) == []
        retention.clock = FakeClock(now.now() + 31 * 366 * 86_400)
        (due,) = retention.due(KEPT)
        assert (due.kind, due.content.record_id) == ("diplomas", record_of(batch))
        assert due.until is not None and due.until < retention.clock.now() and not due.on_hold
        assert list(retention.due(Policy({}))) == []
    finally:
        retention.clock = now


def test_what_is_held_about_a_person_is_found_and_shows_no_value(desk: TestOffice) -> None:
    retention, name = desk.office.retention, "Nyi Roro Contoh"
    record_id = title(desk, holder=name, holderBirth="1961-02-03")
    desk.done("diplomas", Change("append", [RecordRequest({**GRADUATE, "name": name, "number": "N"}, document=DEED)]))
    found = retention.held_about(KEPT, ["  nyi RORO  contoh."])
    assert [holding.kind for holding in found] == ["land", "diplomas"]
    (land,) = retention.held_about(KEPT, [name, "1961-02-03"])
    assert land.content.record_id == record_id and {"holder", "holderBirth", "nib"} <= set(land.fields)
    assert list(land.documents.values()) == [["court", "office"]]
    assert land.until is not None and land.until > land.content.created
    assert retention.held_about(KEPT, [name, "1961-02-04"]) == [] == retention.held_about(KEPT, ["Roro"])
    desk.done("erasures", order(desk, "land", record_id))
    assert [holding.kind for holding in retention.held_about(KEPT, [name])] == ["diplomas"]


def test_the_index_is_made_anew_when_its_key_is_gone(desk: TestOffice) -> None:
    retention = desk.office.retention
    title(desk, holder="Mbah Contoh Lama")
    assert len(retention.held_about(KEPT, ["Mbah Contoh Lama"])) == 1
    key = retention.index_key.read_bytes()
    retention.index_key.unlink()
    assert len(retention.held_about(KEPT, ["Mbah Contoh Lama"])) == 1
    assert retention.index_key.read_bytes() != key
    assert traces(desk.office.settings.data, [key]) == []


@pytest.mark.parametrize("values", [[], [""], ["Siti", " - "]])
def test_nobody_is_not_looked_up(desk: TestOffice, values: list[str]) -> None:
    with pytest.raises(BadInput):
        desk.office.retention.held_about(KEPT, values)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Siti  Rahmawati", "SITI RAHMAWATI"), ("34.04-01 0101", "3404010101"), ("1979-03-14", "1979 03 14")],
)
def test_a_value_is_found_however_it_is_written(one: str, other: str) -> None:
    assert normalised(one) == normalised(other) != ""


@pytest.mark.parametrize(
    "text",
    ["years = 3", "[years]\nships = 1", "[years]\nland = 0", "[years]\nland = 1.5", "[years]\nland = true", "=", ""],
)
def test_a_policy_that_says_nothing_clear_stops(tmp_path: Path, text: str) -> None:
    path = tmp_path / "retention.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"retention\.toml"):
        Policy.read(path)


def test_a_policy_counts_years_of_the_calendar_and_without_a_file_nothing_ends(tmp_path: Path) -> None:
    path = tmp_path / "retention.toml"
    assert Policy.read(path) == Policy({})
    path.write_text("[years]\nland = 1\n")
    leap = 1_709_208_000  # 2024-02-29 12:00 UTC
    assert Policy.read(path).until("land", leap) == 1_740_744_000  # 2025-02-28 12:00 UTC
    assert Policy.read(path).until("diplomas", leap) is None
