"""Erasing, from the order to the receipt: what goes, what stays, and what can never come back."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.bootstrap import open_office
from ledger.encoding import canonical_json, to_hex
from ledger.errors import BadInput, Conflict, DocumentMissing, Erased, NotFound, StoreUnavailable
from ledger.model import Application
from ledger.registers import register_of_kind
from ledger.registers.forms import Change, RecordRequest
from ledger.verifier import verify
from tests.office import DEED, TestOffice, record_of, running_office
from tests.traces import traces

GRADUATE = {
    "number": "D-1",
    "institution": "id-ui",
    "year": "2026",
    "degree": "Sarjana Teknik",
    "programme": "Teknik Informatika",
    "name": "Siti Contoh",
    "birthDate": "2003-03-14",
    "graduated": "2026-08-01",
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("erasure")) as office:
        office.office.run_once()
        yield office


def order(desk: TestOffice, kind: str, erased: bytes, ground: str = "requested") -> Change:
    fields = {"register": str(desk.trusted(kind).name).lower(), "erased": to_hex(erased)}
    return Change("appendLeaves", [RecordRequest({**fields, "ground": ground, "date": "2026-11-24"})])


def erase(desk: TestOffice, kind: str, erased: bytes) -> Application:
    return desk.done("erasures", order(desk, kind, erased))


@dataclass
class Title:
    application: Application
    record_id: bytes

    @property
    def digest(self) -> bytes:
        return bytes.fromhex(self.application.payload["records"][0]["digest"][2:])


def title(desk: TestOffice, **fields: str) -> Title:
    application = desk.done("land", Change("issue", [desk.request(**fields)]))
    return Title(application, record_of(application))


def cid_of(desk: TestOffice, digest: bytes) -> str:
    fields = desk.office.store.content(digest)
    assert fields is not None
    return str(next(field["value"]["cid"] for field in fields if field["name"] == "document"))


def test_an_erased_title_keeps_its_history_and_its_receipt_and_nothing_it_said(desk: TestOffice) -> None:
    store, land = desk.office.store, title(desk)
    cid = cid_of(desk, land.digest)
    receipt = erase(desk, "land", land.record_id)
    assert store.content(land.digest) is None
    assert store.certificate(str(desk.trusted().name), land.record_id) is None
    with pytest.raises(NotFound):
        store.document(cid)
    with pytest.raises(DocumentMissing):
        desk.office.documents.get(cid, 1 << 20)
    with pytest.raises(Erased, match="erased by an order of 20") as caught:
        desk.office.certifier.newest(desk.trusted(), land.record_id)
    assert (caught.value.receipt, caught.value.ground) == (to_hex(record_of(receipt)), "requested")
    assert desk.newest("land", land.record_id)["digest"] == to_hex(land.digest)
    certificate = desk.office.certifier.newest(desk.trusted("erasures"), record_of(receipt))
    assert verify(canonical_json(certificate.as_json()), desk.office.trust).valid
    assert certificate.content.values["erased"] == to_hex(land.record_id)
    assert store.application(land.application.id).state == "certified"


def test_whether_an_erasure_was_ordered_is_proved_either_way(desk: TestOffice) -> None:
    land = title(desk)
    subject = {"register": str(desk.trusted().name).lower(), "erased": to_hex(land.record_id)}
    absence = desk.office.certifier.absence("erasures", subject)
    assert verify(canonical_json(absence.as_json()), desk.office.trust).valid
    erase(desk, "land", land.record_id)
    with pytest.raises(Conflict):
        desk.office.certifier.absence("erasures", subject)


def test_neighbours_in_a_batch_and_what_was_given_out_still_verify(desk: TestOffice) -> None:
    requests = [RecordRequest({**GRADUATE, "number": f"D-{n}"}, document=DEED) for n in range(3)]
    batch = desk.done("diplomas", Change("append", requests))
    given = desk.office.certifier.newest(desk.trusted("diplomas"), record_of(batch, 1))
    erase(desk, "diplomas", record_of(batch, 1))
    for index in (0, 2):
        assert desk.verdict("diplomas", record_of(batch, index)).valid
    assert verify(canonical_json(given.as_json()), desk.office.trust).valid
    with pytest.raises(Erased):
        desk.office.certifier.newest(desk.trusted("diplomas"), record_of(batch, 1))
    known = desk.office.state(desk.trusted("diplomas"))
    history = register_of_kind("diplomas").history(record_of(batch, 1), known)
    assert [item.entry["count"] for item in history] == ["3"]


def test_reasons_of_corrections_go_too_and_the_record_can_still_be_voided(desk: TestOffice) -> None:
    batch = desk.done("diplomas", Change("append", [RecordRequest(GRADUATE | {"year": "2025"}, document=DEED)]))
    details = {"record": to_hex(record_of(batch)), "reason": "the name was Sri, and not Siti"}
    corrected = RecordRequest(GRADUATE | {"year": "2025", "name": "Sri Contoh"}, document=DEED)
    amendment = desk.done("diplomas", Change("amend", [corrected], details=details))
    erase(desk, "diplomas", record_of(batch))
    for application in (batch, amendment):
        left = desk.office.store.application(application.id)
        assert "reasons" not in left.payload and "Sri" not in str(left)
    void = desk.done("diplomas", Change("void", details=details))
    assert void.state == "certified"


def test_one_content_is_erased_and_the_newer_one_lives_on(desk: TestOffice) -> None:
    land = title(desk, location="Jl. Lama 1")
    fields = {field["name"]: field["value"] for field in desk.office.store.content(land.digest) or []}
    fields = {name: value for name, value in fields.items() if name not in ("schema", "document")}
    renewed = RecordRequest({**fields, "location": "Jl. Baru 2"}, document=DEED)
    amended = desk.done("land", Change("amend", [renewed]))
    erase(desk, "land", land.digest)
    assert desk.office.store.content(land.digest) is None
    assert desk.verdict("land", land.record_id).valid
    newest = desk.office.certifier.newest(desk.trusted(), land.record_id)
    assert newest.content.values["location"] == "Jl. Baru 2"
    assert amended.state == "certified"
    with pytest.raises(Erased):
        desk.office.certifier.content(land.digest)


def test_what_comes_after_an_erasure_is_not_erased_with_it(desk: TestOffice) -> None:
    request = desk.request()
    land = Title(application := desk.done("land", Change("issue", [request])), record_of(application))
    erase(desk, "land", land.record_id)
    desk.later(60)
    amendment = Change("amend", [RecordRequest(request.fields, document=DEED)])
    desk.done("land", amendment)
    desk.office.run_once()
    assert desk.verdict("land", land.record_id).valid


def test_the_desk_refuses_what_cannot_be_erased(desk: TestOffice) -> None:
    land = title(desk)
    with pytest.raises(NotFound, match="holds nothing"):
        desk.submit("erasures", order(desk, "land", bytes(32)))
    with pytest.raises(NotFound, match="holds nothing"):
        desk.submit("erasures", order(desk, "identity", land.record_id))
    for name, value in (("ground", "because"), ("register", str(desk.trusted().name)), ("erased", "0x" + "AB" * 32)):
        with pytest.raises(BadInput):
            (record,) = order(desk, "land", land.record_id).records
            desk.submit("erasures", Change("appendLeaves", [RecordRequest({**record.fields, name: value})]))
    erase(desk, "land", land.record_id)
    with pytest.raises(Conflict, match="erased already"):
        desk.submit("erasures", order(desk, "land", land.record_id))


def test_one_approval_erases_nothing(desk: TestOffice) -> None:
    land = title(desk)
    application = desk.submit("erasures", order(desk, "land", land.record_id))
    desk.approve(application, registrars=1)
    desk.office.run_once()
    assert desk.office.store.content(land.digest) is not None
    desk.approve(application)
    desk.certify(application.id)
    assert desk.office.store.content(land.digest) is None


def test_a_title_that_was_erased_goes_on_without_certificates(desk: TestOffice) -> None:
    request = desk.request()
    record_id = record_of(desk.done("land", Change("issue", [request])))
    erase(desk, "land", record_id)
    frozen = Change("freeze", subjects=[{"nib": request.fields["nib"]}])
    desk.done("land", frozen, ("court", desk.judges[0]), registrars=0)
    assert desk.newest("land", record_id)["sequence"] == 2
    assert desk.office.store.certificate(str(desk.trusted().name), record_id) is None


def test_an_office_restored_from_before_the_order_erases_again(desk: TestOffice, tmp_path: Path) -> None:
    """Neither the order nor its receipt is in the backup: the chain alone says what must go."""
    land, kept = title(desk), title(desk)
    settings = desk.office.settings.model_copy(update={"data": tmp_path / "office"})
    desk.office.store.compact()  # so that the file alone is the database
    shutil.copytree(desk.office.settings.data, settings.data)
    receipt = erase(desk, "land", land.record_id)
    restored = open_office(settings)
    assert restored.store.content(land.digest) is not None
    with pytest.raises(NotFound):
        restored.store.application(receipt.id)
    for follower in restored.followers:
        follower.run_once()
    restored.eraser.run_once()
    assert restored.store.content(land.digest) is None and restored.store.content(kept.digest) is not None
    tombstone = restored.store.erasure_of(land.digest)
    assert tombstone is not None and (tombstone.receipt, tombstone.ground) == (record_of(receipt), "")
    with pytest.raises(Erased):
        restored.certifier.content(land.digest)
    restored.close()


def test_what_a_busy_database_keeps_in_its_log_goes_when_it_is_free(desk: TestOffice) -> None:
    marker = "Jl. Penanda Sibuk 8"
    request = desk.request(location=marker)
    land = Title(application := desk.done("land", Change("issue", [request])), record_of(application))
    ordered = desk.approve(desk.submit("erasures", order(desk, "land", land.record_id)))
    desk.publish_and_follow()
    desk.office.certifier.run_once()
    reader = sqlite3.connect(desk.office.settings.data / "office.db")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM applications").fetchone()
    with pytest.raises(StoreUnavailable, match="Others read the database"):
        desk.office.eraser.run_once()
    assert desk.office.store.content(land.digest) is None
    assert traces(desk.office.settings.data, [marker.encode()]) != []
    reader.close()
    desk.office.eraser.run_once()
    assert traces(desk.office.settings.data, [marker.encode()]) == []
    assert desk.office.store.unfinished_erasures() == [] and desk.certify(ordered.id).state == "certified"
