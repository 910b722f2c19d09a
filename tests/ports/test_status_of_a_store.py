"""What every record store says of the work that waits in it."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from ledger.model import Lease, Nonces, Receipt, Waiting
from ledger.ports import RecordStore
from tests.ports.test_record_store import RELAYER, accept, application, approved, sign

CREATED = application().created
BLOCK = Receipt(1, b"b" * 32, True)


def test_an_empty_store_has_nothing_waiting(store: RecordStore) -> None:
    assert store.waiting() == {}
    assert store.nonces(RELAYER) == Nonces()
    assert store.leases() == []


def test_applications_are_counted_by_state_and_the_certified_and_refused_do_not_wait(store: RecordStore) -> None:
    for name in ("one", "two", "three", "four", "five"):
        accept(store, name)
    store.move("three", "submitted", "failed", "the contract reverts")
    store.move("four", "submitted", "refused")
    store.move("five", "submitted", "certified")
    waiting = store.waiting()
    assert {state: item.number for state, item in waiting.items()} == {"submitted": 2, "failed": 1}
    assert waiting["submitted"] == Waiting(2, CREATED)


def test_an_application_waits_since_its_state_changed_and_not_since_it_was_looked_at(
    url: str, store: RecordStore
) -> None:
    approved(store)
    assert store.waiting()["approved"].since > CREATED
    signed = sign(store)
    with create_engine(url).begin() as connection:
        connection.execute(text("UPDATE applications SET changed = 1000"))
    store.update_transaction(signed, signed, "signed", "looked at again")
    assert store.waiting() == {"signed": Waiting(1, 1000)}
    store.update_transaction(signed, signed.sent(), "sent")
    assert store.waiting()["sent"].since > CREATED


def test_the_nonces_of_a_sender_are_told_with_the_lowest_that_no_block_holds(store: RecordStore) -> None:
    for name in ("one", "two", "three", "four"):
        approved(store, name)
    made = [sign(store, name, at_least=5) for name in ("one", "two", "three", "four")]
    store.update_transaction(made[0], made[0].mined(made[0].hash, "included", BLOCK), "included")
    store.update_transaction(made[2], made[2].sent(), "sent")
    found = store.nonces(RELAYER)
    assert found == Nonces(2, 1, 1, 8, 6, store.waiting()["signed"].since)
    assert store.nonces("0x" + "11" * 20) == Nonces()


def test_leases_are_told_also_those_that_have_run_out(store: RecordStore) -> None:
    store.lease("publisher", "one.example", 3600)
    store.lease("follower", "two.example", 0)
    gone, held = store.leases()
    assert gone[:2] == ("follower", "two.example") and -60 < gone.seconds <= 0
    assert held[:2] == ("publisher", "one.example") and 3540 < held.seconds <= 3600
    assert isinstance(held, Lease)


def test_the_schema_of_the_database_is_that_of_the_program(store: RecordStore) -> None:
    found, expected = store.schema()
    assert found == expected >= "0008"
