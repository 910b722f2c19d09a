"""The transactions of every record store: nonces, attempts, and the applications that they carry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.errors import Conflict, Unavailable
from ledger.model import Receipt
from ledger.ports import RecordStore
from ledger.transaction import Attempt
from tests.ports.test_record_store import RELAYER, accept, approved, attempt, sign, signing, transaction

OTHER = "0x" + "11" * 20
BLOCK = Receipt(8, b"\x01" * 32, True)


def test_a_transaction_is_saved_together_with_the_state_or_not_at_all(store: RecordStore) -> None:
    accept(store)
    with pytest.raises(Conflict):
        sign(store)
    assert (store.transaction_of("one"), store.application("one").state) == (None, "submitted")
    approved(store, "two")
    assert sign(store, "two") == transaction("two")
    assert (store.transaction_of("two"), store.application("two").state) == (transaction("two"), "signed")


def test_a_signature_that_fails_leaves_neither_transaction_nor_gap(store: RecordStore) -> None:
    approved(store)

    def fail(nonce: int) -> Attempt:
        raise Unavailable(f"no key for {nonce}")

    with pytest.raises(Unavailable, match="no key for 5"):
        store.add_transaction(["one"], RELAYER, 5, fail)
    assert (store.application("one").state, store.transaction_of("one")) == ("approved", None)
    assert sign(store, "one", 5).nonce == 5


def test_the_next_nonce_is_the_lowest_that_neither_the_chain_nor_the_store_has_used(store: RecordStore) -> None:
    for name, at_least, nonce in (("one", 5, 5), ("two", 5, 6), ("three", 9, 9), ("four", 6, 7), ("five", 6, 8)):
        approved(store, name)
        assert sign(store, name, at_least).nonce == nonce
    approved(store, "six")
    assert sign(store, "six", 6).nonce == 10
    approved(store, "seven")
    assert store.add_transaction(["seven"], OTHER, 5, signing("seven")).nonce == 5
    assert (store.highest_nonce(RELAYER), store.highest_nonce(OTHER)) == (10, 5)


def test_a_transaction_carries_applications_in_their_order_and_all_change_with_it(store: RecordStore) -> None:
    names = ["m", "z", "a"]
    for name in names:
        approved(store, name)
    carried = store.add_transaction(["z", "m", "a"], RELAYER, 0, signing("bundle"))
    assert carried.applications == ("z", "m", "a")
    assert [store.transaction_of(name) for name in names] == [carried] * 3
    assert [store.application(name).state for name in names] == ["signed"] * 3
    store.update_transaction(carried, carried.sent(), "sent")
    assert [store.application(name).state for name in names] == ["sent"] * 3


def test_a_bundle_with_one_application_that_is_not_approved_is_not_signed(store: RecordStore) -> None:
    approved(store, "one")
    accept(store, "two")
    with pytest.raises(Conflict):
        store.add_transaction(["one", "two"], RELAYER, 0, signing("bundle"))
    assert (store.application("one").state, store.highest_nonce(RELAYER)) == ("approved", None)


def test_every_attempt_is_kept_and_one_in_a_block_replaces_the_others(store: RecordStore) -> None:
    approved(store)
    signed = sign(store)
    store.update_transaction(signed, signed.sent(), "sent")
    again = store.add_attempt(signed.sent(), attempt(b"more", 113, 3))
    assert [item.state for item in again.attempts] == ["sent", "signed"]
    assert store.transaction_of("one") == again and again.state == "sent"
    mined = again.mined(signed.hash, "included", BLOCK)
    store.update_transaction(again, mined, "included")
    kept = store.transaction_of("one")
    assert kept == mined and kept.hash == signed.hash and kept.block_number == 8
    assert [item.state for item in kept.attempts] == ["included", "replaced"]
    store.update_transaction(mined, mined.unmined("sent"), "sent")
    kept = store.transaction_of("one")
    assert kept and [(item.state, item.block_hash) for item in kept.attempts] == [("sent", None)] * 2
    assert [item.raw for item in kept.attempts] == [signed.newest.raw, b"more"]


def test_whoever_read_a_transaction_before_another_changed_it_changes_nothing(store: RecordStore) -> None:
    approved(store)
    signed = sign(store)
    store.update_transaction(signed, signed.sent(), "sent")
    with pytest.raises(Conflict):
        store.update_transaction(signed, signed.mined(signed.hash, "final", BLOCK), "final")
    with pytest.raises(Conflict):
        store.add_attempt(signed, attempt(b"more"))
    assert store.transaction_of("one") == signed.sent()
    assert store.application("one").state == "sent"


def test_transactions_come_by_state_and_sender_lowest_nonce_first(store: RecordStore) -> None:
    for name, nonce in (("one", 12), ("two", 3), ("three", 7)):
        approved(store, name)
        sign(store, name, nonce)
    approved(store, "four")
    other = store.add_transaction(["four"], OTHER, 1, signing("four"))
    assert [item.nonce for item in store.transactions("signed")] == [1, 3, 7, 12]
    assert [item.nonce for item in store.transactions("signed", 2)] == [1, 3]
    assert [item.nonce for item in store.open_transactions(RELAYER)] == [3, 7, 12]
    assert store.open_senders() == sorted([RELAYER, OTHER])
    store.update_transaction(other, other.mined(other.hash, "failed", replace(BLOCK, succeeded=False)), "approved")
    assert store.open_senders() == [RELAYER]
    assert [item.state for item in store.transactions("failed")] == ["failed"]


def test_how_often_an_application_was_in_a_transaction_that_failed_is_counted(store: RecordStore) -> None:
    for name in ("one", "two", "three"):
        approved(store, name)
    for names in (["one", "two"], ["two"]):
        carried = store.add_transaction(names, RELAYER, 0, signing("".join(names)))
        store.update_transaction(carried, carried.mined(carried.hash, "failed", BLOCK), "approved")
    assert store.reverted(["one", "two", "three"]) == {"one": 1, "two": 2}
    assert store.reverted([]) == {}
    newest = store.transaction_of("two")
    assert newest is not None and newest.nonce == 1
