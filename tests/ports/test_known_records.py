"""What any record store remembers for all registers: revealed commitments, and who brought which record."""

from __future__ import annotations

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


def test_accepted_contents_are_those_of_living_applications_of_others(store: RecordStore) -> None:
    for name in ("own", "other", "dead", "failed"):
        accept(store, name)
    store.move("dead", "submitted", "refused")
    store.move("failed", "submitted", "failed")
    found = [(record_id, fields[0]["value"]) for record_id, fields in store.accepted(REGISTER, "key-own")]
    assert found == [(RECORD, "Siti other")] * 2
    assert len(list(store.accepted(REGISTER, "key_o"))) == 4  # no wildcard
    assert list(store.accepted("another", "key-own")) == []


def test_contents_and_histories_of_many_records_are_found_at_once(store: RecordStore) -> None:
    accept(store)
    follow(store, 9, [recorded(1), recorded(2)])
    wanted = [item.digest for item in contents()] + [n.to_bytes(32, "big") for n in range(1_000)]
    assert store.contents(wanted) == {item.digest: item.fields for item in contents()}
    assert store.contents([]) == {}
    assert store.histories(REGISTER, [*wanted, RECORD]) == {RECORD: store.history(REGISTER, RECORD)}
    assert store.histories("another", [RECORD]) == store.histories(REGISTER, []) == {}


def test_recorded_records_are_told_once_and_those_of_ones_own_not(store: RecordStore) -> None:
    follow(store, 9, [recorded(1), recorded(2)])
    assert list(store.recorded(REGISTER, "key-own")) == [RECORD]
    accept(store, "own")
    assert list(store.recorded(REGISTER, "key-own")) == []
    assert list(store.recorded(REGISTER, "key-other")) == [RECORD]
    assert list(store.recorded("another", "key-other")) == []
