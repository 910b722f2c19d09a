"""The `khalayak` command on a devnet, as an office uses it, with its exit codes."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from scripts.devnet import free_port, start_hardhat
from tests.command import khalayak
from tests.ledger.test_paper import GOOD, trust
from wallet.keys import new_key
from wallet.signer import LocalSigner

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT / "scripts" / "samples"
HOLDER = LocalSigner(new_key()).address


class Desk:
    """Runs the command for one office folder."""

    def __init__(self, folder: Path, rpc_url: str) -> None:
        self.data = folder / "office"
        self.folder = folder
        self.environment = {"KHALAYAK_DATA": str(self.data), "KHALAYAK_RPC_URL": rpc_url}

    def run(self, *arguments: str | Path, code: int = 0, **changed: str) -> str:
        """What the command prints. In this process, for speed; test_installed_command_runs starts the real one."""
        exit_code, said = khalayak(*arguments, environment=self.environment | changed)
        assert exit_code == code, f"{exit_code}: {said}"
        return said

    def issue(self, key: str, code: int = 0, **fields: str) -> str:
        path = self.folder / f"{key}.json"
        path.write_text(json.dumps({**json.loads((SAMPLES / "deed.json").read_text()), **fields}))
        arguments = (
            "apply",
            "land",
            "issue",
            "--fields",
            path,
            "--document",
            SAMPLES / "deed.pdf",
            "--holder",
            HOLDER,
            "--key",
            key,
        )
        return self.run(*arguments, code=code)

    def approve(self, application: str, number: int, code: int = 0) -> str:
        return self.run(
            "approve", application, "--keystore", self.data / f"registrars/registrar-{number}.json", code=code
        )


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with start_hardhat() as url:
        desk = Desk(tmp_path_factory.mktemp("desk"), url)
        desk.run("deploy")
        yield desk


def application_id(output: str) -> str:
    found = re.search(r"^application +([0-9a-f]{32})$", output, re.MULTILINE)
    assert found, output
    return found[1]


def test_title_is_issued_certified_verified_and_listed(desk: Desk, tmp_path: Path) -> None:
    output = desk.issue("first")
    application = application_id(output)
    assert "waits for     registrar, registrar" in output and "access token" in output
    assert "waits for     registrar\n" in desk.approve(application, 1)
    assert "state         approved" in desk.approve(application, 2)
    desk.run("run")
    assert "state         certified" in desk.run("status", application)
    nib = json.loads((SAMPLES / "deed.json").read_text())["nib"]
    desk.run("certificate", "land", nib, "-o", tmp_path / "certificate.json")
    trust = ("--trust", desk.data / "trust.json")
    said = desk.run("verify", *trust, "--document", SAMPLES / "deed.pdf", tmp_path / "certificate.json")
    assert re.match(r"OK: active, no lien as of block \d+, ", said)
    assert desk.run(
        "verify", *trust, "--document", ROOT / "README.md", tmp_path / "certificate.json", code=1
    ).startswith("FAIL: 11 ")
    assert (
        "issue" in desk.run("history", "land", nib) and len(json.loads(desk.run("history", "land", nib, "--json"))) == 1
    )
    again = desk.run("certificate", "land", nib, "-o", tmp_path / "certificate.json", code=2)
    assert "not overwritten" in again


def test_actions_of_every_register_are_commands(desk: Desk, tmp_path: Path) -> None:
    fields = {"buyer": "id-cli", "period": "2026-11", "date": "2026-11-03", "supplier": "PT Contoh", "currency": "IDR"}
    batch = [{**fields, "id": str(number), "amount": "5.00"} for number in range(3)]
    (tmp_path / "batch.json").write_text(json.dumps(batch))
    output = desk.run("apply", "transactions", "append", "--fields", tmp_path / "batch.json", "--key", "batch")
    application = application_id(output)
    records = re.findall(r"^record +(0x[0-9a-f]{64})$", output, re.MULTILINE)
    assert len(records) == 3
    for number in (1, 2):
        desk.approve(application, number)
    desk.run("run")
    desk.run("certificate", "transactions", records[2], "-o", tmp_path / "record.json")
    trust = ("--trust", desk.data / "trust.json")
    assert "recorded in batch 1, never corrected" in desk.run("verify", *trust, tmp_path / "record.json")
    assert "append" in desk.run("history", "transactions", "id-cli", "2026-11")
    freeze = desk.run("apply", "land", "freeze", "--nib", "10.15.22.04.77777", "--key", "freeze", code=1)
    assert "No record" in freeze
    assert "named by buyer and period" in desk.run("history", "transactions", "id-cli", code=2)
    assert "identity" in desk.run("apply", "--help") and "--creditor" in desk.run("apply", "land", "encumber", "--help")


def test_log_of_a_register_is_listed_by_holder_and_day_in_pages(desk: Desk) -> None:
    for number in (1, 2):
        application = application_id(desk.issue(f"logged-{number}", nib=f"10.15.22.04.8888{number}"))
        desk.approve(application, 1)
        desk.approve(application, 2)
    desk.run("run")
    asked = ("entries", "land", "--holder", HOLDER, "--action", "issue", "--json")
    everything = json.loads(desk.run(*asked))
    assert len(everything["entries"]) >= 2 and not everything["has_more"]
    first = json.loads(desk.run(*asked, "--limit", "1"))
    rest = json.loads(desk.run(*asked, "--cursor", first["cursor"]))
    assert first["has_more"] and first["entries"] + rest["entries"] == everything["entries"]
    day = time.strftime("%Y-%m-%d", time.gmtime(everything["entries"][0]["entry"]["time"]))
    assert json.loads(desk.run(*asked, "--since", day, "--limit", "1")) == first
    assert json.loads(desk.run(*asked, "--until", "2020-01-01"))["entries"] == []
    assert f"--cursor {first['cursor']}" in desk.run("entries", "land", "--limit", "1", "--holder", HOLDER)
    for wrong in (("--cursor", "x"), ("--since", "yesterday"), ("--action", "steal"), ("--holder", "Siti")):
        desk.run("entries", "land", *wrong, code=2)


def test_certificate_is_printed_and_the_pdf_verifies(desk: Desk, tmp_path: Path) -> None:
    application = application_id(desk.issue("printed", nib="10.15.22.04.00900"))
    for number in (1, 2):
        desk.approve(application, number)
    desk.run("run")
    title, pdf = ("land", "10.15.22.04.00900"), tmp_path / "title.pdf"
    desk.run("certificate", *title, "--pdf", "-o", pdf)
    said = desk.run("verify", "--trust", desk.data / "trust.json", pdf)
    assert said.startswith("OK: active, no lien as of block")
    assert "pages of the PDF were not checked" in said and "nib: 10.15.22.04.00900" in said
    key = tmp_path / "issuer.pem"
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key.write_bytes(pem)
    credential = tmp_path / "title.sdjwt"
    trusted = ("--trust", desk.data / "trust.json")
    desk.run("export", "sd-jwt", pdf, "--issuer-key", key, *trusted, "-o", credential)
    assert credential.read_text().count("~") == 10
    missing = ("--sign-with", tmp_path / "x.p12", "-o", tmp_path / "y.pdf")
    assert "PKCS #12" in desk.run("certificate", *title, "--pdf", *missing, code=2)
    assert "Only a PDF is signed" in desk.run(
        "certificate", *title, "--sign-with", tmp_path / "x.p12", "-o", tmp_path / "y.json", code=2
    )


def test_offline_code_says_who_signed_and_never_how_things_are(desk: Desk, tmp_path: Path) -> None:
    root = trust()
    (tmp_path / "trust.json").write_text(json.dumps(root.as_json()))
    arguments = ("verify", "--trust", tmp_path / "trust.json", "--paper")
    said = desk.run(*arguments, GOOD, code=1)
    assert said.startswith("UNKNOWN: 12 not known since printing")
    assert "issuer    valid: 2 registrars of Demo Land Office signed" in said and "right: Hak Milik" in said
    assert desk.run(*arguments, "KHALAYAK1:" + GOOD[13:], code=1).startswith("FAIL: 1 ")


def test_parcel_without_title_is_proved_absent(desk: Desk, tmp_path: Path) -> None:
    desk.run("absent", "land", "10.15.22.04.99999", "-o", tmp_path / "absent.json")
    said = desk.run("verify", "--trust", desk.data / "trust.json", tmp_path / "absent.json")
    assert said.startswith("OK: never issued as of block")


def test_same_key_issues_once_and_another_body_is_refused(desk: Desk) -> None:
    first = application_id(desk.issue("twice", nib="10.15.22.04.00002"))
    assert application_id(desk.issue("twice", nib="10.15.22.04.00002")) == first
    assert "idempotency key" in desk.issue("twice", code=1, nib="10.15.22.04.00003")


def test_bad_input_is_refused_with_the_field_and_what_to_do(desk: Desk) -> None:
    assert "area" in desk.issue("bad-area", code=2, nib="10.15.22.04.00004", area="412,50")
    assert "'colour'" in desk.issue("bad-name", code=2, nib="10.15.22.04.00004", colour="red")
    text = desk.folder / "not.pdf"
    text.write_text("no PDF")
    arguments = ("--fields", SAMPLES / "deed.json", "--document", text, "--holder", HOLDER, "--key", "k")
    assert "not a whole PDF" in desk.run("apply", "land", "issue", *arguments, code=2)


def test_stranger_wrong_password_and_unknown_application_are_refused(desk: Desk, tmp_path: Path) -> None:
    application = application_id(desk.issue("refusals", nib="10.15.22.04.00005"))
    relayer = ("approve", application, "--keystore", desk.data / "relayer.json")
    assert "is not a registrar" in desk.run(*relayer, code=4)
    assert "password" in desk.run(*relayer, "--password", "wrong", code=4)
    assert "no application" in desk.run("status", "0" * 32, code=1)


def test_unreachable_chain_is_said_and_never_called_invalid(desk: Desk) -> None:
    said = desk.run("history", "land", "10.15.22.04.00001", code=5, KHALAYAK_RPC_URL=f"http://127.0.0.1:{free_port()}")
    assert "does not answer" in said


def test_chain_of_another_genesis_is_refused(desk: Desk) -> None:
    with start_hardhat() as other:
        said = desk.run("run", code=2, KHALAYAK_RPC_URL=other)
    assert "begins with block" in said or "code at" in said


def test_taken_port_is_said(desk: Desk) -> None:
    port = desk.environment["KHALAYAK_RPC_URL"].rsplit(":", 1)[1]
    assert "is taken" in desk.run("devnet", "--port", port, code=2)


def test_certificate_of_another_chain_is_refused_by_check_2(desk: Desk, tmp_path: Path) -> None:
    desk.run("absent", "land", "10.15.22.04.99998", "-o", tmp_path / "absent.json")
    absence = json.loads((tmp_path / "absent.json").read_text())
    absence["register"] = absence["register"].replace("eip155:31337", "eip155:1")
    (tmp_path / "absent.json").write_text(json.dumps(absence))
    said = desk.run("verify", "--trust", desk.data / "trust.json", tmp_path / "absent.json", code=1)
    assert said.startswith("FAIL: 2 ")


def test_verifying_nothing_is_a_usage_error(desk: Desk) -> None:
    desk.run("verify", code=2)
    desk.run("verify", desk.folder / "missing.json", code=2)


def test_every_secret_of_an_office_is_readable_by_its_owner_only(desk: Desk) -> None:
    files = [path for path in desk.data.rglob("*") if path.is_file()]
    public = {
        "trust.json",
        "bundle.json",
        "relayer.lock",
        "universitas.example.log",
        "koran.example.log",
        "pengadilan.example.log",
    }
    secrets = [path for path in files if "documents" not in path.parts and path.name not in public]
    assert len(secrets) >= 9
    assert [path.name for path in secrets if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_installed_command_runs() -> None:
    command = Path(sys.executable).with_name("khalayak")
    result = subprocess.run([command, "verify", "--help"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0 and "offline" in result.stdout
