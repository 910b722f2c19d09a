"""The worker does by itself what has to be done, survives what fails, and stops when it is told to."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from api.app import create_app
from api.metrics import Metrics
from api.worker import MAX_PAUSE_SECONDS, Turns, Worker
from ledger.adapters.directory_store import DirectoryStore
from ledger.adapters.kubo_store import KuboStore
from ledger.adapters.replicated_store import ReplicatedStore
from ledger.errors import ChainUnreachable, InvalidProof, LeaseTaken
from ledger.status import Status
from tests.api.conftest import Applicant, serving
from tests.office import TestOffice


@dataclass
class Clock:
    time: float = 0.0

    def __call__(self) -> float:
        return self.time


@dataclass
class Part:
    """A part of an office whose steps fail with the errors of `failures`, one after the other."""

    failures: list[Exception] = field(default_factory=list)
    steps: int = 0

    def __call__(self) -> None:
        self.steps += 1
        if self.failures:
            raise self.failures.pop(0)


class Parts(dict[str, Part]):
    """An office of these parts."""

    def run_once(self, turn: Turns) -> None:
        for name, part in self.items():
            turn(name, part)


AWAY = "The node does not answer."


def turns(clock: Clock) -> Turns:
    return Turns(Metrics(lambda: Status(0, [])), clock)


def test_the_worker_takes_an_approved_title_to_its_certificate(parts: TestOffice) -> None:
    app = create_app(parts.office)
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as http:
        applicant = Applicant(http, parts)
        links = applicant.apply(parts.request(), "by-the-worker").json()["links"]
        for registrar in parts.registrars[:2]:
            applicant.approve(links["status"], registrar)
        for _ in range(300):
            if http.get(links["status"]).json()["state"] == "certified":
                break
            sleep(0.1)
        assert http.get(links["certificate"]).status_code == 200
        assert http.get("/readyz").json()["parts"]["worker"] == "ok"
    assert not app.state.worker.alive


def test_a_document_node_that_hangs_holds_up_nothing_that_does_not_wait_for_it(
    parts: TestOffice, tmp_path: Path
) -> None:
    """Its time-out is an hour: were a step to wait for it, the title would not be certified while this test runs."""
    with socket.create_server(("127.0.0.1", 0)) as hanging:  # the kernel accepts, and nobody ever answers
        node = KuboStore(f"/ip4/127.0.0.1/tcp/{hanging.getsockname()[1]}", timeout=3600)
        documents = ReplicatedStore(DirectoryStore(tmp_path / "copies"), [node], 1, tmp_path / "copies.db")
        documents.put(b"for the node that hangs")
        app = create_app(replace(parts.office, documents=documents))
        with serving(app) as url, httpx.Client(base_url=url, timeout=60) as http:
            hanging.settimeout(60)
            asked, _ = hanging.accept()
            try:
                applicant = Applicant(http, parts)
                links = applicant.apply(parts.request(), "beside-a-node-that-hangs").json()["links"]
                for registrar in parts.registrars[:2]:
                    applicant.approve(links["status"], registrar)
                for _ in range(300):
                    if http.get(links["status"]).json()["state"] == "certified":
                        break
                    sleep(0.1)
                state, waiting = http.get(links["status"]).json()["state"], documents.waiting()
            finally:  # now, and only now, does its caller learn that there is no answer
                hanging.close()
                asked.close()
        assert (state, waiting) == ("certified", 1)
        assert not app.state.worker.alive
    documents.close()


@pytest.mark.parametrize(
    ("failure", "logged"),
    [
        (ChainUnreachable(AWAY), {"event": "part waits", "error": "chain-unreachable", "log_level": "warning"}),
        (LeaseTaken("other has it"), {"event": "part waits", "error": "lease-taken", "log_level": "info"}),
        (InvalidProof("A log is left out."), {"event": "part failed", "error": "invalid-proof", "log_level": "error"}),
        (ValueError("Siti Rahasia Contoh"), {"event": "part failed", "error": "ValueError", "log_level": "error"}),
    ],
)
def test_a_failure_is_told_once_until_the_part_goes_on(failure: Exception, logged: dict[str, Any]) -> None:
    clock, part = Clock(), Part([failure] * 5)
    turn = turns(clock)
    with capture_logs() as logs:
        for _ in range(6):
            turn.round(Parts(follower=part).run_once)
            clock.time += MAX_PAUSE_SECONDS
    assert part.steps == 6
    assert [log["event"] for log in logs] == [logged["event"], "part goes on"]
    assert logged.items() <= logs[0].items()
    assert "Rahasia" not in str(logs)


def test_a_part_that_fails_is_tried_again_after_a_pause_that_doubles() -> None:
    clock, part = Clock(), Part([ChainUnreachable(AWAY)] * 100)
    turn, tried = turns(clock), []
    with capture_logs():
        for clock.time in range(100):
            before = part.steps
            turn.round(Parts(publisher=part).run_once)
            tried += [clock.time] if part.steps > before else []
    assert tried == [0, 1, 3, 7, 15, 31, 61, 91]


def test_a_part_that_fails_keeps_no_other_part() -> None:
    clock, away, fine = Clock(), Part([ChainUnreachable(AWAY)] * 100), Part()
    turn = turns(clock)
    with capture_logs():
        for clock.time in range(20):
            turn.round(Parts(publisher=away, documents=fine).run_once)
    assert (away.steps, fine.steps) == (5, 20)
    assert turn.failing() == {"publisher": "chain-unreachable"}


def test_whoever_stands_by_looks_at_the_lease_every_time() -> None:
    part = Part([LeaseTaken("other.example has it.")] * 5)
    turn = turns(Clock())
    with capture_logs():
        for _ in range(5):
            turn.round(Parts(publisher=part).run_once)
    assert (part.steps, turn.failing()) == (5, {})


def test_a_part_that_goes_on_fails_afresh_the_next_time() -> None:
    clock, part = Clock(), Part([ChainUnreachable(AWAY), ChainUnreachable(AWAY)])
    turn = turns(clock)
    with capture_logs() as logs:
        for pause in (30, 30, 0, 1, 0):
            turn.round(Parts(publisher=part).run_once)
            part.failures += [ChainUnreachable(AWAY)] if pause == 0 and part.steps == 3 else []
            clock.time += pause
    assert [log["event"] for log in logs] == ["part waits", "part goes on", "part waits", "part goes on"]
    assert part.steps == 5


def test_of_those_that_wait_for_the_same_one_a_round_asks_and_each_has_its_turn() -> None:
    clock, fine = Clock(), Part()
    away = {name: Part([ChainUnreachable(AWAY)] * 1000) for name in ("publisher", "follower", "certifier")}
    turn, asked = turns(clock), []
    with capture_logs():
        for clock.time in range(300):
            before = sum(part.steps for part in away.values())
            turn.round(Parts(**away, documents=fine).run_once)
            asked.append(sum(part.steps for part in away.values()) - before)
    assert (asked[0], max(asked[1:]), fine.steps) == (3, 1, 300)
    assert min(part.steps for part in away.values()) > 8


def test_when_it_is_back_all_that_waited_go_on_in_the_same_round() -> None:
    clock = Clock()
    parts = {name: Part([ChainUnreachable(AWAY)]) for name in ("publisher", "follower", "certifier")}
    turn = turns(clock)
    with capture_logs():
        turn.round(Parts(**parts).run_once)
        clock.time += 1
        turn.round(Parts(**parts).run_once)
    assert [part.steps for part in parts.values()] == [2, 2, 2]
    assert turn.failing() == {}


def test_a_worker_whose_folder_is_gone_lives_on(parts: TestOffice, tmp_path: Path) -> None:
    settings = parts.office.settings.model_copy(update={"data": tmp_path / "gone"})
    worker = Worker(replace(parts.office, settings=settings), Metrics(lambda: Status(0, [])))
    with capture_logs() as logs:
        worker.start()
        for _ in range(500):
            if worker.failing() or not worker.alive:
                break
            sleep(0.01)
        assert worker.failing() == {"office": "FileNotFoundError"}
        assert worker.alive
        worker.stop()
    assert not worker.alive
    assert [(log["event"], log["log_level"]) for log in logs] == [("part failed", "error")]
