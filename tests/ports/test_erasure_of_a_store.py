"""Erasing, holds and the index of persons, on every database."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ledger.adapters.sql_store import SqlStore
from ledger.batch_entry import BatchEntry
from ledger.encoding import ZERO32, canonical_json
from ledger.entries import layout_of
from ledger.errors import Conflict, IdempotencyMismatch, NotFound, Refused, StoreUnavailable
from ledger.model import Application, Hold, RecordedEntry, StoredCertificate, StoredContent, StoredDocument, Tombstone
from ledger.ports import RecordStore
from tests.ports.test_record_store import follow
from tests.traces import traces

REGISTER, ERASURES = "eip155:31337:0xland", "eip155:31337:0xerasures"
SECRET = b"MARKER-of-Siti-in-a-deed"
SIGNER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
RECORD, OTHER = bytes.fromhex("1a" * 32), bytes.fromhex("2b" * 32)
BEFORE, TIME, AFTER = 1_000, 2_000, 3_000


def salt_bytes(number: int) -> bytes:
    return sha256(b"salt %d" % number).digest()[:16]


def salt(number: int) -> str:
    return urlsafe_b64encode(salt_bytes(number)).rstrip(b"=").decode()


def digest(number: int) -> bytes:
    return bytes([number]) * 32


def accept(store: RecordStore, number: int, record_id: bytes = RECORD, created: int = BEFORE) -> None:
    """An application with one content, its document, and a certificate that discloses it."""
    cid, name = f"cid-{number}", f"{number}"
    document = {"salt": salt(number + 100), "name": "document", "value": {"cid": cid}}
    fields = [document, {"salt": salt(number), "name": "holder", "value": SECRET.decode()}]
    payload = {
        "records": [{"recordId": f"0x{record_id.hex()}", "digest": f"0x{digest(number).hex()}"}],
        "reasons": [{"salt": salt(number + 200), "name": "reason", "value": SECRET.decode()}],
    }
    application = Application(name, REGISTER, "issue", payload, "submitted", created, bytes(32), SECRET.decode())
    wraps = {"office": SECRET + b"office", "court": SECRET + b"court"}
    stored = StoredDocument(cid, digest(number + 100), 5, "application/pdf", wraps)
    content = StoredContent(digest(number), record_id, fields)
    store.add_application(application, [content], [stored], f"key-{number}", digest(9))
    file = canonical_json({"content": fields})
    store.save_certificates([StoredCertificate(REGISTER, record_id, number, digest(number), file)])
    store.add_to_index({digest(number): [digest(77)]})


def tombstone(erased: bytes = RECORD, **changed: object) -> Tombstone:
    made = Tombstone(digest(50), REGISTER, erased, "requested", TIME, digest(51))
    return replace(made, **changed)  # type: ignore[arg-type]


def hold(since: int = 10) -> Hold:
    return Hold(REGISTER, RECORD, since, SIGNER, b"placed")


def ordered(sequence: int, time: int, action: int = 2) -> RecordedEntry:
    entry = BatchEntry(ZERO32, sequence, time, action, 1, ZERO32, ZERO32, ZERO32, 1, 1, ZERO32)
    return RecordedEntry(
        digest(50), layout_of(BatchEntry), entry.encode(), (SIGNER,), 7 + sequence, 0, digest(100 + sequence)
    )


def test_an_erasure_takes_all_of_a_record_and_leaves_digests_and_neighbours(store: RecordStore) -> None:
    accept(store, 1)
    accept(store, 2, OTHER)
    accept(store, 3, created=AFTER)
    made = store.erase(tombstone())
    assert (made.documents, made.applications, made.purged) == (("cid-1",), ("1",), False)
    assert [bool(content.fields) for content in store.contents_of(REGISTER, RECORD)] == [False, True]
    assert [store.content(digest(number)) is None for number in (1, 2, 3)] == [True, False, False]
    with pytest.raises(NotFound):
        store.document("cid-1")
    assert store.certificate(REGISTER, RECORD, digest(1)) is None
    assert store.certificate(REGISTER, RECORD, digest(3)) and store.certificate(REGISTER, OTHER)
    assert [content.digest for content in store.contents_about([digest(77)])] == [digest(2), digest(3)]
    left = store.application("1")
    assert "reasons" not in left.payload and left.reason == "" and left.payload["records"]
    assert "reasons" in store.application("2").payload and "reasons" in store.application("3").payload
    with pytest.raises(IdempotencyMismatch):
        store.accepted_before("key-1", digest(9))
    found = store.application_of_content(digest(1))
    assert found is not None and found.id == "1"


def test_one_content_is_erased_by_its_digest(store: RecordStore) -> None:
    accept(store, 1)
    accept(store, 2)
    assert store.erase(tombstone(digest(2))).documents == ("cid-2",)
    assert store.content(digest(1)) is not None and store.content(digest(2)) is None
    assert store.certificate(REGISTER, RECORD) == store.certificate(REGISTER, RECORD, digest(1)) != None  # noqa: E711
    assert store.erasure_of(digest(2)) == tombstone(digest(2), documents=("cid-2",), applications=("2",))
    assert store.erasure_of(digest(1)) is None and store.erasure_of(digest(99)) is None


def test_the_newest_tombstone_answers_and_what_is_left_to_do_is_known(store: RecordStore) -> None:
    accept(store, 1)
    made = store.erase(tombstone())
    assert store.unfinished_erasures() == [made] == [store.erasure_of(digest(1))]
    store.note_erasure(replace(made, purged=True))
    assert [left.purged for left in store.unfinished_erasures()] == [True]
    store.note_erasure(replace(made, purged=True, documents=()))
    assert [left.applications for left in store.unfinished_erasures()] == [("1",)]
    store.note_erasure(replace(made, purged=True, documents=(), applications=()))
    assert store.unfinished_erasures() == []
    later = store.erase(tombstone(time=AFTER))
    assert store.unfinished_erasures() == [later] == [store.erasure_of(digest(1))]


def test_what_was_ordered_and_not_carried_out_is_known_from_the_log(store: RecordStore) -> None:
    follow(store, 20, [ordered(1, TIME), ordered(2, AFTER), ordered(3, AFTER, action=4)], ERASURES)
    assert [item.entry["sequence"] for item in store.ordered_erasures(ERASURES)] == [1, 2]
    store.erase(tombstone())
    assert [item.entry["sequence"] for item in store.ordered_erasures(ERASURES)] == [2]
    store.erase(tombstone(time=AFTER))
    assert store.ordered_erasures(ERASURES) == []


@pytest.mark.parametrize("erased", [RECORD, digest(1)])
def test_a_hold_stops_an_erasure_until_it_is_lifted(store: RecordStore, erased: bytes) -> None:
    accept(store, 1)
    store.place_hold(hold())
    with pytest.raises(Refused, match="legal hold"):
        store.place_hold(hold(11))
    with pytest.raises(Refused, match="legal hold"):
        store.erase(tombstone(erased))
    assert store.content(digest(1)) is not None and store.unfinished_erasures() == []
    lifted = replace(hold(), until=20, lifted_by=SIGNER, lifted=b"lifted")
    store.lift_hold(lifted)
    with pytest.raises(Conflict):
        store.lift_hold(lifted)
    assert store.holds(REGISTER, [RECORD, OTHER]) == [lifted]
    store.erase(tombstone(erased))
    assert store.content(digest(1)) is None


def test_a_hold_is_kept_before_it_is_saved_and_not_saved_where_that_fails(store: RecordStore) -> None:
    lifted, kept = replace(hold(), until=20, lifted_by=SIGNER, lifted=b"lifted"), list[int]()

    def fails() -> None:
        raise StoreUnavailable("The disk is full.")

    with pytest.raises(StoreUnavailable):
        store.place_hold(hold(), fails)
    assert store.all_holds() == []
    store.place_hold(hold(), lambda: kept.append(1))
    with pytest.raises(Refused):
        store.place_hold(hold(11), lambda: kept.append(2))
    with pytest.raises(StoreUnavailable):
        store.lift_hold(lifted, fails)
    assert store.all_holds() == [hold()]
    store.lift_hold(lifted, lambda: kept.append(3))
    with pytest.raises(Conflict):
        store.lift_hold(lifted, lambda: kept.append(4))
    assert kept == [1, 3] and store.all_holds() == [lifted]


def test_a_hold_is_restored_brought_on_and_never_taken_back(store: RecordStore) -> None:
    lifted = replace(hold(), until=20, lifted_by=SIGNER, lifted=b"lifted")
    assert [store.restore_hold(it) for it in (hold(), hold(), lifted, lifted, hold())] == [1, 0, 1, 0, 0]
    assert store.all_holds() == [lifted]
    assert store.restore_hold(replace(lifted, since=5)) and store.restore_hold(hold(30))
    assert store.all_holds() == [replace(lifted, since=5), lifted, hold(30)]


def test_the_index_is_filled_found_by_all_and_forgotten(store: RecordStore) -> None:
    for number in (1, 2):
        accept(store, number)
    store.forget_index()
    assert {content.digest for content in store.contents_without_index()} == {digest(1), digest(2)}
    store.add_to_index({digest(1): [digest(70), digest(71)], digest(2): [digest(70)], digest(3): [digest(70)]})
    assert store.contents_without_index() == []
    assert [content.digest for content in store.contents_about([digest(70)])] == [digest(1), digest(2)]
    assert [content.digest for content in store.contents_about([digest(70), digest(71)])] == [digest(1)]
    store.erase(tombstone())
    store.add_to_index({digest(1): [digest(70)]})
    assert store.contents_about([digest(70)]) == [] == store.contents_without_index()


def test_the_dossier_of_what_was_erased_says_so_and_a_restored_one_too(store: RecordStore) -> None:
    accept(store, 1)
    store.erase(tombstone())
    dossier = store.dossier("1")
    assert [content.fields for content in dossier.contents] == [[]] and dossier.documents == dossier.certificates == ()
    other = replace(dossier.application, id="again")
    copy = replace(
        dossier, application=other, idempotency_key="again", contents=(replace(dossier.contents[0], digest=digest(8)),)
    )
    assert store.restore(copy, concluded=True)
    assert store.content(digest(8)) is None and store.contents_without_index() == []


def test_contents_are_listed_by_when_they_were_accepted(store: RecordStore) -> None:
    for number, created in ((1, BEFORE), (2, TIME), (3, AFTER)):
        accept(store, number, created=created)
    assert [content.digest for content in store.contents_until(TIME)] == [digest(1), digest(2)]
    store.erase(tombstone(digest(1)))
    assert [(content.digest, content.created) for content in store.contents_until(AFTER)] == [
        (digest(2), TIME),
        (digest(3), AFTER),
    ]


def test_documents_are_listed_and_wrapped_again_page_by_page(store: RecordStore) -> None:
    for number in (1, 2, 3):
        accept(store, number)
    pages = [[document.cid for document in store.documents(after, 2)] for after in ("", "cid-2", "cid-3")]
    assert pages == [["cid-1", "cid-2"], ["cid-3"], []]
    seen = store.document("cid-1")
    assert store.rewrap([(seen, {"office": b"new"})]) == 1
    assert store.rewrap([(seen, {"office": b"newer"})]) == 0
    assert store.document("cid-1").wraps == {"office": b"new"}


def test_no_file_of_the_database_has_what_was_erased(store: RecordStore, url: str, tmp_path: Path) -> None:
    accept(store, 1)
    accept(store, 2, OTHER)
    secrets = [SECRET, *(salt_bytes(number) for number in (1, 101, 201, 2))]
    folder = tmp_path
    if "postgresql" in url:
        with create_engine(url).connect() as connection:
            folder = Path(str(connection.execute(text("SHOW data_directory")).scalar()))
            connection.exec_driver_sql("COMMIT")
    store.compact()
    assert traces(folder, secrets, but="pg_wal") != []
    assert isinstance(store, SqlStore)
    for number, erased in ((1, RECORD), (2, OTHER)):
        store.erase(tombstone(erased, series=digest(60 + number)))
    store.compact()
    assert traces(folder, secrets, but="pg_wal") == []
    assert json.dumps(store.application("1").payload)
