"""Requests that must not run twice at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from ledger.errors import StillRunning

WAIT_SECONDS = 5.0


class Running:
    """One request of an idempotency key at a time. Those that come in between wait for its answer: they are the same
    request again, and must not do its work a second time."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._keys: set[str] = set()

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Raises StillRunning when the one before has not ended after WAIT_SECONDS."""
        with self._changed:
            if not self._changed.wait_for(lambda: key not in self._keys, WAIT_SECONDS):
                raise StillRunning("A request with this idempotency key is still running.", "Send it again later.")
            self._keys.add(key)
        try:
            yield
        finally:
            with self._changed:
                self._keys.discard(key)
                self._changed.notify_all()
