"""What any record store remembers for all registers: revealed commitments, and who brought which record."""

from __future__ import annotations

from ledger.ports import RecordStore
from tests.ports.test_record_store import REGISTER, RELAYER, accept, application


def test_what_was_revealed_of_a_commitment_is_kept_once_for_each_register(store: RecordStore) -> None:
    store.add_entries(REGISTER, 7, [], {b"c" * 32: [{"rank": 1}]})
    store.add_entries(REGISTER, 8, [], {b"c" * 32: ["another"], b"d" * 32: []})
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
