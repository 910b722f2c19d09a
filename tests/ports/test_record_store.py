"""The behaviour of every record store. Another implementation joins by a name in the `url` fixture."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from ledger.adapters.sql_store import SqlStore
from ledger.encoding import ZERO32, canonical_json, keccak256
from ledger.entries import layout_of
from ledger.errors import BadInput, Conflict, IdempotencyMismatch, NotFound
from ledger.identity_entry import IdentityEntry
from ledger.model import (
    Application,
    Approval,
    Followed,
    RecordedEntry,
    StoredCertificate,
    StoredContent,
    StoredDocument,
)
from ledger.ports import RecordStore
from ledger.transaction import Attempt, Transaction

REGISTER = "eip155:31337:0x5FbDB2315678afecb367f032d93F642f64180aa3"
RELAYER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
RECORD = sha256(b"parcel").digest()
BODY = sha256(b"body").digest()


def digest_of(name: str) -> bytes:
    return sha256(name.encode()).digest()


def application(name: str = "one") -> Application:
    records = [{"recordId": f"0x{RECORD.hex()}", "digest": f"0x{item.digest.hex()}"} for item in contents(name)]
    payload = {"deadline": 1_800_000_000, "records": records}
    return Application(name, REGISTER, "issue", payload, "submitted", 1_790_000_000, digest_of("token"))


def contents(name: str = "one") -> list[StoredContent]:
    fields = [{"salt": "0x00", "name": "owner", "value": f"Siti {name}"}]
    return [StoredContent(digest_of(f"{name}/{number}"), RECORD, fields) for number in range(2)]


def documents(name: str = "one") -> list[StoredDocument]:
    wraps = {"office": b"\x00wrap", "court": b"\xff"}
    return [StoredDocument(f"{name}-{n}", digest_of("pdf"), 20_000, "application/pdf", wraps) for n in range(2)]


def accept(store: RecordStore, name: str = "one") -> Application:
    return store.add_application(application(name), contents(name), documents(name), f"key-{name}", BODY)


def approved(store: RecordStore, name: str = "one") -> Application:
    accept(store, name)
    store.move(name, "submitted", "approved")
    return store.application(name)


def attempt(raw: bytes, max_fee: int = 100, priority_fee: int = 2) -> Attempt:
    return Attempt(keccak256(raw), raw, max_fee, priority_fee, 1_790_000_001)


def signing(name: str) -> Callable[[int], Attempt]:
    return lambda nonce: attempt(f"raw {name} {nonce}".encode())


def transaction(name: str = "one", nonce: int = 0) -> Transaction:
    return Transaction(RELAYER, nonce, (name,), (signing(name)(nonce),))


def sign(store: RecordStore, name: str = "one", at_least: int = 0) -> Transaction:
    return store.add_transaction([name], RELAYER, at_least, signing(name))


LAYOUT = layout_of(IdentityEntry)


def recorded(sequence: int = 1, block: int = 7) -> RecordedEntry:
    entry = IdentityEntry(ZERO32, sequence, 1_790_000_000, 1, 1, digest_of("one/0"), ZERO32, RELAYER, 2**39)
    return RecordedEntry(RECORD, LAYOUT, entry.encode(), (RELAYER,), block, sequence, digest_of("tx"))


def follow(store: RecordStore, number: int, items: Iterable[RecordedEntry] = (), register: str = REGISTER) -> None:
    """Move the cursor of a register on to a block, with what it records."""
    store.add_entries(register, store.followed(register), Followed(number, digest_of(f"block {number}")), items, {})


def test_a_reopened_store_has_everything_that_was_accepted(open_store: Callable[[], RecordStore]) -> None:
    first = open_store()
    approved(first)
    first.add_approval("one", Approval(RELAYER, "registrar", b"\x01" * 65))
    sign(first)
    follow(first, 9, [recorded()])
    first.save_certificates(
        [StoredCertificate(REGISTER, RECORD, 1, b"head", canonical_json({"entries": [{}], "note": "—\n"}))]
    )
    again = open_store()
    assert again.application("one") == replace(application(), state="signed")
    assert again.approvals("one") == [Approval(RELAYER, "registrar", b"\x01" * 65)]
    assert [again.document(item.cid) for item in documents()] == documents()
    assert again.content(digest_of("one/1")) == contents()[1].fields
    assert again.application_of_content(digest_of("one/1")) == again.application("one")
    assert again.transaction_of("one") == transaction()
    assert (again.history(REGISTER, RECORD), again.cursor(REGISTER)) == ([recorded()], 9)
    assert again.followed(REGISTER) == Followed(9, digest_of("block 9"))
    assert again.certificate(REGISTER, RECORD) == {"entries": [{}], "note": "—\n"}


def test_what_was_never_added_is_not_found(store: RecordStore) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: store.application("one"),
        lambda: store.document("one-0"),
        lambda: store.add_approval("one", Approval(RELAYER, "registrar", b"")),
        lambda: store.update_transaction(transaction(), transaction().sent(), "sent"),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            call()
    assert store.content(BODY) is store.application_of_content(BODY) is store.transaction_of("one") is None
    assert store.highest_nonce(RELAYER) is store.cursor(REGISTER) is store.certificate(REGISTER, RECORD) is None
    assert store.history(REGISTER, RECORD) == store.approvals("one") == []


def test_ten_threads_with_one_key_get_the_one_application_that_was_accepted(store: RecordStore) -> None:
    together = Barrier(10)

    def submit(number: int) -> Application:
        name = f"try-{number}"
        together.wait()
        return store.add_application(application(name), contents(name), documents(name), "same key", BODY)

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(submit, range(10)))
    assert store.applications("submitted") == [answers[0]]
    assert answers == [answers[0]] * 10
    others = [f"try-{number}" for number in range(10) if f"try-{number}" != answers[0].id]
    assert all(store.content(digest_of(f"{name}/0")) is None for name in others)


def test_a_key_used_for_another_body_is_a_conflict_and_changes_nothing(store: RecordStore) -> None:
    accept(store)
    with pytest.raises(IdempotencyMismatch):
        store.add_application(application("two"), contents("two"), documents("two"), "key-one", digest_of("other body"))
    assert store.applications("submitted") == [application()]
    with pytest.raises(NotFound):
        store.document("two-0")


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_request_without_a_key_or_with_a_long_one_is_not_accepted(store: RecordStore, key: str) -> None:
    with pytest.raises(BadInput):
        store.add_application(application(), contents(), documents(), key, BODY)
    assert store.applications("submitted") == []


def test_an_id_that_is_taken_is_a_conflict_and_adds_nothing(store: RecordStore) -> None:
    accept(store)
    with pytest.raises(Conflict) as refusal:
        store.add_application(replace(application("two"), id="one"), contents("two"), documents("two"), "key-two", BODY)
    assert "Siti" not in str(refusal.value)
    assert store.content(digest_of("two/0")) is None


def test_applications_come_oldest_first_up_to_the_limit(store: RecordStore) -> None:
    names = ["m", "z", "a"]
    for name in names:
        accept(store, name)
    assert [item.id for item in store.applications("submitted")] == names
    assert [item.id for item in store.applications("submitted", 2)] == names[:2]
    assert store.application_ids("submitted") == names
    assert store.application_ids("submitted", 2) == names[:2]
    assert store.applications("approved") == store.application_ids("approved") == []


def test_moving_from_a_state_it_is_not_in_is_a_conflict(store: RecordStore) -> None:
    accept(store)
    store.move("one", "submitted", "refused", "no title")
    with pytest.raises(Conflict):
        store.move("one", "submitted", "approved")
    with pytest.raises(Conflict):
        store.move("nobody", "submitted", "approved")
    assert store.application("one") == application().moved("refused", "no title")


def test_of_ten_threads_that_move_an_application_one_succeeds(store: RecordStore) -> None:
    accept(store)
    together = Barrier(10)

    def move(_number: int) -> bool:
        together.wait()
        try:
            store.move("one", "submitted", "approved")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(10) as threads:
        assert sum(threads.map(move, range(10))) == 1


def test_an_approval_given_again_replaces_nothing_and_all_ascend_by_signer(store: RecordStore) -> None:
    accept(store)
    low, high = "0x" + "0a" * 20, "0x" + "B0" * 20
    for signer, role, mark in (
        (high, "registrar", 1),
        (low, "registrar", 2),
        (low, "registrar", 3),
        (low, "holder", 4),
    ):
        store.add_approval("one", Approval(signer, role, bytes([mark]) * 65))
    given = [(item.signer, item.role, item.signature[0]) for item in store.approvals("one")]
    assert given == [(low, "holder", 4), (low, "registrar", 2), (high, "registrar", 1)]


def test_the_newest_certificate_is_of_the_longest_history_and_the_last_made(store: RecordStore) -> None:
    for head, length, note in ((b"b", 2, "first"), (b"a", 1, "old"), (b"b", 2, "again")):
        kept = StoredCertificate(
            REGISTER, RECORD, length, head, canonical_json({"entries": [{}] * length, "note": note})
        )
        store.save_certificates([kept])
    assert store.certificate(REGISTER, RECORD) == {"entries": [{}, {}], "note": "again"}


def certificate(sequence: int, note: str) -> StoredCertificate:
    return StoredCertificate(REGISTER, RECORD, sequence, b"head %d" % sequence, canonical_json({"note": note}))


def test_certificates_are_saved_together_with_the_applications_that_they_certify(store: RecordStore) -> None:
    for name in ("one", "two"):
        accept(store, name)
        store.move(name, "submitted", "final")
    store.save_certificates([certificate(2, "newest"), certificate(1, "first"), certificate(2, "again")], ["one"])
    assert store.certificate(REGISTER, RECORD) == {"note": "again"}
    assert store.certificate(REGISTER, RECORD, b"head 1") == {"note": "first"}
    assert (store.application_ids("certified"), store.application_ids("final")) == (["one"], ["two"])
    with pytest.raises(Conflict):
        store.save_certificates([certificate(3, "too late")], ["two", "one"])
    assert store.certificate(REGISTER, RECORD, b"head 3") is None
    assert store.application_ids("final") == ["two"]
    store.save_certificates([])


def test_killed_while_accepting_it_keeps_whole_applications_and_all_it_acknowledged(
    url: str, open_store: Callable[[], RecordStore]
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.ports.test_record_store", url],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout
    acknowledged = [child.stdout.readline().decode().strip() for _ in range(30)]
    child.send_signal(signal.SIGKILL)
    acknowledged += child.stdout.read().decode().split()
    assert child.wait() == -signal.SIGKILL
    store = open_store()
    kept = store.applications("submitted", 100_000)
    assert [item.id for item in kept][: len(acknowledged)] == acknowledged
    for item in kept:
        assert item == application(item.id)
        assert [store.document(document.cid) for document in documents(item.id)] == documents(item.id)
        assert store.application_of_content(digest_of(f"{item.id}/1")) == item
    accept(store, "after the crash")


def accept_until_killed(url: str) -> None:
    store = SqlStore(url)
    for number in range(100_000):
        print(accept(store, f"n{number}").id, flush=True)


if __name__ == "__main__":
    accept_until_killed(sys.argv[1])
