"""`khalayak verify` with nodes, pinned blocks and earlier times, `disclose`, and the command from a wheel alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ledger.encoding import to_hex
from ledger.registers.forms import Change, RecordRequest
from ledger.state_proof import parse_header
from scripts.devnet import free_port, start_hardhat
from tests.e2e.test_cli import Desk
from tests.office import TestOffice, record_of, running_office
from wallet.keys import new_key
from wallet.signer import LocalSigner

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Sold:
    """A title that was sold: its files, and the blocks of its two entries."""

    desk: Desk
    folder: Path
    nib: str
    issued: int
    sold: int

    @property
    def files(self) -> tuple[str | Path, ...]:
        return "--trust", self.folder / "trust.json", self.folder / "certificate.json"

    @property
    def block(self) -> tuple[int, str]:
        header = parse_header(
            bytes.fromhex(json.loads((self.folder / "certificate.json").read_text())["state"]["header"][2:])
        )
        return header.number, to_hex(header.hash)


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sold]:
    folder = tmp_path_factory.mktemp("sold")
    with running_office(folder) as office:
        seller, buyer = LocalSigner(new_key()), LocalSigner(new_key())
        request = office.request(seller)
        first = office.done("land", Change("issue", [request]))
        content = RecordRequest({**request.fields, "holder": "Sari Contoh"}, document=request.document)
        sale = Change("transfer", [content], details={"recipient": buyer.address})
        office.done("land", sale, ("holder", seller), ("recipient", buyer))
        desk = Desk(folder, office.office.settings.rpc_url)
        desk.run("certificate", "land", request.fields["nib"], "-o", folder / "certificate.json")
        shutil.copy(desk.data / "trust.json", folder / "trust.json")
        issued, transferred = blocks(office, record_of(first))
        yield Sold(desk, folder, request.fields["nib"], issued, transferred)


def blocks(office: TestOffice, record_id: bytes) -> list[int]:
    return [item.block_number for item in office.office.store.history(str(office.trusted().name), record_id)]


def without_witnesses(sold: Sold, path: Path) -> Path:
    """The certificate with a checkpoint that nobody signed."""
    value = json.loads((sold.folder / "certificate.json").read_text())
    value["state"]["checkpoint"] = ""
    path.write_text(json.dumps(value))
    return path


def test_a_node_of_the_readers_own_is_believed(sold: Sold, tmp_path: Path) -> None:
    unsigned, trust = without_witnesses(sold, tmp_path / "unsigned.json"), sold.files[:2]
    assert sold.desk.run("verify", *trust, unsigned, code=1).startswith("UNKNOWN: 3 ")
    url = sold.desk.environment["KHALAYAK_RPC_URL"]
    assert sold.desk.run("verify", *trust, "--rpc", url, "--rpc", url, unsigned).startswith("OK: active")


def test_a_node_of_another_chain_or_none_is_never_a_verdict(sold: Sold) -> None:
    with start_hardhat() as other:
        said = sold.desk.run("verify", *sold.files, "--rpc", other, code=2)
    assert "another chain" in said
    said = sold.desk.run("verify", *sold.files, "--rpc", f"http://127.0.0.1:{free_port()}", code=5)
    assert "does not answer" in said and "FAIL" not in said


def test_a_pinned_block_is_believed_and_contradicts_a_forged_one(sold: Sold, tmp_path: Path) -> None:
    number, block_hash = sold.block
    unsigned, trust = without_witnesses(sold, tmp_path / "unsigned.json"), sold.files[:2]
    assert sold.desk.run("verify", *trust, "--block", f"{number}:{block_hash}", unsigned).startswith("OK: ")
    wrong = f"{number}:0x{'1a' * 32}"
    assert sold.desk.run("verify", *trust, "--block", wrong, unsigned, code=1).startswith("FAIL: 3 ")
    for bad in ("x:0x12", f"{number}", f"{number}:0x12"):
        sold.desk.run("verify", *trust, "--block", bad, unsigned, code=2)


def test_offline_excludes_nodes(sold: Sold) -> None:
    assert sold.desk.run("verify", *sold.files, "--offline").startswith("OK: ")
    assert "exclude" in sold.desk.run("verify", *sold.files, "--offline", "--rpc", "http://127.0.0.1:1", code=2)


def test_an_earlier_day_is_told_from_the_history(sold: Sold) -> None:
    said = sold.desk.run("verify", *sold.files, "--as-of", "2020-03-01", code=1)
    assert said.startswith("FAIL: 12 nothing had been recorded by then")
    assert sold.desk.run("verify", *sold.files, "--as-of", "2999-03-01", code=1).startswith(
        "UNKNOWN: 12 the file tells nothing"
    )
    assert "YYYY-MM-DD" in sold.desk.run("verify", *sold.files, "--as-of", "1 March", code=2)


def test_an_earlier_block_needs_a_node_that_says_when_it_was(sold: Sold) -> None:
    url = sold.desk.environment["KHALAYAK_RPC_URL"]
    assert "Name a node" in sold.desk.run("verify", *sold.files, "--as-of", str(sold.issued), code=2)
    said = sold.desk.run("verify", *sold.files, "--as-of", str(sold.issued), "--rpc", url, code=1)
    assert said.startswith("UNKNOWN: 12 the content was another then")
    assert sold.desk.run("verify", *sold.files, "--as-of", str(sold.block[0])).startswith("OK: active, no lien at")


def test_the_office_proves_an_earlier_block_from_its_archive(sold: Sold, tmp_path: Path) -> None:
    out = tmp_path / "then.json"
    sold.desk.run("certificate", "land", sold.nib, "--as-of", str(sold.issued), "-o", out)
    assert [entry["action"] for entry in json.loads(out.read_text())["entries"]] == [1]
    assert sold.desk.run("verify", *sold.files[:2], out).startswith(f"OK: active, no lien as of block {sold.issued},")
    before = sold.desk.run(
        "certificate", "land", sold.nib, "--as-of", str(sold.issued - 1), "-o", out.with_name("b"), code=1
    )
    assert "No record" in before
    later = sold.desk.run("certificate", "land", sold.nib, "--as-of", "999999", "-o", out.with_name("l"), code=5)
    assert "not been followed" in later


def test_a_smaller_certificate_verifies_and_hides_nothing_mandatory(sold: Sold, tmp_path: Path) -> None:
    out = tmp_path / "smaller.json"
    said = sold.desk.run("disclose", sold.folder / "certificate.json", "--only", "holder,nib", "-o", out)
    assert "others are withheld" in said
    names = [field["name"] for field in json.loads(out.read_text())["content"]["fields"]]
    assert names == ["area", "holder", "nib", "right", "schema", "validity"]
    assert sold.desk.run("verify", *sold.files[:2], out).startswith("OK: ")
    assert "no field 'colour'" in sold.desk.run("disclose", out, "--only", "colour", "-o", tmp_path / "x", code=2)
    forged = json.loads(out.read_text())
    forged["content"]["fields"] = [field for field in forged["content"]["fields"] if field["name"] != "validity"]
    (tmp_path / "forged.json").write_text(json.dumps(forged))
    refused = sold.desk.run("verify", *sold.files[:2], tmp_path / "forged.json", code=1)
    assert refused.startswith("FAIL: 8 the mandatory field validity")


def test_a_stranger_verifies_with_the_wheel_and_the_file_alone(sold: Sold, tmp_path: Path) -> None:
    uv = ROOT / ".tools" / "uv" / "bin" / "uv"
    wheel, venv = tmp_path / "wheel", tmp_path / "venv"
    run: dict[str, Any] = {"check": True, "capture_output": True, "cwd": ROOT}
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", wheel], **run)
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, venv], **run)
    (built,) = wheel.glob("*.whl")
    subprocess.run([uv, "pip", "install", "--quiet", "--python", venv / "bin" / "python", built], **run)
    command = [venv / "bin" / "khalayak", "verify", "--offline", *sold.files]
    alone = [shutil.which("unshare") or "unshare", "-rn", *command]
    done = subprocess.run(alone, cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True)
    if "unshare" in done.stderr:
        done = subprocess.run(command, cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("OK: active, no lien"), done.stderr
