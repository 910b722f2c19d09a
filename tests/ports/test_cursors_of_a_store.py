"""The cursor of a follower moves with what was recorded up to it, in every record store, and only from where it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from ledger.encoding import ZERO32
from ledger.errors import Conflict
from ledger.model import Followed
from ledger.ports import RecordStore
from tests.ports.test_record_store import RECORD, REGISTER, RELAYER, digest_of, follow, recorded


def test_of_two_followers_at_one_place_the_second_adds_nothing(store: RecordStore) -> None:
    follow(store, 7, [recorded(1), recorded(2)])
    block = Followed(9, digest_of("block 9"))
    for after in (None, Followed(6, None), Followed(8, None)):
        with pytest.raises(Conflict):
            store.add_entries(REGISTER, after, block, [recorded(3)], {RECORD: []})
    assert store.history(REGISTER, RECORD) == [recorded(1), recorded(2)]
    assert (store.cursor(REGISTER), store.revealed(REGISTER, RECORD)) == (7, None)
    assert store.history("eip155:1:" + RELAYER, RECORD) == []


def test_ten_threads_that_follow_one_register_add_its_entries_once(store: RecordStore) -> None:
    together = Barrier(10)

    def add(_number: int) -> bool:
        together.wait()
        try:
            store.add_entries(REGISTER, None, Followed(9, ZERO32), [recorded(1), recorded(2)], {})
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(10) as threads:
        assert sum(threads.map(add, range(10))) == 1
    assert store.history(REGISTER, RECORD) == [recorded(1), recorded(2)]


def test_an_entry_that_is_there_is_a_conflict_and_the_cursor_stays(store: RecordStore) -> None:
    follow(store, 7, [recorded(1), recorded(2)])
    for again in (recorded(1, block=8), recorded(1)):
        with pytest.raises(Conflict):
            follow(store, 9, [recorded(3), again])
    assert (store.history(REGISTER, RECORD), store.cursor(REGISTER)) == ([recorded(1), recorded(2)], 7)


def test_the_newest_entry_of_each_record_is_found(store: RecordStore) -> None:
    others = [recorded()._replace(record_id=digest_of(f"record {n}"), log_index=9 + n) for n in range(1200)]
    follow(store, 7, [recorded(1), recorded(2), *others])
    follow(store, 7, [recorded(3)], "another register")
    asked = [RECORD, digest_of("nothing"), *(item.record_id for item in others)]
    found = store.newest(REGISTER, asked)
    assert found == {RECORD: recorded(2).words, **{item.record_id: item.words for item in others}}
    assert store.newest("a third register", asked) == store.newest(REGISTER, []) == {}
