"""FAULTS row 52: hostile file names. A document is stored by its digest; its name is kept nowhere and sent nowhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import Applicant
from tests.office import DEED
from tests.traces import traces

NAMES = {
    "parents": b"../../../../tmp/khalayak-escaped.pdf",
    "absolute": b"/tmp/khalayak-escaped.pdf",
    "nul": b"deed-khalayak\x00.pdf",
    "crlf": b"deed-khalayak\r\nX-Injected: yes\r\n.pdf",
    "rtl": "deed-khalayak\u202efdp.exe".encode(),
    "long": b"khalayak-long-" + b"x" * 10_000,
    "quoted": b'deed-khalayak"; filename="other.pdf',
    "latin": b"deed-khalayak-\xff\xfe.pdf",
}
REFUSED = ("crlf", "long")


@pytest.mark.parametrize("name", NAMES)
def test_fault_52_a_hostile_name_reaches_no_file_no_header_and_no_database(applicant: Applicant, name: str) -> None:
    request, given = applicant.parts.request(), NAMES[name]
    value = {"records": [{"fields": dict(request.fields), "holder": request.holder}]}
    parts = [(b'name="request"; filename="r.json"', json.dumps(value).encode())]
    parts.append((b'name="documents"; filename="' + given + b'"', DEED))
    body = b"".join(b"--b\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % part for part in parts) + b"--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Idempotency-Key": f"name-{name}"}
    answer = applicant.http.post("/v1/land/issue", content=body, headers=headers)
    # What is no header of a part is refused; any name in one is taken for what it is, and left unread.
    assert answer.status_code == (400 if name in REFUSED else 201), answer.text
    check_nothing_of(given, answer, applicant.parts.office.settings.data)
    if answer.status_code == 201:
        accepted = answer.json()
        for registrar in applicant.parts.registrars[:2]:
            assert applicant.approve(accepted["links"]["status"], registrar).status_code == 200
        assert applicant.parts.certify(accepted["id"]).state == "certified"
        for path in ("", ".pdf"):
            file = applicant.http.get(accepted["links"]["certificate"] + path)
            assert file.headers["content-disposition"] == f'attachment; filename="certificate{path or ".json"}"'
            check_nothing_of(given, file, applicant.parts.office.settings.data)


def check_nothing_of(name: bytes, answer: httpx.Response, data: Path) -> None:
    assert "x-injected" not in answer.headers
    assert not [value for _, value in answer.headers.raw if b"khalayak-" in value]
    mark = re.search(rb"(deed-khalayak|khalayak-escaped|khalayak-long)", name)
    assert mark is not None and mark[0] not in answer.content
    assert traces(data, [mark[0]]) == []
    assert not Path("/tmp/khalayak-escaped.pdf").exists()
    stored = [path.name for path in (data / "documents").rglob("*") if path.is_file()]
    assert stored and all(re.fullmatch(r"b[a-z2-7]{58}", found) for found in stored)
