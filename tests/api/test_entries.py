"""The log of a register over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import Applicant, Problem, Title
from wallet.keys import new_key
from wallet.signer import LocalSigner


def read(http: httpx.Client, **asked: Any) -> list[dict[str, Any]]:
    """All pages of the log of land titles, a few entries each."""
    page = http.get("/v1/land/entries", params={**asked, "limit": 2}).json()
    entries = page["entries"]
    while page["has_more"]:
        page = http.get(page["links"]["next"]).json()
        entries += page["entries"]
    assert page["links"] == {}
    return entries


def test_a_log_is_read_page_by_page_by_holder_approver_action_and_time(applicant: Applicant, title: Title) -> None:
    holder = LocalSigner(new_key())
    accepted = [applicant.certified(applicant.parts.request(holder), f"log-{number}") for number in range(3)]
    ids = [answer["recordIds"][0] for answer in accepted]
    http, registrars = applicant.http, [signer.address for signer in applicant.parts.registrars]
    of_holder = read(http, holder=holder.address.lower())
    assert [entry["recordId"] for entry in of_holder] == ids
    history = http.get(accepted[1]["links"]["record"] + "/history").json()["entries"]
    assert {**history[0], "recordId": ids[1]} == of_holder[1]
    time = of_holder[1]["entry"]["time"]
    assert [entry["recordId"] for entry in read(http, holder=holder.address, since=time)] == ids[1:]
    assert [entry["recordId"] for entry in read(http, holder=holder.address, until=time - 1)] == ids[:1]
    everything = read(http)
    assert everything == sorted(everything, key=lambda entry: entry["block"])
    by_registrar = [entry for entry in everything if registrars[0] in entry["approvers"]]
    assert by_registrar and read(http, approver=registrars[0]) == by_registrar
    issued = [entry for entry in everything if entry["action"] == "issue"]
    assert issued and read(http, action="issue") == issued
    assert read(http, approver=holder.address) == []


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "holder=0x12", "holder=", "approver=Siti", "action=steal", "since=-1", "until=x"],
)
def test_a_question_that_makes_no_sense_is_refused(http: httpx.Client, problem: Problem, query: str) -> None:
    problem(http.get(f"/v1/land/entries?{query}"), 400, "bad-input")


def test_a_register_that_is_not_there_is_not_found(http: httpx.Client, problem: Problem) -> None:
    problem(http.get("/v1/ships/entries"), 404, "not-found")
