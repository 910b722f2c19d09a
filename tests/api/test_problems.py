"""Every error of the tree has a status of its own choosing, and no answer or log line quotes personal data."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from structlog.testing import capture_logs

import api.app  # noqa: F401 - imports every module that could define an error
from api.app import create_app
from api.problems import of_error, status_of
from ledger import errors
from ledger.errors import KhalayakError
from tests.api.conftest import Problem, serving
from tests.office import TestOffice
from wallet.errors import BadSignature, KeystoreInvalid


def _descendants(kind: type[KhalayakError]) -> Iterator[type[KhalayakError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


@pytest.mark.parametrize("kind", sorted(set(_descendants(KhalayakError)), key=lambda kind: kind.__qualname__))
def test_every_error_has_a_status(kind: type[KhalayakError]) -> None:
    status = status_of(kind)
    assert status is not None
    assert 400 <= status < 600


def test_codes_are_unique() -> None:
    kinds = set(_descendants(KhalayakError))
    assert len({kind.code for kind in kinds}) == len(kinds)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.BadInput, 400),
        (BadSignature, 400),
        (errors.ContractReverted, 403),
        (errors.DocumentMissing, 404),
        (errors.AlreadyRecorded, 409),
        (errors.TooLarge, 413),
        (errors.IdempotencyMismatch, 422),
        (errors.ChainMismatch, 500),
        (KeystoreInvalid, 500),
        (errors.MalformedProof, 502),
        (errors.ChainUnreachable, 503),
    ],
)
def test_the_nearest_ancestor_decides(kind: type[KhalayakError], status: int) -> None:
    assert status_of(kind) == status


@pytest.mark.parametrize("kind", [errors.ConfigurationError, errors.ChainUnreachable, errors.StoreUnavailable])
def test_what_is_wrong_inside_the_office_is_logged_and_not_shown(kind: type[KhalayakError]) -> None:
    with capture_logs() as logs:
        answer = of_error(kind("/srv/office.db is gone."))
    assert b"office.db" not in bytes(answer.body)
    assert logs[0]["reason"] == "/srv/office.db is gone."


def test_unavailable_says_when_to_come_back() -> None:
    assert of_error(errors.ChainUnreachable("The node does not answer.")).headers["retry-after"] == "5"


def test_an_unforeseen_error_tells_nobody_what_it_held(
    parts: TestOffice, problem: Problem, capfd: pytest.CaptureFixture[str]
) -> None:
    app = create_app(parts.office, worker=False)

    @app.get("/broken")
    def broken() -> None:
        raise ValueError("Siti Rahasia Contoh")

    with serving(app) as url, httpx.Client(base_url=url) as http:
        answer = http.get("/broken")
    problem(answer, 500, "unexpected")
    output = "".join(capfd.readouterr())
    assert "Rahasia" not in answer.text + output
    assert "test_problems.py" in output
    assert answer.headers["x-content-type-options"] == "nosniff"
