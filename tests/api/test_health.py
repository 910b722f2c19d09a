"""Alive is not ready: /readyz says which part is not, and whether requests can be answered all the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from api.app import create_app
from api.watch import Watch
from ledger.adapters.evm_chain import EvmChain
from ledger.adapters.sql_store import SqlStore
from ledger.applications import Applications
from ledger.bootstrap import Office, check_chain
from scripts.devnet import free_port
from tests.api.conftest import Applicant, Problem, serving
from tests.office import TestOffice

PARTS = ("database", "queue", "chain", "publisher", "documents", "worker")
WHOLE = dict.fromkeys(PARTS, "ok")


def without_node(office: Office) -> Office:
    chain, desk = EvmChain(f"http://127.0.0.1:{free_port()}"), office.applications
    applications = Applications(
        desk.trust, desk.store, desk.documents, chain, desk.clock, desk.readers, desk.secret, desk.dossiers
    )
    health = replace(office.health, chain=chain, check=partial(check_chain, chain, office.trust))
    return replace(office, chain=chain, applications=applications, health=health)


@pytest.fixture
def cut_off(parts: TestOffice) -> Iterator[Applicant]:
    """The office when its node does not answer."""
    lonely = without_node(parts.office)
    with serving(create_app(lonely, worker=False)) as url, httpx.Client(base_url=url) as http:
        yield Applicant(http, parts)


def test_a_whole_office_is_ready(parts: TestOffice) -> None:
    parts.office.run_once()
    with serving(create_app(parts.office, worker=False)) as url:
        assert httpx.get(f"{url}/healthz").json()["status"] == "alive"
        assert httpx.get(f"{url}/readyz").json() == {"status": "ready", "parts": WHOLE}


def test_an_office_without_its_node_answers_and_is_degraded(cut_off: Applicant) -> None:
    assert cut_off.http.get("/healthz").status_code == 200
    answer = cut_off.http.get("/readyz")
    away = {"chain": "node-unreachable", "publisher": "node-unreachable"}
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded", "parts": {**WHOLE, **away}})


def test_a_title_applied_for_without_the_node_can_be_applied_for_again(cut_off: Applicant, problem: Problem) -> None:
    answer = cut_off.apply(cut_off.parts.request(), "no-node")
    problem(answer, 503, "chain-unreachable")
    assert int(answer.headers["retry-after"]) > 0


def test_another_chain_is_not_ready(parts: TestOffice, problem: Problem) -> None:
    office = parts.office
    trust = replace(office.trust, genesis=bytes(32))
    other = replace(office, health=replace(office.health, check=partial(check_chain, office.chain, trust)))
    with serving(create_app(other, worker=False)) as url:
        answer = httpx.get(f"{url}/readyz")
    assert problem(answer, 503, "not-ready")["parts"]["chain"] == "chain-mismatch"
    assert int(answer.headers["retry-after"]) > 0


def test_a_database_that_is_gone_is_named(parts: TestOffice, problem: Problem, tmp_path: Path) -> None:
    gone = SqlStore(f"sqlite:///{tmp_path / 'empty.db'}")
    office = replace(parts.office, store=gone, health=replace(parts.office.health, store=gone))
    with serving(create_app(office, worker=False)) as url:
        found = problem(httpx.get(f"{url}/readyz"), 503, "not-ready")["parts"]
    assert (found["database"], found["chain"]) == ("database-unreachable", "ok")
    gone.close()


def test_a_worker_that_has_ended_is_not_ready(parts: TestOffice, problem: Problem) -> None:
    app = create_app(parts.office)
    with serving(app) as url:
        app.state.worker.stop()
        assert problem(httpx.get(f"{url}/readyz"), 503, "not-ready")["parts"]["worker"] == "stopped"


def test_an_obstacle_raises_its_alarm_once_when_it_is_seen_twice_and_is_told_gone(parts: TestOffice) -> None:
    parts.office.run_once()
    watch = Watch(without_node(parts.office))
    with capture_logs() as first:
        watch.look()
    with capture_logs() as logs:
        for _ in range(3):
            watch.look()
        watch.office = parts.office
        watch.look()
    assert first == []
    alarms = [log for log in logs if log["log_level"] == "error"]
    assert sorted((log["event"], log["part"]) for log in alarms) == [
        ("node-unreachable", "chain"),
        ("node-unreachable", "publisher"),
    ]
    assert sorted(log["part"] for log in logs if log["event"] == "obstacle gone") == ["chain", "publisher"]
