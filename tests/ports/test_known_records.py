"""What any record store remembers for all registers: revealed commitments, and who brought which record."""

from __future__ import annotations

from dataclasses import replace

from ledger.encoding import ZERO32
from ledger.model import Followed
from ledger.ports import RecordStore
from tests.ports.test_record_store import (
    RECORD,
    REGISTER,
    RELAYER,
    accept,
    application,
    contents,
    follow,
    recorded,
)


def test_what_was_revealed_of_a_commitment_is_kept_once_for_each_register(store: RecordStore) -> None:
    first, second = Followed(7, ZERO32), Followed(8, ZERO32)
    store.add_entries(REGISTER, None, first, [], {b"c" * 32: [{"rank": 1}]})
    store.add_entries(REGISTER, first, second, [], {b"c" * 32: ["another"], b"d" * 32: []})
    found = [store.revealed(REGISTER, commitment * 32) for commitment in (b"c", b"d", b"e")]
    assert found == [[{"rank": 1}], [], None]
    assert store.revealed("eip155:1:" + RELAYER, b"c" * 32) is None


def test_the_first_application_of_a_record_that_was_not_refused_is_found(store: RecordStore) -> None:
    record_id = bytes.fromhex(application().payload["records"][1]["recordId"][2:])
    for name in ("one", "two", "three"):
        accept(store, name)
    assert store.first_application_of(REGISTER, record_id) == application("one")
    store.move("one", "submitted", "failed", "reverted")
    assert store.first_application_of(REGISTER, record_id) == application("two")
    assert store.first_application_of(REGISTER, bytes(32)) is None


def accept_in(store: RecordStore, name: str, **payload: object) -> None:
    made = application(name)
    made = replace(made, payload={**made.payload, **payload})
    store.add_application(made, contents(name), [], f"key-{name}", bytes(32))


def test_accepted_contents_are_those_of_living_applications_of_others_in_these_series(store: RecordStore) -> None:
    series, elsewhere = f"0x{RECORD.hex()}", f"0x{bytes(32).hex()}"
    for name in ("own", "other", "dead", "failed"):
        accept_in(store, name, series=series)
    accept_in(store, "correction", place={"series": series})
    accept_in(store, "elsewhere", series=elsewhere)
    accept_in(store, "corrected elsewhere", place={"series": elsewhere})
    accept(store, "of no series")
    store.move("dead", "submitted", "refused")
    store.move("failed", "submitted", "failed")
    found = [fields[0]["value"] for fields in store.accepted(REGISTER, [RECORD], "key-own")]
    assert sorted(found) == ["Siti correction"] * 2 + ["Siti other"] * 2
    assert len(list(store.accepted(REGISTER, [RECORD], "key_o"))) == 6  # no wildcard
    assert len(list(store.accepted(REGISTER, [RECORD, bytes(32)], "key-own"))) == 8
    assert list(store.accepted("another", [RECORD], "key-own")) == list(store.accepted(REGISTER, [], "key-own")) == []


def test_contents_and_histories_of_many_records_are_found_at_once(store: RecordStore) -> None:
    accept(store)
    follow(store, 9, [recorded(1), recorded(2)])
    wanted = [item.digest for item in contents()] + [n.to_bytes(32, "big") for n in range(1_000)]
    assert store.contents(wanted) == {item.digest: item.fields for item in contents()}
    assert store.contents([]) == {}
    assert store.histories(REGISTER, [*wanted, RECORD]) == {RECORD: store.history(REGISTER, RECORD)}
    assert store.histories("another", [RECORD]) == store.histories(REGISTER, []) == {}


def test_records_are_taken_that_are_recorded_or_brought_by_others(store: RecordStore) -> None:
    asked = [*(number.to_bytes(32, "big") for number in range(1_000)), RECORD]
    assert store.taken(REGISTER, asked, "key-own") == set()
    accept(store, "other")
    assert store.taken(REGISTER, asked, "key-own") == store.taken(REGISTER, asked, "key_o") == {RECORD}  # no wildcard
    assert store.taken(REGISTER, asked, "key-other") == store.taken(REGISTER, asked[:-1], "key-own") == set()
    store.move("other", "submitted", "failed")
    assert store.taken(REGISTER, asked, "key-own") == set()
    follow(store, 9, [recorded(1), recorded(2)])
    assert store.taken(REGISTER, asked, "key-own") == {RECORD}
    accept(store, "own")
    assert store.taken(REGISTER, asked, "key-own") == set()
    assert store.taken(REGISTER, asked, "key-nobody") == {RECORD}
    assert store.taken("another", asked, "key-nobody") == store.taken(REGISTER, [], "key-nobody") == set()
