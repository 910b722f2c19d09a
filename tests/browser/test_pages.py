"""The pages without a browser: what the server answers, to whom, and that it keeps and repeats nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.pages.samples import SAMPLES, sample
from tests.api.conftest import Applicant, Title, serving
from tests.browser.conftest import PAYLOAD, Files
from tests.browser.samples import made
from tests.builders import FIELDS, HOLDER_NAME
from tests.office import record_of

LANGUAGES = ("id", "en")
HEADLINES = {
    "id": {"valid": "Sah", "invalid": "Tidak sah", "unknown": "Tidak dapat dipastikan"},
    "en": {"valid": "Valid", "invalid": "Not valid", "unknown": "Cannot tell"},
}


def headline(answer: httpx.Response) -> str:
    match = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text, re.S)
    assert match, answer.text
    return unescape(match[1]).strip()


def text_of(answer: httpx.Response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def send(http: httpx.Client, path: str, certificate: Path, document: Path | None = None) -> httpx.Response:
    files = {"certificate": ("c.json", certificate.read_bytes())}
    files |= {"document": ("d.pdf", document.read_bytes())} if document else {}
    return http.post(path, files=files)


def record_path(title: Title) -> str:
    return f"/r/land/{title.url.rsplit('/', 1)[1]}"


@pytest.mark.parametrize(("header", "code"), [("en-GB", "en"), ("id", "id"), ("", "id"), ("ja", "id")])
def test_the_first_page_speaks_the_readers_language(http: httpx.Client, header: str, code: str) -> None:
    answer = http.get("/", headers={"Accept-Language": header})
    assert answer.status_code == 200
    assert f'<html lang="{code}">' in answer.text
    assert answer.headers["content-language"] == code
    assert "Accept-Language" in answer.headers["vary"]


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_in_the_path_wins_and_the_other_is_one_link_away(
    http: httpx.Client, title: Title, code: str
) -> None:
    other = "en" if code == "id" else "id"
    for path in ("/", record_path(title), "/v", "/sample/valid"):
        answer = http.get(f"/{code}{path}", headers={"Accept-Language": other})
        assert f'<html lang="{code}">' in answer.text
        assert f'<a href="/{other}{path}" hreflang="{other}"' in answer.text


def test_every_page_forbids_what_is_not_ours(http: httpx.Client, title: Title) -> None:
    for path in ("/", "/en/v", "/en/sample/valid", f"/en{record_path(title)}", "/en/nothing"):
        answer = http.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        for reference in re.findall(r'(?:src|href|action)="([^"]*)"', answer.text):
            assert reference.startswith(("/", "#")) and not reference.startswith("//")
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)(?![^>]*application/json)", answer.text)


@pytest.mark.parametrize("name", ["page.css", "page.js", "icon.svg"])
def test_static_files_are_revalidated_each_time(http: httpx.Client, name: str) -> None:
    answer = http.get(f"/static/{name}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    again = http.get(f"/static/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_posted_file_gets_its_verdict_and_says_that_it_was_sent(http: httpx.Client, files: Files, code: str) -> None:
    answer = send(http, f"/{code}/verify", files.valid, files.document)
    assert (answer.status_code, headline(answer)) == (200, HEADLINES[code]["valid"])
    assert {"id": "dikirim ke server", "en": "was sent to this office's server"}[code] in text_of(answer)
    assert answer.text.count('<strong class="tag tag-valid">') == 3
    assert answer.text.count('<strong class="tag tag-passed">') == 12


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize(
    ("certificate", "document", "advice"),
    [("changed", None, "8-failed"), ("valid", "other", "11-failed"), ("document", None, "1-failed")],
)
def test_what_is_not_valid_comes_with_advice(
    http: httpx.Client, files: Files, code: str, certificate: str, document: str | None, advice: str
) -> None:
    from api.pages.advice import ADVICE
    from api.pages.i18n import language

    answer = send(http, f"/{code}/verify", getattr(files, certificate), getattr(files, document) if document else None)
    assert headline(answer) == HEADLINES[code]["invalid"]
    found = ADVICE[advice]
    for message in (found.title, found.sentence, found.contact, found.next):
        assert language(code).text(message) in text_of(answer)


def test_nothing_to_verify_is_an_error_that_leads_to_its_field(http: httpx.Client) -> None:
    for given in ({"files": {"certificate": ("", b"")}}, {"files": {"certificate": ("c.json", b"")}}, {}):
        answer = http.post("/en/verify", **given)  # type: ignore[arg-type]
        assert answer.status_code == 400
        assert '<a href="#certificate">Choose the certificate' in answer.text
        assert 'id="certificate-error"' in answer.text and 'aria-invalid="true"' in answer.text


@pytest.mark.parametrize("data", [b"{}", b"\xff", b"[" * 100_000, b"\xef\xbb\xbf{}", b"<script>alert(1)</script>"])
def test_garbage_is_no_certificate_and_never_an_error(http: httpx.Client, data: bytes) -> None:
    answer = http.post("/en/verify", files={"certificate": ("c.json", data)})
    assert (answer.status_code, headline(answer)) == (200, "Not valid")
    assert "<script>alert" not in answer.text


def test_payloads_in_fields_are_shown_as_text(http: httpx.Client, files: Files) -> None:
    answer = send(http, "/en/verify", files.valid)
    assert PAYLOAD in unescape(answer.text)
    assert "<svg onload" not in answer.text and "<script>document" not in answer.text


@pytest.mark.parametrize(
    "write",
    [str, str.upper, lambda code: code[2:], lambda code: code[2:].upper(), lambda code: f"  {code}\n"],
    ids=["plain", "upper", "bare", "bare upper", "spaces"],
)
def test_a_code_is_found_however_it_is_written(http: httpx.Client, title: Title, write: object) -> None:
    code = title.url.rsplit("/", 1)[1]
    answer = http.post("/en/find", data={"typed": write(code)})  # type: ignore[operator]
    assert (answer.status_code, answer.headers["location"]) == (303, f"/en/r/land/{code}")


def test_a_parcel_number_leads_to_its_record(http: httpx.Client, title: Title) -> None:
    answer = http.post("/id/find", data={"typed": title.request.fields["nib"]})
    assert answer.headers["location"] == f"/id{record_path(title)}"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "Enter a code or a parcel number"),
        ("   ", "Enter a code or a parcel number"),
        ("0x" + "a" * 63, "The code must be 64 digits"),
        ("a" * 63, "The code must be 64 digits"),
        ("0x" + "g" * 64, "The code must be 64 digits"),
        ("Siti Rahmawati", "Enter a code of 64 digits"),
        ('"><script>alert(1)</script>', "Enter a code of 64 digits"),
        ("1" * 5_000, "The code must be 64 digits"),
    ],
)
def test_what_is_no_code_is_an_error_that_leads_to_its_field(http: httpx.Client, typed: str, message: str) -> None:
    answer = http.post("/en/find", data={"typed": typed})
    assert answer.status_code == 400
    assert f'<a href="#typed">{message}' in answer.text
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    ("typed", "proof"),
    [
        ("10.15.22.04.99999", "/v1/land/absence?nib=10.15.22.04.99999"),
        ("id-ui/2024", "/v1/diplomas/absence?institution=id-ui&year=2024"),
        ("id-kemenkeu/2026-01", "/v1/transactions/absence?buyer=id-kemenkeu&period=2026-01"),
        ("0x" + "ab" * 32, None),
    ],
)
def test_what_was_never_recorded_is_not_found_and_its_proof_offered(
    http: httpx.Client, title: Title, typed: str, proof: str | None
) -> None:
    answer = http.post("/en/find", data={"typed": typed})
    assert (answer.status_code, headline(answer)) == (404, "Nothing was ever recorded")
    offered = re.findall(r'href="(/v1/[^"]*absence[^"]*)"', answer.text)
    assert [unescape(path) for path in offered] == ([proof] if proof else [])
    if proof:
        verdict = http.post("/v1/verify", files={"certificate": ("a.json", http.get(proof).content)}).json()
        assert verdict["valid"] is True


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_record_is_shown_without_what_may_be_withheld(http: httpx.Client, title: Title, code: str) -> None:
    answer = http.get(f"/{code}{record_path(title)}")
    assert (answer.status_code, title.request.fields["nib"] in headline(answer)) == (200, True)
    text = text_of(answer)
    assert {"id": "Pendaftaran pertama", "en": "First registered"}[code] in text
    for name in ("holder", "holderBirth", "location"):
        assert title.request.fields[name] not in unescape(answer.text)
    assert http.get(re.findall(r'href="(/v1/[^"]*/certificate)"', answer.text)[0]).status_code == 200


def test_a_change_that_is_not_final_is_a_state_of_its_own(applicant: Applicant) -> None:
    parts, http = applicant.parts, applicant.http
    application = parts.approve(parts.issue(parts.request()))
    path = f"/en/r/land/0x{record_of(application).hex()}"
    assert http.get(path).status_code == 404
    parts.office.publisher.run_once()  # sent and mined, but followed by nobody yet
    answer = http.get(path)
    assert answer.status_code == 200
    assert "Recorded, not final yet" in text_of(answer) and "UTC" in text_of(answer)
    found = http.post("/en/find", data={"typed": path.rsplit("/", 1)[1]})
    assert found.headers["location"] == path
    assert parts.certify(application.id).state == "certified"
    assert "not final yet" not in text_of(http.get(path))


@pytest.mark.parametrize("path", ["r/land/0x12", "r/land/1234", "r/castles/0x" + "ab" * 32, "nothing", "sample/none"])
def test_a_page_that_is_not_there_is_an_error_page(http: httpx.Client, path: str) -> None:
    answer = http.get(f"/en/{path}")
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"].startswith("text/html")


def test_what_is_not_a_page_still_gets_a_problem_document(http: httpx.Client) -> None:
    for path in ("/v1/nothing", "/nothing", "/static/nothing"):
        assert http.get(path).headers["content-type"] == "application/problem+json"


@pytest.fixture
def cut_off(applicant: Applicant, tmp_path: Path) -> Iterator[str]:
    """The same office when its node and its database cannot be reached."""
    from dataclasses import replace

    from ledger.adapters.evm_chain import EvmChain
    from ledger.adapters.sql_store import SqlStore, migrate

    database = f"sqlite:///{tmp_path / 'empty.db'}"
    migrate(database)
    store = SqlStore(database)
    chain = EvmChain("http://127.0.0.1:9")
    with serving(create_app(replace(applicant.parts.office, store=store, chain=chain), worker=False)) as url:
        yield url
    store.close()


@pytest.mark.parametrize("code", LANGUAGES)
def test_an_office_that_cannot_answer_says_so_and_nothing_else(cut_off: str, code: str) -> None:
    for answer in (
        httpx.post(f"{cut_off}/{code}/find", data={"typed": "10.15.22.04.01234"}),
        httpx.get(f"{cut_off}/{code}/r/land/0x{'ab' * 32}"),
    ):
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert headline(answer) == {"id": "Maaf, layanan sedang tidak tersedia"}.get(
            code, "Sorry, the service is not available"
        )


SAMPLE_STATES = {"valid": "valid", "absent": "valid", "changed": "invalid", "outdated": "invalid", "retired": "invalid",
                 "unwitnessed": "unknown"}  # fmt: skip


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_what_it_says_and_marked_as_one(http: httpx.Client, code: str, name: str) -> None:
    answer = http.get(f"/{code}/sample/{name}")
    assert f'class="verdict verdict-{SAMPLE_STATES[name]}"' in answer.text
    assert {"id": "Ini contoh", "en": "This is a sample"}[code] in text_of(answer)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_leads_to_no_record_of_the_office_and_is_not_its_verdict(http: httpx.Client, name: str) -> None:
    answer = http.get(f"/en/sample/{name}")
    assert "/en/r/" not in answer.text
    assert "The verdicts on this page" not in text_of(answer)


@pytest.mark.parametrize(
    ("name", "shown"), [("valid", True), ("retired", True), ("changed", False), ("unwitnessed", False)]
)
def test_fields_are_shown_only_where_the_file_proves_them(http: httpx.Client, name: str, shown: bool) -> None:
    text = text_of(http.get(f"/en/sample/{name}"))
    assert [HOLDER_NAME in text, FIELDS["nib"] in text] == [shown, shown]
    assert "Raden Palsu" not in text


def test_a_sample_is_refused_by_the_offices_own_trust_root(http: httpx.Client) -> None:
    answer = http.post("/en/verify", files={"certificate": ("c.json", sample("valid")[0])})
    assert headline(answer) == "Not valid"


def test_the_samples_can_be_made_again() -> None:
    assert made().keys() - {"trust"} == SAMPLES.keys()
