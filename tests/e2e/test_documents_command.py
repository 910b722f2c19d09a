"""`khalayak documents`: a document from its applicant to its end, as an office handles it."""

from __future__ import annotations

import json
from pathlib import Path

import pyrage
import pytest

from tests.api.conftest import applicant, base_url, http, parts
from tests.e2e.test_cli import SAMPLES, Desk
from tests.office import DEED, FIELDS, TestOffice
from wallet.keys import new_key
from wallet.signer import LocalSigner

__all__ = ["applicant", "base_url", "http", "parts"]

HOLDER = "Mbok Perintah Contoh"
NIB = "77.66.55.44.00001"


@pytest.fixture(scope="module")
def desk(parts: TestOffice) -> Desk:
    settings = parts.office.settings
    return Desk(settings.data.parent, settings.rpc_url)


def issue(desk: Desk, nib: str, *options: str | Path) -> str:
    fields = desk.folder / f"{nib}.json"
    fields.write_text(json.dumps({**FIELDS, "nib": nib, "holder": HOLDER, "holderBirth": "1950-06-07"}))
    given = ("--fields", fields, "--document", SAMPLES / "deed.pdf", "--holder", LocalSigner(new_key()).address)
    application = desk.run("apply", "land", "issue", *given, "--key", nib, *options).split()[1]
    certify(desk, application)
    return application


def certify(desk: Desk, application: str) -> None:
    for number in (1, 2):
        desk.approve(application, number)
    desk.run("run")
    assert "certified" in desk.run("status", application)


def document_of(parts: TestOffice, application: str) -> str:
    digest = parts.office.store.application(application).payload["records"][0]["digest"]
    fields = parts.office.store.content(bytes.fromhex(digest[2:])) or []
    return str(next(field["value"]["cid"] for field in fields if field["name"] == "document"))


def test_a_holder_opens_his_document_without_the_office(desk: Desk, parts: TestOffice, tmp_path: Path) -> None:
    key, sealed, out = tmp_path / "key", tmp_path / "deed.sealed", tmp_path / "deed.pdf"
    public = desk.run("documents", "new-key", key).strip()
    cid = document_of(parts, issue(desk, NIB, "--reader", public))
    sealed.write_bytes(parts.office.documents.get(cid, 1 << 20))
    wraps = parts.office.store.document(cid).wraps
    assert wraps.keys() == {"office", "court", "holder"}
    given = ("documents", "open-sealed", sealed, "--key", key, "-o", out)
    desk.run(*given, "--wrap", "0x" + wraps["holder"].hex())
    assert out.read_bytes() == DEED
    desk.run(*given, "--wrap", "0x" + wraps["holder"].hex(), code=2)
    out.unlink()
    desk.run(*given, "--wrap", "0x" + wraps["court"].hex(), code=1)
    assert not out.exists()


def test_a_document_is_shared_handed_over_and_taken_back(desk: Desk, parts: TestOffice, tmp_path: Path) -> None:
    cid = document_of(parts, issue(desk, "77.66.55.44.00002"))
    public = desk.run("documents", "new-key", tmp_path / "press").strip()
    assert "press" in desk.run("documents", "share", cid, "--with", "press", "--key", public)
    desk.run("documents", "unshare", cid, "--with", "court")
    assert "court" in desk.run("documents", "share", cid, "--with", "court")
    desk.run("documents", "share", cid, "--with", "nobody", code=2)
    assert "press" not in desk.run("documents", "unshare", cid, "--with", "press")
    identity, out = pyrage.x25519.Identity.generate(), tmp_path / "deed.age"
    desk.run("documents", "hand-over", cid, "--to", str(identity.to_public()), "-o", out)
    assert pyrage.decrypt(out.read_bytes(), [identity]) == DEED
    (tmp_path / "none.age").unlink(missing_ok=True)
    desk.run("documents", "hand-over", cid, "--to", "age1nobody", "-o", tmp_path / "none.age", code=2)
    assert not (tmp_path / "none.age").exists()


def test_an_officer_finds_what_is_held_and_a_record_is_held_and_erased(desk: Desk, parts: TestOffice) -> None:
    nib, registrar = "77.66.55.44.00003", parts.office.settings.registrar_keystores / "registrar-1.json"
    issue(desk, nib)
    found = desk.run("documents", "held-about", HOLDER.upper(), "1950-06-07", "--json")
    assert HOLDER not in found and {"holder", "nib"} <= set(json.loads(found)[-1]["fields"])
    shown = desk.run("documents", "held-about", HOLDER)
    assert HOLDER not in shown and "content(s)." in shown
    assert desk.run("documents", "due").strip().endswith("0 content(s).")
    desk.run("documents", "hold", "land", nib, "--keystore", registrar)
    assert json.loads(desk.run("documents", "held-about", HOLDER, "--json"))[-1]["hold"]
    assert "legal hold" in desk.run("documents", "erase", "land", nib, "--ground", "requested", code=4)
    desk.run("documents", "lift", "land", nib, "--keystore", registrar)
    desk.run("documents", "erase", "land", nib, "--ground", "because", code=2)
    certify(desk, desk.run("documents", "erase", "land", nib, "--ground", "requested").split()[1])
    assert "was erased" in desk.run("certificate", "land", nib, "-o", desk.folder / "gone.json", code=1)
    assert desk.run("history", "land", nib, "--json").count("digest") == 1


def test_the_offices_key_is_rotated_and_everything_opens(desk: Desk, parts: TestOffice) -> None:
    cid = document_of(parts, issue(desk, "77.66.55.44.00004"))
    before = parts.office.settings.office_key.read_bytes()
    assert "has a new key" in desk.run("documents", "rotate")
    assert parts.office.settings.office_key.read_bytes() != before
    identity, out = pyrage.x25519.Identity.generate(), desk.folder / "after.age"
    desk.run("documents", "hand-over", cid, "--to", str(identity.to_public()), "-o", out)
    assert pyrage.decrypt(out.read_bytes(), [identity]) == DEED
    assert [name for name, dossier in parts.office.dossiers.all() if isinstance(dossier, Exception)] == []
    issue(desk, "77.66.55.44.00005")
