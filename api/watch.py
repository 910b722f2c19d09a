"""Looks at the office every few seconds, keeps what it saw and raises the alarms."""

from __future__ import annotations

import time
from threading import Event, Lock, Thread

import structlog

from api.problems import place_of
from ledger.bootstrap import Office
from ledger.status import Obstacle, Status

LOOK_SECONDS = 5.0
STALE_SECONDS = 15.0

log = structlog.get_logger()


class Watch:
    """An obstacle is told when two looks in a row have seen it, and again when it is gone."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self._looking = Lock()
        self._newest: tuple[float, Status] | None = None
        self._seen: dict[tuple[str, str], Obstacle] = {}
        self._told: set[tuple[str, str]] = set()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="khalayak-watch")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def newest(self) -> Status:
        """What was seen last; looks itself where that is too long ago. A visitor cannot make it look more often."""
        with self._looking:
            if self._newest is None or time.monotonic() - self._newest[0] > STALE_SECONDS:
                self._newest = (time.monotonic(), self.office.health.status())
            return self._newest[1]

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception as error:
                log.error("watch failed", error=type(error).__name__, place=place_of(error))

    def look(self) -> None:
        status = self.office.health.status()
        with self._looking:
            self._newest = (time.monotonic(), status)
        found = {(part.name, item.name): item for part in status.parts for item in part.obstacles}
        for key in (found.keys() & self._seen.keys()) - self._told:
            part, name = key
            log.error(name, part=part, reason=found[key].reason)
            self._told.add(key)
        for part, name in self._told - found.keys():
            log.info("obstacle gone", obstacle=name, part=part)
        self._told &= found.keys()
        self._seen = found
