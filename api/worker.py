"""The background worker: publishes, follows and certifies, in a thread of its own beside the API."""

from __future__ import annotations

from threading import Event, Thread

import structlog

from api.problems import place_of
from ledger.bootstrap import Office
from ledger.errors import KhalayakError, Unavailable

STEP_SECONDS = 1.0
MAX_PAUSE_SECONDS = 30.0

log = structlog.get_logger()


class Worker:
    """Calls office.run_once every second. A failed step is tried again after a pause that doubles each time."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="khalayak-worker")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the step under way has ended."""
        self._stopping.set()
        self._thread.join()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        pause = STEP_SECONDS
        while not self._stopping.wait(pause):
            pause = STEP_SECONDS if self._step() else min(pause * 2, MAX_PAUSE_SECONDS)

    def _step(self) -> bool:
        try:
            self.office.run_once()
            return True
        except Unavailable as error:
            log.warning("worker waits", error=error.code, reason=error.message)
        except KhalayakError as error:
            log.error("worker step failed", error=error.code, reason=error.message)
        except Exception as error:
            # A worker that dies unseen would leave every application waiting for ever.
            log.error("worker step failed", error=type(error).__name__, place=place_of(error))
        return False
