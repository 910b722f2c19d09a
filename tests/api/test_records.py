"""What the register holds, as anybody may read it, and the proof that it holds nothing."""

from __future__ import annotations

import io
import itertools

import httpx
import pytest
from pypdf import PdfReader

from ledger.verifier import verify
from tests.api.conftest import Applicant, Problem, Title
from wallet.keys import new_key
from wallet.signer import LocalSigner

UNUSED = "10.15.22.04.99999"


def test_a_parcel_number_leads_to_its_record(http: httpx.Client, title: Title) -> None:
    answer = http.get("/v1/land/records", params={"nib": title.request.fields["nib"]})
    assert (answer.status_code, answer.headers["location"]) == (303, title.url)


def test_a_record_is_given_as_of_the_block_that_was_followed(applicant: Applicant, title: Title) -> None:
    record = applicant.http.get(title.url).json()
    office = applicant.parts.office
    assert record["asOfBlock"] == office.store.cursor(str(applicant.parts.trusted().name))
    assert record["register"] == str(applicant.parts.trusted().name)
    newest = record["newest"]
    assert (newest["action"], newest["status"], newest["entry"]["sequence"]) == ("issue", "active", 1)
    assert (
        newest["head"]
        == "0x" + office.state(applicant.parts.trusted()).head(bytes.fromhex(record["recordId"][2:])).hex()
    )
    assert len(newest["approvers"]) == 2


def test_a_record_id_may_be_written_in_any_case(http: httpx.Client, title: Title) -> None:
    upper = "/v1/land/records/0X" + title.accepted["recordIds"][0][2:].upper()
    assert http.get(upper).json() == http.get(title.url).json()


def test_a_history_is_paged_from_the_oldest(applicant: Applicant) -> None:
    holders = [LocalSigner(new_key()) for _ in range(3)]
    request = applicant.parts.request(holders[0])
    accepted = applicant.certified(request, "history-1")
    for number, (holder, recipient) in enumerate(itertools.pairwise(holders), 2):
        parties = (("holder", holder), ("recipient", recipient))
        applicant.certified(request, f"history-{number}", *parties, recipient=recipient.address)
    url = accepted["links"]["record"] + "/history"
    assert [e["action"] for e in applicant.http.get(url).json()["entries"]] == ["issue", "transfer", "transfer"]
    first = applicant.http.get(url, params={"limit": 2}).json()
    rest = applicant.http.get(first["links"]["next"]).json()
    assert (first["has_more"], rest["has_more"], "next" in rest["links"]) == (True, False, False)
    entries = [*first["entries"], *rest["entries"]]
    assert [entry["entry"]["holder"] for entry in entries] == [holder.address for holder in holders]
    assert [entry["entry"]["previous"] for entry in entries[1:]] == [entry["head"] for entry in entries[:-1]]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "after=-1", "limit=x"])
def test_a_page_outside_its_bounds_is_refused(http: httpx.Client, title: Title, problem: Problem, query: str) -> None:
    problem(http.get(f"{title.url}/history?{query}"), 400, "bad-input")


def test_never_recorded_is_told_apart_from_not_certified_yet(applicant: Applicant, problem: Problem) -> None:
    request = applicant.parts.request()
    accepted = applicant.apply(request, "not-yet").json()
    urls = [accepted["links"]["record"], accepted["links"]["record"] + "/history", accepted["links"]["certificate"]]
    for url in urls:
        body = problem(applicant.http.get(url), 404, "never-recorded")
        assert body["links"] == {"registers": "/v1/registers"}
    office = applicant.parts.office
    applicant.parts.approve(office.store.application(accepted["id"]))
    while not office.store.history(str(applicant.parts.trusted().name), bytes.fromhex(accepted["recordIds"][0][2:])):
        applicant.parts.publish_and_follow()
    problem(applicant.http.get(accepted["links"]["certificate"]), 404, "not-certified")


def test_an_outdated_certificate_is_not_given_out(applicant: Applicant, problem: Problem) -> None:
    seller, buyer = LocalSigner(new_key()), LocalSigner(new_key())
    request = applicant.parts.request(seller)
    accepted = applicant.certified(request, "outdated-1")
    certificate = accepted["links"]["certificate"]
    sale = applicant.apply(request, "outdated-2", buyer.address).json()
    office = applicant.parts.office
    application = office.store.application(sale["id"])
    applicant.parts.approve(application, ("holder", seller), ("recipient", buyer))
    assert applicant.http.get(certificate).status_code == 200
    while (
        len(office.store.history(str(applicant.parts.trusted().name), bytes.fromhex(accepted["recordIds"][0][2:]))) < 2
    ):
        applicant.parts.publish_and_follow()
    problem(applicant.http.get(certificate), 404, "not-certified")
    applicant.parts.certify(sale["id"])
    assert applicant.http.get(certificate).json()["entries"][-1]["holder"] == buyer.address


def test_absence_is_proved_by_a_file_that_verifies_alone(applicant: Applicant) -> None:
    answer = applicant.http.get("/v1/land/absence", params={"nib": UNUSED})
    assert answer.headers["content-disposition"] == 'attachment; filename="absence.json"'
    verdict = verify(answer.content, applicant.parts.office.trust)
    assert (verdict.valid, verdict.subject) == (True, "absence")


def test_there_is_no_proof_of_absence_for_a_title(http: httpx.Client, title: Title, problem: Problem) -> None:
    problem(http.get("/v1/land/absence", params={"nib": title.request.fields["nib"]}), 409, "conflict")


@pytest.mark.parametrize("path", ["/v1/land/absence", "/v1/land/records"])
@pytest.mark.parametrize("query", ["", "?nib=", "?nib=12", "?nib=1..2345", "?nib=" + "1" * 25, "?nib=%00"])
def test_a_parcel_number_has_its_form(http: httpx.Client, problem: Problem, path: str, query: str) -> None:
    problem(http.get(path + query), 400, "bad-input")


@pytest.mark.parametrize("record", ["0x12", "12" * 32, "0x" + "g" * 64, "0x" + "1" * 65])
def test_a_record_id_has_its_form(http: httpx.Client, problem: Problem, record: str) -> None:
    problem(http.get(f"/v1/land/records/{record}"), 400, "bad-input")


def test_the_pdf_carries_what_the_same_request_for_the_certificate_gets(
    http: httpx.Client, applicant: Applicant, title: Title
) -> None:
    token = {"Authorization": f"Bearer {title.accepted['accessToken']}"}
    for headers in ({}, token):
        answer = http.get(f"{title.url}/certificate.pdf", headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        (attached,) = PdfReader(io.BytesIO(answer.content)).attachments["certificate.json"]
        assert attached == http.get(f"{title.url}/certificate", headers=headers).content
        assert verify(answer.content, applicant.parts.office.trust).valid
        assert (title.request.fields["holder"] in PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()) is (
            headers == token
        )
        verdict = http.post("/v1/verify", files={"certificate": ("c.pdf", answer.content)}).json()
        assert verdict["valid"] is True
