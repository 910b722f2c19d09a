"""All registers over HTTP: what they ask for, and batches and identities from application to certificate."""

from __future__ import annotations

from typing import Any

import httpx

from ledger.registers import REGISTERS
from ledger.verifier import verify
from tests.api.conftest import Applicant, Problem
from tests.office import DEED
from wallet.keys import new_key
from wallet.signer import LocalSigner

SPENT = {"buyer": "id-http", "period": "2026-11", "date": "2026-11-03", "supplier": "PT Contoh", "currency": "IDR"}
PERSON = {"kind": "citizen", "validity": "2099-12-31", "name": "Siti Rahasia", "birthDate": "1979-03-14"}


def certified(applicant: Applicant, kind: str, action: str, value: Any, key: str, *documents: bytes) -> Any:
    answer = applicant.send(kind, action, value, key, *documents)
    assert answer.status_code == 201, answer.text
    accepted = answer.json()
    for registrar in applicant.parts.registrars[:2]:
        assert applicant.approve(accepted["links"]["status"], registrar).status_code == 200
    assert applicant.parts.certify(accepted["id"]).state == "certified"
    return accepted


def test_every_register_says_what_its_actions_ask_for(http: httpx.Client) -> None:
    listed = {register["kind"]: register for register in http.get("/v1/registers").json()}
    assert listed.keys() == REGISTERS.keys()
    for kind, register in listed.items():
        assert {action["name"] for action in register["actions"]} == set(REGISTERS[kind].forms)
        assert register["register"].startswith("eip155:31337:0x")
    encumber = next(action for action in listed["land"]["actions"] if action["name"] == "encumber")
    assert (encumber["subjects"], encumber["records"], encumber["details"]) == ([1, 1], [0, 0], ["claim", "creditor"])


def test_a_batch_is_appended_corrected_and_each_record_certified(applicant: Applicant, problem: Problem) -> None:
    records = [{"fields": {**SPENT, "id": f"{n}", "amount": f"{n}.00"}} for n in range(1, 4)]
    accepted = certified(applicant, "transactions", "appendLeaves", {"records": records}, "batch")
    assert len(accepted["recordIds"]) == 3
    url = f"/v1/transactions/records/{accepted['recordIds'][1]}"
    certificate = applicant.http.get(f"{url}/certificate")
    assert verify(certificate.content, applicant.parts.office.trust).valid
    history = applicant.http.get(f"{url}/history").json()["entries"]
    assert [entry["action"] for entry in history] == ["appendLeaves"]
    void = {"record": accepted["recordIds"][1], "reason": "entered twice"}
    certified(applicant, "transactions", "void", void, "void")
    assert [entry["action"] for entry in applicant.http.get(f"{url}/history").json()["entries"]] == [
        "appendLeaves",
        "void",
    ]
    verdict = verify(applicant.http.get(f"{url}/certificate").content, applicant.parts.office.trust)
    assert (verdict.axes["integrity"].state, verdict.axes["status"].state) == ("valid", "invalid")
    series = applicant.http.get("/v1/transactions/records", params={"buyer": "id-http", "period": "2026-11"})
    newest = applicant.http.get(series.headers["location"]).json()["newest"]
    assert (newest["action"], newest["entry"]["count"]) == ("appendLeaves", "3")
    problem(applicant.http.get("/v1/transactions/records/0x" + "1a" * 32), 404, "never-recorded")


def test_an_identity_gets_a_random_id_and_its_certificate_hides_the_person(applicant: Applicant) -> None:
    fields = {**PERSON, "birthPlace": "Sleman"}
    value = {"records": [{"fields": fields, "holder": LocalSigner(new_key()).address}]}
    accepted = certified(applicant, "identity", "issue", value, "identity", DEED)
    assert applicant.send("identity", "issue", value, "identity", DEED).json() == accepted
    certificate = applicant.http.get(accepted["links"]["certificate"])
    assert verify(certificate.content, applicant.parts.office.trust).valid
    assert "Rahasia" not in certificate.text
    headers = {"Authorization": f"Bearer {accepted['accessToken']}"}
    assert "Rahasia" in applicant.http.get(accepted["links"]["certificate"], headers=headers).text


def test_the_subject_of_a_query_is_exactly_that_of_its_register(http: httpx.Client, problem: Problem) -> None:
    for query in ("", "?buyer=id-http", "?buyer=id-http&period=2026-11&more=1", "?buyer=a&buyer=b&period=2026-11"):
        problem(http.get(f"/v1/transactions/absence{query}"), 400, "bad-input")
    problem(http.get("/v1/ships/absence?nib=1"), 404, "not-found")
