"""`make soak`: applications come in while the worker is killed with -9 again and again. None is lost, none doubled.

Prints what was accepted, recorded, doubled and lost; the exit code is 1 if any was doubled or lost. SOAK_SECONDS says
for how long, an hour if it does not; SOAK_SEED repeats the times of a run's kills.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from ledger.bootstrap import open_office
from ledger.errors import Unavailable
from ledger.settings import Settings
from scripts.deploy import deploy_devnet
from scripts.devnet import start_hardhat
from tests.office import TestOffice, open_test_office, record_of

HOUR = 3_600
TWICE = 8  # one parcel in so many is applied for twice: the second application must fail
BACKLOG = 500  # applications that may wait: more would only be worked off when the killing is over
DRAINING = 1_000  # steps for what is left when the killing is over; it needs a few
ENDED = ("certified", "failed")


def main(seconds: int, seed: int) -> int:
    """The exit code."""
    with TemporaryDirectory() as folder, start_hardhat() as url:
        settings = Settings(data=Path(folder) / "office", rpc_url=url)
        deploy_devnet(settings)
        accepted = settings.data / "accepted"
        # Children are forked from a process that has opened nothing: it need not start Python again for each.
        clerk = _fork(lambda: _accept(settings, accepted))
        kills = _kill_again_and_again(settings, time.monotonic() + seconds, random.Random(seed))
        os.kill(clerk, signal.SIGKILL)
        os.waitpid(clerk, 0)
        with open_test_office(settings) as office:
            return _judge(office, accepted.read_text().split(), kills, seed)


def _fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(1)
    return child


def _accept(settings: Settings, accepted: Path) -> None:
    """Apply and approve until killed; an application counts once its id is in the file."""
    with open_test_office(settings) as office, accepted.open("a", buffering=1) as file:
        while True:
            while sum(waiting.number for waiting in office.office.store.waiting().values()) > BACKLOG:
                time.sleep(0.2)
            request = office.request()
            for _ in range(2 if next(office.numbers) % TWICE == 0 else 1):
                application = office.issue(request)
                file.write(f"{application.id}\n")
                office.approve(application)


def _work(settings: Settings) -> None:
    """What `khalayak run` does, without an end."""
    office = open_office(settings)
    while True:
        try:
            office.run_once()
        except Unavailable:
            time.sleep(0.05)


def _kill_again_and_again(settings: Settings, end: float, chance: random.Random) -> int:
    kills = 0
    while time.monotonic() < end:
        worker = _fork(lambda: _work(settings))
        time.sleep(chance.uniform(0.2, 2.0))
        os.kill(worker, signal.SIGKILL)
        _, status = os.waitpid(worker, 0)
        assert os.WIFSIGNALED(status), "the worker ended by itself"
        kills += 1
    return kills


def _judge(office: TestOffice, accepted: list[str], kills: int, seed: int) -> int:
    store, trusted = office.office.store, office.trusted()
    applications = [store.application(name) for name in accepted]
    # The clerk may have been killed between the two approvals of his last one.
    for application in applications:
        if application.state == "submitted":
            office.approve(application)
    for _ in range(DRAINING):
        office.office.run_once()
        if store.waiting().keys() <= {"submitted"}:
            break
    logs = office.office.chain.logs(trusted.name.address, 0, office.office.chain.block("latest").number)
    times = {log.block_number: 0 for log in logs}
    entries = Counter(
        entry.record_id for entry in office.office.applications.register(applications[0]).decode(logs, times)
    )
    states = {application.id: store.application(application.id).state for application in applications}
    expected = {record_of(application) for application in applications}
    recorded = {record_of(application) for application in applications if states[application.id] == "certified"}
    doubled = sum(count - 1 for count in entries.values())
    lost = (
        len(expected - set(entries)) + sum(state not in ENDED for state in states.values()) + len(recorded ^ expected)
    )
    figures = {"accepted": len(accepted), "recorded": len(entries), "doubled": doubled, "lost": lost}
    print({**figures, "failed": Counter(states.values())["failed"], "kills": kills, "seed": seed}, flush=True)
    return 1 if doubled or lost or not recorded else 0


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    sys.exit(main(int(os.environ.get("SOAK_SECONDS", HOUR)), int(os.environ.get("SOAK_SEED", time.time()))))
