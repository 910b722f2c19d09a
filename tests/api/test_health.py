"""Alive is not ready: /readyz reaches for the chain, the database and the worker, and names what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from ledger.adapters.evm_chain import EvmChain
from ledger.adapters.sql_store import SqlStore
from ledger.applications import Applications
from ledger.bootstrap import Office
from scripts.devnet import free_port
from tests.api.conftest import Applicant, Problem, serving
from tests.office import TestOffice


@pytest.fixture
def cut_off(parts: TestOffice) -> Iterator[Applicant]:
    """The office when its node does not answer."""
    office, chain = parts.office, EvmChain(f"http://127.0.0.1:{free_port()}")
    desk = office.applications
    applications = Applications(
        desk.trust, desk.store, desk.documents, chain, desk.clock, desk.readers, desk.secret, desk.dossiers
    )
    lonely = replace(office, chain=chain, applications=applications)
    with serving(create_app(lonely, worker=False)) as url, httpx.Client(base_url=url) as http:
        yield Applicant(http, parts)


def _with_other_genesis(office: Office) -> Office:
    return replace(office, trust=replace(office.trust, genesis=bytes(32)))


def test_a_whole_office_is_ready(http: httpx.Client) -> None:
    assert http.get("/healthz").json()["status"] == "alive"
    assert http.get("/readyz").json() == {
        "status": "ready",
        "parts": dict.fromkeys(("chain", "database", "worker"), "ok"),
    }


def test_an_office_without_its_node_is_alive_and_not_ready(cut_off: Applicant, problem: Problem) -> None:
    assert cut_off.http.get("/healthz").status_code == 200
    answer = cut_off.http.get("/readyz")
    parts = problem(answer, 503, "not-ready")["parts"]
    assert parts == {"chain": "chain-unreachable", "database": "ok", "worker": "ok"}
    assert int(answer.headers["retry-after"]) > 0


def test_a_title_applied_for_without_the_node_can_be_applied_for_again(cut_off: Applicant, problem: Problem) -> None:
    answer = cut_off.apply(cut_off.parts.request(), "no-node")
    problem(answer, 503, "chain-unreachable")
    assert int(answer.headers["retry-after"]) > 0


def test_another_chain_is_not_ready(parts: TestOffice, problem: Problem) -> None:
    app = create_app(_with_other_genesis(parts.office), worker=False)
    with serving(app) as url:
        assert problem(httpx.get(f"{url}/readyz"), 503, "not-ready")["parts"]["chain"] == "chain-mismatch"


def test_a_database_that_is_gone_is_named(parts: TestOffice, problem: Problem, tmp_path: Path) -> None:
    gone = SqlStore(f"sqlite:///{tmp_path / 'empty.db'}")
    with serving(create_app(replace(parts.office, store=gone), worker=False)) as url:
        assert problem(httpx.get(f"{url}/readyz"), 503, "not-ready")["parts"]["database"] == "store-unavailable"
    gone.close()
