"""The whole way of a title over HTTP: apply, approve, certify, verify, transfer."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx

from ledger.registers import register_of_kind
from ledger.verifier import verify
from tests.api.conftest import Applicant, Problem, Title
from wallet.keys import new_key
from wallet.signer import LocalSigner


def _values(certificate: httpx.Response) -> dict[str, Any]:
    return {field["name"]: field["value"] for field in certificate.json()["content"]["fields"]}


def test_an_approved_title_is_certified_and_verifies_without_the_server(applicant: Applicant) -> None:
    request = applicant.parts.request()
    answer = applicant.apply(request, "whole-way")
    accepted = answer.json()
    assert answer.status_code == 201
    assert (accepted["state"], accepted["missing"]) == ("submitted", ["registrar", "registrar"])
    url = accepted["links"]["status"]
    first, second, _ = applicant.parts.registrars
    assert applicant.approve(url, first).json()["missing"] == ["registrar"]
    assert applicant.approve(url, second).json()["state"] == "approved"
    applicant.parts.certify(accepted["id"])
    status = applicant.http.get(url).json()
    assert (status["state"], status["accepted"], status["final"], status["missing"]) == ("certified", True, True, [])
    assert status["block"] > 0
    assert len(status["transaction"]) == 66
    certificate = applicant.http.get(accepted["links"]["certificate"])
    assert verify(certificate.content, applicant.parts.office.trust).valid


def test_an_accepted_application_is_not_final(applicant: Applicant) -> None:
    accepted = applicant.apply(applicant.parts.request(), "only-accepted").json()
    status = applicant.http.get(accepted["links"]["status"]).json()
    assert (status["accepted"], status["final"], status["transaction"]) == (True, False, None)


def test_a_status_names_nobody(applicant: Applicant, title: Title) -> None:
    text = applicant.http.get(title.accepted["links"]["status"]).text
    for name in ("holder", "holderBirth", "location"):
        assert title.request.fields[name] not in text
    assert title.accepted["accessToken"] not in text


def test_an_unchanged_status_is_not_sent_again(http: httpx.Client, title: Title) -> None:
    url = title.accepted["links"]["status"]
    tag = http.get(url).headers["etag"]
    again = http.get(url, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert http.get(url, headers={"If-None-Match": '"another"'}).status_code == 200


def test_the_public_certificate_withholds_the_person_and_verifies(applicant: Applicant, title: Title) -> None:
    answer = applicant.http.get(f"{title.url}/certificate")
    assert title.request.fields["holder"] not in answer.text
    assert set(_values(answer)) == register_of_kind("land").schema.mandatory
    assert verify(answer.content, applicant.parts.office.trust).valid
    assert answer.headers["content-disposition"] == 'attachment; filename="certificate.json"'


def test_the_access_token_opens_the_whole_certificate(applicant: Applicant, title: Title) -> None:
    headers = {"Authorization": f"Bearer {title.accepted['accessToken']}"}
    answer = applicant.http.get(f"{title.url}/certificate", headers=headers)
    assert _values(answer)["holder"] == title.request.fields["holder"]
    assert verify(answer.content, applicant.parts.office.trust, document=title.request.document).valid
    assert answer.headers["cache-control"] == "no-store"


def test_the_token_of_another_application_opens_nothing(applicant: Applicant, title: Title, problem: Problem) -> None:
    other = applicant.apply(applicant.parts.request(), "another-applicant").json()
    headers = {"Authorization": f"Bearer {other['accessToken']}"}
    problem(applicant.http.get(f"{title.url}/certificate", headers=headers), 403, "refused")


def test_only_bearer_tokens_are_taken(http: httpx.Client, title: Title, problem: Problem) -> None:
    answer = http.get(f"{title.url}/certificate", headers={"Authorization": "Basic YTpi"})
    problem(answer, 400, "bad-input")


def test_a_transfer_needs_holder_recipient_and_registrars(applicant: Applicant, problem: Problem) -> None:
    seller, buyer = LocalSigner(new_key()), LocalSigner(new_key())
    request = applicant.parts.request(seller)
    applicant.certified(request, "to-be-sold")
    fields = {**request.fields, "holder": "Sari Contoh Pembeli"}
    sold = replace(request, fields=fields)
    accepted = applicant.apply(sold, "sale", buyer.address).json()
    assert accepted["missing"] == ["holder", "recipient", "registrar", "registrar"]
    url = accepted["links"]["status"]
    for registrar in applicant.parts.registrars[:2]:
        assert applicant.approve(url, registrar).json()["state"] == "submitted"
    problem(applicant.approve(url, buyer, "holder"), 403, "refused")
    assert applicant.approve(url, seller, "holder").json()["missing"] == ["recipient"]
    assert applicant.approve(url, buyer, "recipient").json()["state"] == "approved"
    applicant.parts.certify(accepted["id"])
    newest = applicant.http.get(accepted["links"]["record"]).json()["newest"]
    assert (newest["action"], newest["status"], newest["entry"]["holder"]) == ("transfer", "active", buyer.address)
    token = {"Authorization": f"Bearer {accepted['accessToken']}"}
    certificate = applicant.http.get(accepted["links"]["certificate"], headers=token)
    assert _values(certificate)["holder"] == "Sari Contoh Pembeli"
    assert verify(certificate.content, applicant.parts.office.trust).valid


def test_the_sellers_token_does_not_open_the_buyers_content(applicant: Applicant, problem: Problem) -> None:
    seller, buyer = LocalSigner(new_key()), LocalSigner(new_key())
    request = applicant.parts.request(seller)
    first = applicant.certified(request, "private-title")
    applicant.certified(request, "private-sale", ("holder", seller), ("recipient", buyer), recipient=buyer.address)
    headers = {"Authorization": f"Bearer {first['accessToken']}"}
    problem(applicant.http.get(first["links"]["certificate"], headers=headers), 403, "refused")


def test_the_same_request_again_gives_the_same_answer(applicant: Applicant) -> None:
    request = applicant.parts.request()
    first = applicant.apply(request, "again")
    applicant.approve(first.json()["links"]["status"], applicant.parts.registrars[0])
    again = applicant.apply(request, "again")
    assert (again.status_code, again.content) == (201, first.content)


def test_the_same_request_gives_the_same_answer_after_it_was_recorded(applicant: Applicant, title: Title) -> None:
    again = applicant.apply(title.request, "title-of-the-session")
    assert (again.status_code, again.json()) == (201, title.accepted)


def test_an_approval_may_be_sent_twice(applicant: Applicant) -> None:
    url = applicant.apply(applicant.parts.request(), "approved-twice").json()["links"]["status"]
    registrar = applicant.parts.registrars[0]
    first = applicant.approve(url, registrar)
    assert applicant.approve(url, registrar).json() == first.json()
    assert len(first.json()["approvals"]) == 1


def test_one_approval_publishes_nothing(applicant: Applicant) -> None:
    accepted = applicant.apply(applicant.parts.request(), "one-approval").json()
    applicant.approve(accepted["links"]["status"], applicant.parts.registrars[0])
    applicant.parts.office.run_once()
    status = applicant.http.get(accepted["links"]["status"]).json()
    assert (status["state"], status["missing"], status["transaction"]) == ("submitted", ["registrar"], None)


def test_the_typed_data_is_that_of_the_application(applicant: Applicant, title: Title) -> None:
    data = applicant.http.get(title.accepted["typedData"]).json()
    assert data["domain"]["verifyingContract"] == applicant.parts.trusted().name.address
    assert data["message"]["titles"][0]["recordId"] == title.accepted["recordIds"][0]
    assert data["message"]["titles"][0]["holder"] == title.request.holder
    assert title.request.fields["holder"] not in json.dumps(data)
