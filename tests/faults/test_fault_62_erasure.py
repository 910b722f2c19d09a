"""FAULTS row 62: erasure. Wraps and salts are gone, content is unreadable, status still answers."""

from __future__ import annotations

import json
import sys
import tempfile
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from ledger import sealing
from ledger.errors import DocumentCorrupt
from ledger.verifier import verify
from tests.api.conftest import Applicant, Problem, problem, serving
from tests.ledger.test_erasure import GRADUATE
from tests.office import DEED, TestOffice, running_office
from tests.traces import traces
from wallet.files import read_private

MARKER = "PenandaRahasia7Q4Z"
FIELDS = {**GRADUATE, "number": "D-1", "name": f"Siti {MARKER}"}
DOCUMENT = f"%PDF-1.7\n{MARKER}\n%%EOF\n".encode()

__all__ = ["problem"]


@dataclass
class Erased:
    """A diploma that was issued, corrected and erased, one beside it in the batch, and what was known before."""

    folder: Path
    parts: TestOffice
    http: httpx.Client
    batch: Any
    accepted: Any
    secrets: list[bytes]
    seen_before: list[str]
    copied: dict[str, bytes]
    certificate: bytes
    receipt: str


@pytest.fixture(scope="module")
def erased(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Erased]:
    folder = tmp_path_factory.mktemp("fault-62")
    (folder / "tmp").mkdir()
    with pytest.MonkeyPatch.context() as patch, (folder / "log").open("w", buffering=1) as log:
        patch.setattr(tempfile, "tempdir", str(folder / "tmp"))
        patch.setenv("SQLITE_TMPDIR", str(folder / "tmp"))
        patch.setattr(sys, "stdout", log)
        patch.setattr(sys, "stderr", log)
        with running_office(folder) as parts, serving(create_app(parts.office, worker=False)) as url:
            parts.office.run_once()
            with httpx.Client(base_url=url, timeout=60) as http:
                yield story(folder, parts, http)


def story(folder: Path, parts: TestOffice, http: httpx.Client) -> Erased:
    applicant, store = Applicant(http, parts), parts.office.store
    batch = apply(applicant, "diplomas", "append", [FIELDS, {**GRADUATE, "number": "D-2"}], {}, "batch")
    url, (record_id, _) = f"/v1/diplomas/records/{batch['recordIds'][0]}", batch["recordIds"]
    details = {"record": record_id, "reason": f"the year of {MARKER} was wrong"}
    amended = apply(applicant, "diplomas", "amend", [{**FIELDS, "honours": MARKER}], details, "amend")
    certificate = http.get(f"{url}/certificate", headers={"Authorization": f"Bearer {amended['accessToken']}"}).content
    assert MARKER.encode() in certificate and verify(certificate, parts.office.trust).valid
    secrets, copied = [MARKER.encode()], {}
    for content in store.contents_of(str(parts.trusted("diplomas").name), bytes.fromhex(record_id[2:])):
        secrets += [urlsafe_b64decode(field["salt"] + "==") for field in content.fields]
        cid = next(field["value"]["cid"] for field in content.fields if field["name"] == "document")
        document = store.document(cid)
        key = sealing.unwrap(document.wraps["office"], read_private(parts.office.settings.office_key), cid)
        secrets += [*document.wraps.values(), key, document.sha256]
        copied[cid] = parts.office.documents.get(cid, 1 << 20)
    lines = [line.value or {} for line in parts.office.dossiers.ring.lines()]
    for line in (line for line in lines if line["application"] in (batch["id"], amended["id"]) and "key" in line):
        secrets.append(bytes.fromhex(line["key"]))
        copied[line["cid"]] = parts.office.documents.get(line["cid"], 1 << 20)
    seen_before = traces(folder, secrets)
    order = {"register": str(parts.trusted("diplomas").name).lower(), "erased": record_id}
    fields = {**order, "ground": "consent-withdrawn", "date": "2026-11-24"}
    receipt = apply(applicant, "erasures", "appendLeaves", [fields], {}, "order")["recordIds"][0]
    return Erased(folder, parts, http, batch, amended, secrets, seen_before, copied, certificate, receipt)


