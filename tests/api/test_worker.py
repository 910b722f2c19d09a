"""The worker does by itself what has to be done, survives what fails, and stops when it is told to."""

from __future__ import annotations

from time import sleep
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from api.app import create_app
from api.worker import Worker
from ledger.bootstrap import Office
from ledger.errors import ChainUnreachable, InvalidProof
from tests.api.conftest import Applicant, serving
from tests.office import TestOffice


class Stumbling(Office):
    """An office whose steps fail with the errors of `failures`, one after the other."""

    failures: list[Exception]

    def run_once(self) -> None:
        if self.failures:
            raise self.failures.pop()
        super().run_once()


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


@pytest.mark.parametrize(
    ("failure", "logged"),
    [
        (ChainUnreachable("The node does not answer."), {"error": "chain-unreachable", "log_level": "warning"}),
        (InvalidProof("The node left out a log."), {"error": "invalid-proof", "log_level": "error"}),
        (ValueError("Siti Rahasia Contoh"), {"error": "ValueError", "log_level": "error"}),
    ],
)
def test_the_worker_survives_a_failed_step(parts: TestOffice, failure: Exception, logged: dict[str, Any]) -> None:
    office = Stumbling(**vars(parts.office))
    object.__setattr__(office, "failures", [failure])
    worker = Worker(office)
    with capture_logs() as logs:
        worker.start()
        for _ in range(500):
            if logs or not worker.alive:
                break
            sleep(0.01)
        assert worker.alive
        worker.stop()
    assert not worker.alive
    assert logged.items() <= logs[0].items()
    assert "Rahasia" not in str(logs)
