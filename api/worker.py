"""The background worker: publishes, follows and certifies, in a thread of its own beside the API; and brings documents
to their nodes in another, so that a node that hangs holds up no application that does not wait for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread

import structlog

from api.metrics import Metrics
from api.problems import place_of
from ledger.bootstrap import Office, Step, Turn
from ledger.errors import KhalayakError, LeaseTaken, Unavailable

STEP_SECONDS = 1.0
MAX_PAUSE_SECONDS = 30.0

log = structlog.get_logger()


@dataclass
class Pace:
    """When a part is due again, and the code of what keeps it, empty while it goes on."""

    due: float = 0.0
    pause: float = 0.0
    error: str = ""


class Turns:
    """Gives each part of the office its turn. One that fails is told once, and tried again after a pause that doubles
    each time, while the others go on. Of those that wait for the same thing, as for the node, one a round finds out
    whether it is back, so that a round waits for one time-out and not for one of each. `clock` is in seconds."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._clock = clock
        self._paces: dict[str, Pace] = {}
        self._met: set[str] = set()

    def round(self, run: Callable[[Turn], None], name: str = "office") -> None:
        self._met.clear()
        # What arises outside of the parts, as a folder that is gone, keeps them all.
        self(name, lambda: run(self))

    def __call__(self, part: str, step: Step) -> None:
        pace = self._paces.setdefault(part, Pace())
        if self._clock() < pace.due or pace.error in self._met:
            return
        with self._metrics.steps.labels(part).time():
            error = self._tried(part, step, pace.error)
        if error in ("", LeaseTaken.code):
            pace.pause = 0.0  # whoever stands by goes on at once when the lease is let go
        else:
            pace.pause = min(max(2 * pace.pause, STEP_SECONDS), MAX_PAUSE_SECONDS)
            self._metrics.failures.labels(part, error).inc()
            self._met.add(error)
        pace.due = self._clock() + pace.pause
        if pace.error and not error:
            log.info("part goes on", part=part, after=pace.error)
        pace.error = error

    def failing(self) -> dict[str, str]:
        """The code of what keeps a part, for each that is kept."""
        return {part: pace.error for part, pace in list(self._paces.items()) if pace.error not in ("", LeaseTaken.code)}

    def _tried(self, part: str, step: Step, before: str) -> str:
        """The code of what the step raised, empty for nothing. It is told unless it is the same as before."""
        try:
            step()
        except KhalayakError as error:
            if error.code != before:
                tell = {LeaseTaken: log.info, Unavailable: log.warning}
                told = next((tell[kind] for kind in tell if isinstance(error, kind)), None)
                if told:
                    told("part waits", part=part, error=error.code, reason=error.message)
                else:
                    log.error("part failed", part=part, error=error.code, reason=error.message)
            return error.code
        except Exception as error:
            # A worker that dies unseen would leave every application waiting for ever.
            if type(error).__name__ != before:
                log.error("part failed", part=part, error=type(error).__name__, place=place_of(error))
            return type(error).__name__
        return ""


class Worker:
    """Runs the steps of an office every second, until it is stopped."""

    def __init__(self, office: Office, metrics: Metrics) -> None:
        self.office = office
        self._issuing, self._bringing = Turns(metrics), Turns(metrics)
        self._stopping = Event()
        self._threads = (
            Thread(target=self._issue, name="khalayak-worker"),
            Thread(target=self._bring, name="khalayak-documents"),
        )

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when the steps under way have ended and the leases are let go. A step that waits for a document node
        ends at that node's time-out at the latest."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    @property
    def alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    def failing(self) -> dict[str, str]:
        """The code of what keeps a part, for each that is kept."""
        return self._issuing.failing() | self._bringing.failing()

    def _issue(self) -> None:
        while not self._stopping.wait(STEP_SECONDS):
            self._issuing.round(self.office.issue_once)
        self.office.let_go()

    def _bring(self) -> None:
        while not self._stopping.wait(STEP_SECONDS):
            self._bringing.round(self.office.bring_once, "bringing")
