"""Bad input gets a clear problem that repeats none of it, and nothing is half-done."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from ledger.applications import APPROVAL_SECONDS
from ledger.registers.forms import RecordRequest
from tests.api.conftest import Applicant, Problem, Title
from wallet.keys import new_key
from wallet.signer import LocalSigner

SECRET = "Siti Rahasia Contoh"


def _with_field(name: str, value: Any) -> Callable[[RecordRequest], RecordRequest]:
    return lambda request: replace(request, fields={**request.fields, name: value})


def _without_field(name: str) -> Callable[[RecordRequest], RecordRequest]:
    return lambda request: replace(request, fields={k: v for k, v in request.fields.items() if k != name})


BAD_TITLES: dict[str, tuple[Callable[[RecordRequest], RecordRequest], int, str, str]] = {
    "missing field": (_without_field("area"), 400, "bad-input", "/records/0/fields/area"),
    "unknown field": (_with_field("owner", SECRET), 400, "bad-input", "/records/0/fields"),
    "number for a string": (_with_field("area", 412.5), 400, "bad-input", "/records/0/fields/area"),
    "control character": (_with_field("holder", f"{SECRET}\n"), 400, "bad-input", "/records/0/fields/holder"),
    "parcel number in words": (_with_field("nib", SECRET), 400, "bad-input", "/records/0/fields/nib"),
    "no address": (lambda r: replace(r, holder=SECRET), 400, "bad-input", "/records/0/holder"),
    "wrong checksum": (
        lambda r: replace(r, holder="0x" + r.holder[2:].swapcase()),
        400,
        "bad-input",
        "/records/0/holder",
    ),
    "empty document": (lambda r: replace(r, document=b""), 400, "bad-input", "/records/0/document"),
    "no PDF": (lambda r: replace(r, document=SECRET.encode()), 400, "bad-input", "/records/0/document"),
    "cut PDF": (lambda r: replace(r, document=r.document[:-2000]), 400, "bad-input", "/records/0/document"),
    "document of 25.5 MB": (lambda r: replace(r, document=bytes(25_500_000)), 413, "too-large", "/records/0/document"),
    "document of 100 MB": (lambda r: replace(r, document=bytes(100_000_000)), 413, "too-large", ""),
}


@pytest.mark.parametrize("name", BAD_TITLES)
def test_a_bad_title_is_refused_and_nothing_is_kept(applicant: Applicant, problem: Problem, name: str) -> None:
    change, status, code, pointer = BAD_TITLES[name]
    good = applicant.parts.request()
    key = "refused-" + name.replace(" ", "-")
    answer = applicant.apply(change(good), key)
    body = problem(answer, status, code)
    assert body.get("pointer", "") == pointer
    assert SECRET not in answer.text
    # The key is still free: nothing was kept of the refused request.
    assert applicant.apply(good, key).status_code == 201


REQUEST = ("request.json", b'{"records": []}', "application/json")


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"[]",
        b'"text"',
        b'{"records": NaN}',
        b'{"a": "1", "a": "2"}',
        b'{"a": "\\ud800"}',
        b"[" * 100,
        b"\xff\xfe{}",
    ],
)
def test_a_request_that_is_no_json_object_is_refused(applicant: Applicant, problem: Problem, value: bytes) -> None:
    problem(applicant.send("land", "issue", value, "by-hand"), 400, "bad-input")


@pytest.mark.parametrize(
    "changed",
    [
        {"files": {}},
        {"files": {"request": (None, b"a part that is no file")}},
        {"files": {"documents": REQUEST}},
        {"headers": {}},
        {"headers": {"Idempotency-Key": "two words"}},
        {"headers": {"Idempotency-Key": "k" * 256}},
        {"headers": {"Idempotency-Key": "by-hand", "Content-Type": "multipart/form-data"}},
        {"headers": {"Idempotency-Key": "by-hand", "Content-Type": "application/json"}},
    ],
)
def test_a_request_without_one_of_its_parts_is_refused(
    http: httpx.Client, problem: Problem, changed: dict[str, Any]
) -> None:
    form = {"files": {"request": REQUEST}, "headers": {"Idempotency-Key": "by-hand"}}
    problem(http.post("/v1/land/issue", **{**form, **changed}), 400, "bad-input")


def test_a_parcel_gets_one_title_for_ever(applicant: Applicant, title: Title, problem: Problem) -> None:
    again = replace(title.request, holder=LocalSigner(new_key()).address)
    problem(applicant.apply(again, "second-title"), 409, "already-recorded")
    # The dots of a parcel number are for reading: without them it is the same parcel.
    undotted = {**title.request.fields, "nib": title.request.fields["nib"].replace(".", "")}
    problem(applicant.apply(replace(again, fields=undotted), "second-title"), 409, "already-recorded")


def test_of_two_waiting_titles_for_a_parcel_one_is_recorded(applicant: Applicant) -> None:
    request = applicant.parts.request()
    accepted = [applicant.apply(request, key).json() for key in ("waiting-one", "waiting-two")]
    for answer in accepted:
        for registrar in applicant.parts.registrars[:2]:
            applicant.approve(answer["links"]["status"], registrar)
    states = [applicant.parts.certify(answer["id"]) for answer in accepted]
    assert [application.state for application in states] == ["certified", "failed"]
    failed = applicant.http.get(accepted[1]["links"]["status"]).json()
    assert (failed["accepted"], failed["final"]) == (False, False)
    assert failed["reason"]


def test_a_stranger_cannot_approve(applicant: Applicant, problem: Problem) -> None:
    url = applicant.apply(applicant.parts.request(), "stranger").json()["links"]["status"]
    problem(applicant.approve(url, LocalSigner(new_key())), 403, "refused")
    problem(applicant.approve(url, applicant.parts.registrars[0], "holder"), 403, "refused")
    assert applicant.http.get(url).json()["approvals"] == []


def test_a_signature_by_somebody_else_is_refused(applicant: Applicant, problem: Problem) -> None:
    accepted = applicant.apply(applicant.parts.request(), "forged").json()
    first, second, _ = applicant.parts.registrars
    office = applicant.parts.office
    data = office.applications.typed_data(office.store.application(accepted["id"]))
    body = {"signer": first.address, "role": "registrar", "signature": "0x" + second.sign_typed(data).hex()}
    problem(applicant.http.post(accepted["links"]["approvals"], json=body), 403, "refused")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"", ""),
        (b"[]", ""),
        (b'{"signer": "0x", "role": "registrar", "signature": "0x00"}', "/signer"),
        (b'{"signer": "%s", "role": "king", "signature": "0x%s"}', "/role"),
        (b'{"signer": "%s", "role": ["registrar"], "signature": "0x%s"}', "/role"),
        (b'{"signer": "%s", "role": "registrar", "signature": 1}', "/signature"),
        (b'{"signer": "%s", "role": "registrar", "signature": "0x%s", "admin": true}', ""),
        (b'{"signer": "%s", "role": "registrar", "role": "registrar", "signature": "0x%s"}', ""),
    ],
)
def test_a_malformed_approval_is_refused(
    applicant: Applicant, title: Title, problem: Problem, body: bytes, pointer: str
) -> None:
    body = body.replace(b"%s", b"0x" + b"1a" * 20, 1).replace(b"%s", b"00" * 65)
    answer = applicant.http.post(title.accepted["links"]["approvals"], content=body)
    assert problem(answer, 400, "bad-input").get("pointer", "") == pointer


def test_a_signature_that_is_none_is_refused(applicant: Applicant, problem: Problem) -> None:
    links = applicant.apply(applicant.parts.request(), "no-signature").json()["links"]
    for signature in ("0x" + "00" * 65, "0x" + "ff" * 65):
        body = {"signer": applicant.parts.registrars[0].address, "role": "registrar", "signature": signature}
        problem(applicant.http.post(links["approvals"], json=body), 400, "bad-signature")


def test_a_certified_application_takes_no_approval(applicant: Applicant, title: Title, problem: Problem) -> None:
    answer = applicant.approve(title.accepted["links"]["status"], applicant.parts.registrars[2])
    problem(answer, 409, "conflict")


def test_nobody_approves_after_the_deadline(
    applicant: Applicant, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = applicant.apply(applicant.parts.request(), "too-late").json()["links"]["status"]

    class LaterClock:
        def now(self) -> int:
            return int(time.time()) + APPROVAL_SECONDS + 60

    monkeypatch.setattr(applicant.parts.office.applications, "clock", LaterClock())
    problem(applicant.approve(url, applicant.parts.registrars[0]), 403, "refused")


def test_what_was_never_recorded_cannot_be_transferred(applicant: Applicant, problem: Problem) -> None:
    answer = applicant.apply(applicant.parts.request(), "nothing-to-sell", LocalSigner(new_key()).address)
    problem(answer, 404, "not-found")


@pytest.mark.parametrize(
    ("kind", "action", "value", "pointer"),
    [
        ("land", "steal", {}, ""),
        ("land", "encumber", {}, "/subjects"),
        ("land", "encumber", {"subjects": [{"nib": "10.15.22.04.00001"}], "creditor": "0x" + "1a" * 20}, "/claim"),
        ("land", "freeze", {"subjects": [{"nib": SECRET}]}, "/subjects/0/fields/nib"),
        ("land", "freeze", {"subjects": [{"name": SECRET}]}, "/subjects/0/subject"),
        ("land", "freeze", {"subjects": [{"nib": "10.15.22.04.00001"}], "reason": SECRET}, "/details"),
        ("land", "freeze", {"subjects": [{"nib": "10.15.22.04.00001"}], "records": [{"fields": {}}]}, "/records"),
        ("land", "freeze", {"subjects": SECRET}, "/subjects"),
        ("transactions", "append", {"records": [{"fields": {}, "holder": "0x" + "1a" * 20}]}, "/records/0/holder"),
        ("transactions", "void", {"record": "0x12", "reason": "wrong"}, "/record"),
        ("transactions", "void", {"record": "0x" + "1a" * 32, "reason": ["wrong"]}, "/reason"),
    ],
)
def test_a_request_that_does_not_fit_the_form_of_its_action_is_refused(
    applicant: Applicant, problem: Problem, kind: str, action: str, value: dict[str, Any], pointer: str
) -> None:
    answer = applicant.send(kind, action, value, "does-not-fit")
    assert problem(answer, 400, "bad-input").get("pointer", "") == pointer
    assert SECRET not in answer.text


def test_an_office_has_only_the_registers_that_it_has(applicant: Applicant, problem: Problem) -> None:
    problem(applicant.send("ships", "issue", {}, "no-register"), 404, "not-found")


@pytest.mark.parametrize(
    "path", ["/v1/applications/" + "0" * 32, "/v1/applications/" + "0" * 32 + "/typed-data", "/v2"]
)
def test_what_is_not_there_is_not_found(http: httpx.Client, problem: Problem, path: str) -> None:
    problem(http.get(path), 404, "not-found")


def test_another_method_is_refused_with_those_allowed(http: httpx.Client, problem: Problem) -> None:
    answer = http.delete("/v1/land/issue")
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"


def test_no_problem_repeats_what_was_sent(http: httpx.Client, problem: Problem) -> None:
    answer = http.get(f"/v1/land/records/{SECRET}")
    problem(answer, 400, "bad-input")
    assert json.dumps(SECRET) not in answer.text
