"""Work on what a node says, in processes of their own with connections of their own: what takes a follower longest,
reading logs, is done on another core while this process writes rows."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Lock, Thread
from typing import Any, TypeVar

from ledger.adapters.failover_chain import open_chain
from ledger.ports import Chain

PROCESSES = 2  # while one waits for the node, the other works on its answer

T = TypeVar("T")

_chains: list[Chain] = []  # of a process that works: one


class ChainProcess:
    """The processes start with the first work, and end when this one does, however it does. `urls` and `options` are
    those of `open_chain`. Safe to share between threads."""

    def __init__(self, urls: str, **options: Any) -> None:
        self._node = (urls, options)
        self._pool: ProcessPoolExecutor | None = None
        self._lock = Lock()

    def submit(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        """What `work(chain, *arguments)` returns or raises, where `work` is a function of a module. The Future raises
        BrokenExecutor where a process has ended before its time; the next work starts others."""
        with self._lock:
            if self._pool:
                with suppress(BrokenExecutor):
                    return self._pool.submit(_work, work, *arguments)
            self._pool = ProcessPoolExecutor(PROCESSES, get_context("spawn"), _begin, self._node)
            return self._pool.submit(_work, work, *arguments)

    def close(self) -> None:
        with self._lock:
            if self._pool:
                self._pool.shutdown(cancel_futures=True)
                self._pool = None


def _begin(urls: str, options: dict[str, Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this process stops it
    parent = parent_process()
    assert parent
    Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    _chains.append(open_chain(urls, **options))


def _end_with(parent: int) -> None:
    wait([parent])
    os._exit(1)  # a pool's process holds both ends of its pipe, and would wait for ever for one that was killed


def _work(work: Callable[..., T], *arguments: Any) -> T:
    return work(_chains[0], *arguments)
