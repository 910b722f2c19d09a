from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from time import sleep
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from ledger.registers.forms import RecordRequest
from scripts.cli_witness import listening
from tests.office import TestOffice, running_office
from wallet.signer import LocalSigner
from wallet.typed_data import TypedData


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The app on a real socket of 127.0.0.1. Yields its base URL."""
    door = listening("127.0.0.1:0")
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = Thread(target=server.run, args=([door],))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            sleep(0.01)
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        door.close()


@dataclass(frozen=True)
class Applicant:
    """Somebody who uses the API of an office over HTTP, and the registrars who do."""

    http: httpx.Client
    parts: TestOffice

    def apply(self, request: RecordRequest, key: str, recipient: str = "") -> httpx.Response:
        """A first registration, or a transfer to `recipient`, of the title of a request."""
        record = {"fields": dict(request.fields)} | ({} if recipient else {"holder": request.holder})
        value = {"records": [record]} | ({"recipient": recipient} if recipient else {})
        return self.send("land", "transfer" if recipient else "issue", value, key, request.document)

    def send(self, kind: str, action: str, value: Any, key: str, *documents: bytes) -> httpx.Response:
        """`value` is the JSON of the request, or its bytes."""
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        files = [("request", ("request.json", text, "application/json"))]
        files += [("documents", ("deed.pdf", document, "application/pdf")) for document in documents]
        return self.http.post(f"/v1/{kind}/{action}", files=files, headers={"Idempotency-Key": key})

    def approve(self, url: str, signer: LocalSigner, role: str = "registrar") -> httpx.Response:
        signature = signer.sign_typed(TypedData.from_dict(self.http.get(f"{url}/typed-data").json()))
        body = {"signer": signer.address, "role": role, "signature": "0x" + signature.hex()}
        return self.http.post(f"{url}/approvals", json=body)

    def certified(
        self, request: RecordRequest, key: str, *parties: tuple[str, LocalSigner], recipient: str = ""
    ) -> Any:
        """Go the whole way of a title, or of the transfer of one; the answer to the application."""
        accepted = self.apply(request, key, recipient).json()
        for role, signer in [*parties, *(("registrar", registrar) for registrar in self.parts.registrars[:2])]:
            assert self.approve(accepted["links"]["status"], signer, role).status_code == 200
        assert self.parts.certify(accepted["id"]).state == "certified"
        return accepted


@pytest.fixture(scope="package")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("api")) as running:
        running.office.run_once()
        yield running


@pytest.fixture(scope="package")
def base_url(parts: TestOffice) -> Iterator[str]:
    with serving(create_app(parts.office, worker=False)) as url:
        yield url


@pytest.fixture(scope="package")
def applicant(parts: TestOffice, base_url: str) -> Iterator[Applicant]:
    with httpx.Client(base_url=base_url, timeout=60) as http:
        yield Applicant(http, parts)


@pytest.fixture(scope="package")
def http(applicant: Applicant) -> httpx.Client:
    return applicant.http


@dataclass(frozen=True)
class Title:
    """A certified title: what was asked for and what the API answered."""

    request: RecordRequest
    accepted: dict[str, Any]

    @property
    def url(self) -> str:
        return str(self.accepted["links"]["record"])


@pytest.fixture(scope="package")
def title(applicant: Applicant) -> Title:
    request = applicant.parts.request()
    return Title(request, applicant.certified(request, "title-of-the-session"))


Problem = Callable[[httpx.Response, int, str], dict[str, Any]]


@pytest.fixture(scope="package")
def problem() -> Problem:
    """Checks that an answer is the RFC 9457 problem of a status and code, and gives its members."""

    def check(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        body: dict[str, Any] = answer.json()
        assert (body["type"], body["status"]) == (f"urn:khalayak:problem:{code}", status)
        assert body["title"]
        return body

    return check
