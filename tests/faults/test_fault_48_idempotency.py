"""FAULTS row 48: one idempotency key, many requests. One record and the same answer; another body is refused; while the
first request still runs, the next waits for its answer, and is told so when that takes too long."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from api import running
from tests.api.conftest import Applicant, Problem
from tests.faults.test_fault_41_lock import somebody_writing

FIRST = "FIRST_COMPLETED"


def test_fault_48_ten_equal_requests_at_once_are_one_application_with_one_answer(house_guest: Applicant) -> None:
    request = house_guest.parts.request()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: house_guest.apply(request, "ten-at-once"), range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    stored = house_guest.parts.office.store.applications("submitted", 1000)
    record = answers[0].json()["recordIds"][0]
    assert [item.payload["records"][0]["recordId"] for item in stored].count(record) == 1
    assert house_guest.apply(request, "ten-at-once").content == answers[0].content


def test_fault_48_another_body_under_a_key_that_was_used_is_refused(house_guest: Applicant, problem: Problem) -> None:
    assert house_guest.apply(house_guest.parts.request(), "one-key").status_code == 201
    problem(house_guest.apply(house_guest.parts.request(), "one-key"), 422, "idempotency-mismatch")


def test_fault_48_a_request_whose_key_still_runs_is_told_to_come_again(
    applicant: Applicant, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "WAIT_SECONDS", 0.05)
    request = applicant.parts.request()
    with ThreadPoolExecutor(2) as pool:
        with somebody_writing(str(applicant.parts.office.store._engine.url)):
            both = [pool.submit(applicant.apply, request, "still-running") for _ in range(2)]
            told = wait(both, return_when=FIRST).done
            (first,) = told
        refused, accepted = first.result(), next(one for one in both if one is not first).result()
    problem(refused, 409, "still-running")
    assert int(refused.headers["retry-after"]) > 0
    assert accepted.status_code == 201
    assert applicant.apply(request, "still-running").content == accepted.content


def test_fault_48_a_key_is_free_again_when_its_request_has_failed(house_guest: Applicant, problem: Problem) -> None:
    request = house_guest.parts.request()
    bad = type(request)({**request.fields, "nib": "none"}, request.holder, request.document)
    problem(house_guest.apply(bad, "failed-first"), 400, "bad-input")
    assert house_guest.apply(request, "failed-first").status_code == 201
