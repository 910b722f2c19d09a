"""What the log of a register can be asked for, in every record store."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.encoding import ZERO32, checksum_address
from ledger.entries import layout_of
from ledger.identity_entry import IdentityEntry
from ledger.model import Place, RecordedEntry
from ledger.ports import RecordStore
from tests.ports.test_record_store import REGISTER, digest_of, follow

SITI, BUDI, REGISTRAR, COLLEAGUE = (checksum_address(bytes([n]) * 20) for n in range(10, 14))
ISSUE, TRANSFER = 1, 3


def entry(number: int, holder: str, action: int, *approvers: str, sequence: int = 1) -> RecordedEntry:
    """The entry of a block and time of its own, two a block."""
    block = 5 + number // 2
    record_id, sent = digest_of(f"record {number}"), digest_of(f"tx {number}")
    words = IdentityEntry(ZERO32, sequence, 1000 + 10 * (number // 2), action, 1, sent, ZERO32, holder, 0).encode()
    return RecordedEntry(record_id, layout_of(IdentityEntry), words, approvers, block, 3 + number % 2, sent)


LOG = [
    entry(0, SITI, ISSUE, REGISTRAR, COLLEAGUE),
    entry(1, BUDI, ISSUE, COLLEAGUE),
    entry(2, SITI, TRANSFER, REGISTRAR),
    entry(3, SITI, ISSUE, COLLEAGUE),
    entry(4, BUDI, TRANSFER, REGISTRAR, COLLEAGUE),
    entry(5, SITI, TRANSFER),
]


@pytest.fixture
def logged(store: RecordStore) -> RecordStore:
    follow(store, 9, LOG)
    follow(store, 9, [entry(0, SITI, ISSUE, REGISTRAR)], "another register")
    return store


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"holder": SITI}, [0, 2, 3, 5]),
        ({"holder": BUDI}, [1, 4]),
        ({"holder": REGISTRAR}, []),
        ({"approver": REGISTRAR}, [0, 2, 4]),
        ({"approver": SITI}, []),
        ({"action": TRANSFER}, [2, 4, 5]),
        ({"since": 1010}, [2, 3, 4, 5]),
        ({"since": 1011}, [4, 5]),
        ({"since": 1021}, []),
        ({"until": 1010}, [0, 1, 2, 3]),
        ({"until": 1009}, [0, 1]),
        ({"until": 999}, []),
        ({"since": 1005, "until": 1015}, [2, 3]),
        ({"holder": SITI, "approver": COLLEAGUE, "action": ISSUE, "since": 1000, "until": 1010}, [0, 3]),
        ({"after": Place(5, 4), "limit": 2}, [2, 3]),
        ({"after": Place(6, 0)}, [2, 3, 4, 5]),
        ({"after": Place(7, 4)}, []),
        ({"after": Place(5, 3), "approver": COLLEAGUE, "limit": 2}, [1, 3]),
    ],
)
def test_entries_meet_every_condition_in_the_order_of_the_log(
    logged: RecordStore, asked: dict[str, Any], numbers: list[int]
) -> None:
    assert logged.entries(REGISTER, **asked) == [LOG[number] for number in numbers]


@pytest.mark.parametrize("asked", [{}, {"holder": SITI}, {"approver": COLLEAGUE}])
def test_pages_leave_nothing_out_and_give_nothing_twice_while_entries_are_added(
    store: RecordStore, asked: dict[str, Any]
) -> None:
    read: list[RecordedEntry] = []
    for number, added in enumerate([*LOG, None, None]):
        if added:
            follow(store, number, [added])
        if number % 2:
            after = Place(read[-1].block_number, read[-1].log_index) if read else None
            read += store.entries(REGISTER, **asked, after=after, limit=2)
    assert read == store.entries(REGISTER, **asked)
    assert len(read) >= 4


@pytest.mark.parametrize("asked", [{"approver": COLLEAGUE}, {"approver": COLLEAGUE, "holder": SITI}, {"action": ISSUE}])
def test_pages_begin_and_end_inside_a_call_that_records_much(store: RecordStore, asked: dict[str, Any]) -> None:
    other = entry(0, SITI, ISSUE, REGISTRAR, COLLEAGUE)
    call = [entry(2, SITI, ISSUE, COLLEAGUE)._replace(record_id=digest_of(f"{n}"), log_index=n) for n in range(5)]
    later = entry(4, SITI, ISSUE, COLLEAGUE)
    follow(store, 9, [other, *call, later])
    read: list[RecordedEntry] = []
    while page := store.entries(
        REGISTER, **asked, after=Place(read[-1].block_number, read[-1].log_index) if read else None, limit=2
    ):
        read += page
    assert read == [other, *call, later]