def apply(applicant: Applicant, kind: str, action: str, records: list[Any], details: dict[str, str], key: str) -> Any:
    value = {"records": [{"fields": fields} for fields in records], **details}
    files = [("request", ("request.json", json.dumps(value), "application/json"))]
    if kind == "diplomas":
        documents = [DOCUMENT if MARKER in fields["name"] else DEED for fields in records]
        files += [("documents", (f"{MARKER}.pdf", document, "application/pdf")) for document in documents]
    answer = applicant.http.post(f"/v1/{kind}/{action}", files=files, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    for registrar in applicant.parts.registrars[:2]:
        assert applicant.approve(answer.json()["links"]["status"], registrar).status_code == 200
    assert applicant.parts.certify(answer.json()["id"]).state == "certified"
    return answer.json()


def test_fault_62_no_file_of_the_office_holds_a_trace(erased: Erased) -> None:
    seen = {Path(found.split(":")[0]).name.removesuffix("-wal") for found in erased.seen_before}
    assert seen == {"office.db", "keyring"}
    names = {path.name for path in erased.folder.rglob("*")}
    assert {"office.db", "office.db-wal", "office.db-shm", "log"} <= names
    assert "erased" in (erased.folder / "log").read_text()
    assert traces(erased.folder, erased.secrets) == []
    assert not [path for path in erased.folder.rglob("*") if MARKER in str(path)]


def test_fault_62_copies_of_the_sealed_bytes_open_with_no_key_that_is_left(erased: Erased) -> None:
    settings = erased.parts.office.settings
    keys = [read_private(path) for path in (settings.office_key, settings.court_keystores / "reader-key")]
    left = [wrap for document in erased.parts.office.store.documents() for wrap in document.wraps.values()]
    left += [bytes.fromhex((line.value or {}).get("key", "")) for line in erased.parts.office.dossiers.ring.lines()]
    assert len(erased.copied) == 2 + 2 * 2 and len(left) >= 2
    assert not [cid for cid in erased.copied if erased.parts.office.documents.has(cid)]
    for cid, sealed in erased.copied.items():
        for key in keys:
            with pytest.raises(DocumentCorrupt):
                sealing.unseal(key, sealed)
            for wrap in left:
                with pytest.raises(DocumentCorrupt):
                    sealing.unwrap(wrap, key, cid)
    for path in (path for path in settings.data.rglob("*") if path.is_file()):
        for at in range(0, min(path.stat().st_size, 4096) - 31, 32):
            with pytest.raises(DocumentCorrupt):
                sealing.unseal(path.read_bytes()[at : at + 32], sealed)


def test_fault_62_status_history_neighbours_and_receipt_still_answer(erased: Erased, problem: Problem) -> None:
    http, trust = erased.http, erased.parts.office.trust
    url, neighbour = (f"/v1/diplomas/records/{record_id}" for record_id in erased.batch["recordIds"])
    for application in (erased.batch, erased.accepted):
        status = http.get(application["links"]["status"]).json()
        assert (status["state"], status["accepted"], status["final"]) == ("certified", True, True)
        assert http.get(application["typedData"]).status_code == 200
    assert [item["action"] for item in http.get(f"{url}/history").json()["entries"]] == ["append", "amend"]
    token = {"Authorization": f"Bearer {erased.accepted['accessToken']}"}
    problem(http.get(f"{erased.accepted['links']['status']}/documents", headers=token), 410, "erased")
    for path in ("certificate", "certificate.pdf"):
        for headers in ({}, token):
            answer = problem(http.get(f"{url}/{path}", headers=headers), 410, "erased")
            assert answer["ground"] == "consent-withdrawn" and answer["orderedAt"] > 0
            assert MARKER not in str(answer)
    receipt = http.get(answer["links"]["receipt"])
    assert verify(receipt.content, trust).valid and erased.receipt in answer["links"]["receipt"]
    assert erased.batch["recordIds"][0] in receipt.text
    assert verify(http.get(f"{neighbour}/certificate").content, trust).valid
    problem(http.get("/v1/diplomas/records/0x" + "1a" * 32), 404, "never-recorded")


def test_fault_62_a_certificate_that_was_given_out_still_verifies(erased: Erased) -> None:
    assert verify(erased.certificate, erased.parts.office.trust, document=DOCUMENT).valid


def test_fault_62_the_page_says_that_it_was_erased_and_on_what_ground(erased: Erased) -> None:
    path = f"r/diplomas/{erased.batch['recordIds'][0]}"
    english, indonesian = (erased.http.get(f"/{code}/{path}").text for code in ("en", "id"))
    assert "was erased" in english and "consent withdrawn" in english and erased.receipt in english
    assert "telah dihapus" in indonesian and "persetujuan ditarik kembali" in indonesian


def test_fault_62_the_same_request_does_not_bring_it_back(erased: Erased, problem: Problem) -> None:
    value = {"records": [{"fields": FIELDS}, {"fields": {**GRADUATE, "number": "D-2"}}]}
    answer = Applicant(erased.http, erased.parts).send("diplomas", "append", value, "batch", DOCUMENT, DEED)
    problem(answer, 422, "idempotency-mismatch")
