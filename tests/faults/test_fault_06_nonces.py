"""FAULTS row 6: many threads that take nonces of one key at once get each nonce once, and leave none out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from threading import Barrier

from ledger.errors import Conflict
from ledger.ports import RecordStore
from ledger.transaction import Attempt
from tests.ports.test_record_store import RELAYER, approved, sign, signing

THREADS, NONCES = 8, 25


def test_fault_06_eight_threads_take_25_nonces_each_and_all_200_differ_without_a_gap(
    open_store: Callable[[], RecordStore],
) -> None:
    store, together = open_store(), Barrier(THREADS)
    names = [[f"{thread}-{number}" for number in range(NONCES)] for thread in range(THREADS)]
    for name in chain(*names):
        approved(store, name)

    def take(mine: list[str]) -> list[int]:
        own = open_store()
        together.wait()
        return [sign(own, name, 7).nonce for name in mine]

    with ThreadPoolExecutor(THREADS) as threads:
        taken = list(chain(*threads.map(take, names)))
    assert sorted(taken) == list(range(7, 7 + THREADS * NONCES))
    assert [t.nonce for t in store.transactions("signed", 1000)] == sorted(taken)


def test_fault_06_eight_threads_that_sign_one_application_spend_one_nonce(store: RecordStore) -> None:
    approved(store)
    together = Barrier(THREADS)

    def try_to_sign(_number: int) -> bool:
        together.wait()
        try:
            sign(store)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as threads:
        assert sum(threads.map(try_to_sign, range(THREADS))) == 1
    assert store.highest_nonce(RELAYER) == 0
    assert approved(store, "two") and sign(store, "two").nonce == 1


def test_fault_06_a_thread_that_fails_to_sign_leaves_no_gap_to_those_who_wait_for_it(store: RecordStore) -> None:
    names = [f"n{number}" for number in range(THREADS)]
    for name in names:
        approved(store, name)
    together = Barrier(THREADS)

    def take(number: int) -> list[int]:
        def raw(nonce: int) -> Attempt:
            if number % 2:
                raise Conflict("no key")
            return signing(names[number])(nonce)

        together.wait()
        try:
            return [store.add_transaction([names[number]], RELAYER, 0, raw).nonce]
        except Conflict:
            return []

    with ThreadPoolExecutor(THREADS) as threads:
        assert sorted(chain(*threads.map(take, range(THREADS)))) == list(range(THREADS // 2))
