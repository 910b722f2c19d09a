"""POST /v1/verify answers with the verdict of the verifier, and keeps nothing."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from ledger.trust import TrustRoot
from ledger.verifier import verify
from tests.api.conftest import Applicant, Problem, Title
from tests.builders import World, as_bytes


def _verify(http: httpx.Client, certificate: bytes, document: bytes | None = None) -> dict[str, Any]:
    files = {"certificate": ("c.json", certificate)} | ({"document": ("d.pdf", document)} if document else {})
    answer = http.post("/v1/verify", files=files)
    assert answer.status_code == 200, answer.text
    verdict: dict[str, Any] = answer.json()
    return verdict


def _failed(verdict: dict[str, Any]) -> list[int]:
    return [check["number"] for check in verdict["checks"] if check["outcome"] == "failed"]


@pytest.fixture
def full(http: httpx.Client, title: Title) -> bytes:
    token = {"Authorization": f"Bearer {title.accepted['accessToken']}"}
    return http.get(f"{title.url}/certificate", headers=token).content


def test_the_verdict_is_the_verifiers_own(applicant: Applicant, title: Title, full: bytes) -> None:
    office = applicant.parts.office
    verdict = _verify(applicant.http, full, title.request.document)
    expected = verify(full, office.trust, document=title.request.document).as_json()
    assert verdict == expected | {"trustRoot": office.trust.name}
    assert verdict["valid"] is True


def test_a_changed_certificate_is_invalid(http: httpx.Client, title: Title, full: bytes) -> None:
    changed = full.replace(title.request.fields["holder"].encode(), b"Raden Palsu Contoh")
    verdict = _verify(http, changed)
    assert (verdict["valid"], _failed(verdict)) == (False, [8])


def test_another_document_is_invalid(http: httpx.Client, full: bytes) -> None:
    assert _failed(_verify(http, full, b"%PDF-1.7\nanother deed\n%%EOF\n")) == [11]


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[" * 100_000, b'{"format": "khalayak-certificate@1"}'])
def test_garbage_gets_a_verdict_too(http: httpx.Client, data: bytes) -> None:
    verdict = _verify(http, data)
    assert (verdict["valid"], _failed(verdict)) == (False, [1])


def test_a_certificate_of_another_chain_has_no_issuer(http: httpx.Client) -> None:
    verdict = _verify(http, as_bytes(World().certificate()))
    assert (_failed(verdict), verdict["axes"]["issuer"]["state"]) == ([2], "invalid")


def test_a_file_over_the_verifiers_limit_gets_a_verdict(http: httpx.Client) -> None:
    assert _failed(_verify(http, b"[" + b"1," * (3 << 20) + b"1]")) == [1]


def test_a_proof_of_absence_is_verified(http: httpx.Client) -> None:
    absence = http.get("/v1/land/absence", params={"nib": "10.15.22.04.88888"}).content
    verdict = _verify(http, absence)
    assert (verdict["subject"], verdict["valid"]) == ("absence", True)


def test_nothing_to_verify_is_a_bad_request(http: httpx.Client, problem: Problem) -> None:
    assert problem(http.post("/v1/verify"), 400, "bad-input")["pointer"] == "/certificate"


def test_the_trust_root_is_the_offices(applicant: Applicant) -> None:
    answer = applicant.http.get("/v1/trust")
    assert TrustRoot.parse(answer.content) == applicant.parts.office.trust
    assert json.loads(answer.content)["format"] == "khalayak-trust@1"
