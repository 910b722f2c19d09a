"""FAULTS row 45: the relayer's keystore is missing or does not open. The office verifies, serves and follows, publishes
nothing and says so; with its keystore it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from shutil import copy2, copytree

import httpx
import pytest

from api.app import create_app
from ledger.applications import CLOSED
from ledger.bootstrap import Office, open_office
from scripts.cli import EXIT_CODES
from tests.api.conftest import Applicant, Problem, serving
from tests.office import TestOffice, record_of, running_office
from wallet.errors import WalletError


def missing(keystore: Path) -> None:
    keystore.unlink()


def damaged(keystore: Path) -> None:
    keystore.write_bytes(keystore.read_bytes()[:200])


def readable_by_others(keystore: Path) -> None:
    keystore.chmod(0o644)


@dataclass(frozen=True)
class Case:
    """`closed` is a copy of an office with a title that is certified and an application that is approved; its keystore
    was spoilt since."""

    parts: TestOffice
    certified: bytes
    approved: str
    closed: Office


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("closed")) as parts:
        yield parts


@pytest.fixture(params=[missing, damaged, readable_by_others])
def case(parts: TestOffice, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    spoil: Callable[[Path], None] = request.param
    certified = parts.approve(parts.issue(parts.request()))
    parts.certify(certified.id)
    approved = parts.approve(parts.issue(parts.request()))
    parts.office.let_go()
    copytree(parts.office.settings.data, tmp_path / "office")
    settings = parts.office.settings.model_copy(update={"data": tmp_path / "office"})
    spoil(settings.relayer_keystore)
    office = open_office(settings)
    yield Case(parts, record_of(certified), approved.id, office)
    office.close()


def test_fault_45_an_office_without_its_key_answers_and_follows_and_publishes_nothing(
    case: Case, problem: Problem
) -> None:
    closed = case.closed
    name = str(closed.trust.register_of_kind("land").name)
    before = closed.store.cursor(name)
    case.parts.certify(case.parts.approve(case.parts.issue(case.parts.request())).id)
    for _ in range(3):
        closed.run_once()
    after = closed.store.cursor(name)
    assert before is not None and after is not None and after > before
    assert closed.store.application(case.approved).state == "approved"

    with serving(create_app(closed, worker=False)) as url, httpx.Client(base_url=url, timeout=60) as http:
        guest = Applicant(http, case.parts)
        ready = http.get("/readyz").json()
        assert (ready["status"], ready["parts"]["publisher"]) == ("degraded", "verify-only")
        refusal = problem(guest.apply(case.parts.request(), "closed"), 503, "unavailable")
        assert refusal["detail"] == CLOSED
        assert http.get(f"/v1/applications/{case.approved}").json()["reason"] == CLOSED
        record = f"/v1/land/records/0x{case.certified.hex()}"
        assert http.get(record).status_code == 200
        files = {"certificate": ("certificate.json", http.get(f"{record}/certificate").content)}
        assert http.post("/v1/verify", files=files).json()["valid"] is True


def test_fault_45_the_status_says_why_and_with_its_key_the_office_goes_on(case: Case) -> None:
    closed, settings = case.closed, case.closed.settings
    publisher = next(part for part in closed.health.status().parts if part.name == "publisher")
    assert [item.name for item in publisher.obstacles] == ["verify-only"]
    assert "relayer.json" in publisher.obstacles[0].reason
    assert isinstance(closed.closed, WalletError)
    assert next(code for kind, code in EXIT_CODES if isinstance(closed.closed, kind)) == 4

    settings.relayer_keystore.unlink(missing_ok=True)
    copy2(case.parts.office.settings.relayer_keystore, settings.relayer_keystore)
    with closing(open_office(settings)) as restored:
        again = TestOffice(restored, case.parts.registrars, case.parts.judges, case.parts.numbers)
        assert again.certify(case.approved).state == "certified"
