"""The sealed documents of an application over HTTP: for the applicant, who opens his own without the office."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ledger import sealing
from ledger.readers import public_line
from tests.api.conftest import Applicant, Problem
from tests.office import DEED


def apply(applicant: Applicant, reader: object, key: str):  # type: ignore[no-untyped-def]
    request = applicant.parts.request()
    value = {"records": [{"fields": dict(request.fields), "holder": request.holder, "reader": reader}]}
    return applicant.send("land", "issue", value, key, DEED)


def test_a_holder_gets_his_wrap_and_opens_his_document(applicant: Applicant, problem: Problem) -> None:
    private = X25519PrivateKey.generate().private_bytes_raw()
    accepted = apply(applicant, public_line(private).strip(), "reader").json()
    url = f"{accepted['links']['status']}/documents"
    problem(applicant.http.get(url), 403, "refused")
    (document,) = applicant.http.get(url, headers={"Authorization": f"Bearer {accepted['accessToken']}"}).json()
    assert document["wraps"].keys() == {"office", "court", "holder"} and document["size"] == len(DEED)
    key = sealing.unwrap(bytes.fromhex(document["wraps"]["holder"][2:]), private, document["cid"])
    sealed = applicant.parts.office.documents.get(document["cid"], sealing.sealed_size(document["size"]))
    assert sealing.unseal(key, sealed) == DEED


@pytest.mark.parametrize("reader", ["0x12", "age1nobody", "0x" + "00" * 32, 7, None])
def test_a_key_that_is_none_is_refused_where_it_stands(applicant: Applicant, problem: Problem, reader: object) -> None:
    answer = problem(apply(applicant, reader, f"reader-{json.dumps(reader)}"), 400, "bad-input")
    assert answer["pointer"] == "/records/0/reader"


def test_a_record_without_a_document_takes_no_reader(applicant: Applicant, problem: Problem) -> None:
    fields = {"buyer": "id-x", "period": "2026-11", "date": "2026-11-03", "supplier": "PT", "currency": "IDR"}
    record = {"fields": {**fields, "id": "1", "amount": "1.00"}, "reader": "0x" + "09" * 32}
    answer = problem(applicant.send("transactions", "append", {"records": [record]}, "no-reader"), 400, "bad-input")
    assert answer["pointer"] == "/records/0/reader"
