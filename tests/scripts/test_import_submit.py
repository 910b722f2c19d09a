"""`khalayak import` at a real office: what is recorded, what registrars sign, and what a crash leaves."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from ledger.errors import Refused
from ledger.import_manifest import check_signatures
from ledger.import_rows import Options
from ledger.importing import Import
from ledger.registers import register_of_kind
from scripts.samples import registry
from tests.importer import ROOT, Importer


@pytest.mark.parametrize("kind", ["transactions", "land", "identity", "diplomas"])
def test_a_registry_of_every_kind_is_imported_signed_and_certified(desk: Importer, kind: str) -> None:
    path = desk.file(kind, 12, "jsonl" if kind == "diplomas" else "csv")
    before = len(desk.contents(kind))
    said = desk.run(kind, path, *desk.keystores, "--yes")
    manifest = desk.manifest(path)
    assert "12 good, 0 bad" in said and manifest["rows"] == 12 and manifest["waiting"] == 0
    assert len(desk.contents(kind)) == before + 12
    assert len(check_signatures(manifest)) == 2
    desk.certify()
    store = desk.parts.office.store
    assert {store.application(line["application"]).state for line in manifest["chunks"]} == {"certified"}
    record = store.application(manifest["chunks"][0]["application"]).payload["records"][0]
    assert desk.parts.verdict(kind, bytes.fromhex(record["recordId"][2:])).axes["integrity"].state == "valid"


def test_a_series_takes_one_batch_at_a_time_and_the_rest_follows(
    desk: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.importing.MAX_DOCUMENT_BYTES_A_CHUNK", len(registry.DEED) * 2)
    path = desk.file("diplomas", 5)
    # All of one series, in chunks of two documents.
    text = path.read_text().splitlines()
    names = text[0].split(",")
    changed = [
        dict(zip(names, line.split(","), strict=True)) | {"institution": "id-satu", "year": "2020"} for line in text[1:]
    ]
    path.write_text("\n".join([text[0], *(",".join(row[name] for name in names) for row in changed)]) + "\n")
    for rows, waiting in ((2, 3), (4, 1), (5, 0), (5, 0)):
        said = desk.run("diplomas", path, *desk.keystores, "--yes")
        manifest = desk.manifest(path)
        assert (manifest["rows"], manifest["waiting"]) == (rows, waiting) and ("waiting" in said) == bool(waiting)
        desk.certify()
    register, series = register_of_kind("diplomas"), {"institution": "id-satu", "year": "2020"}
    assert desk.parts.newest("diplomas", register.record_id(series))["total"] == "5"


def test_a_parquet_file_is_imported(desk: Importer) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    row = {**desk.row(buyer="id-parket"), "date": date(2025, 3, 9), "amount": Decimal("5.00")}
    path = desk.folder / "registry.parquet"
    parquet.write_table(arrow.Table.from_pylist([row, {**row, "id": "bad", "amount": None}]), path)
    desk.run("transactions", path, "--skip-bad")
    (content,) = [content for content in desk.contents("transactions") if content["buyer"] == "id-parket"]
    assert (content["date"], content["amount"]) == ("2025-03-09", "5.00")
    rejected = json.loads(path.with_name("registry.rejected.jsonl").read_text())
    assert rejected["id"] == "bad" and "amount" not in rejected


def test_ten_times_the_rows_take_no_more_memory_to_check(desk: Importer) -> None:
    peaks = []
    for rows in (500, 5_000):
        job = Import(
            desk.parts.office.applications, desk.file("transactions", rows), Options("transactions", "append", {})
        )
        tracemalloc.start()
        assert job.check().good == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        job.close()
    # A row takes over a kilobyte in memory; other threads of this process may take some too meanwhile.
    assert peaks[1] < peaks[0] + (512 << 10), peaks


def test_what_failed_is_submitted_anew_by_the_same_command(desk: Importer) -> None:
    path = desk.table(desk.row(buyer="id-gagal"))
    desk.run("transactions", path)
    first = desk.manifest(path)["chunks"][0]["application"]
    desk.parts.office.store.move(first, "submitted", "failed", "for the test")
    desk.run("transactions", path)
    second = desk.manifest(path)["chunks"][0]["application"]
    assert first != second and desk.parts.office.store.application(second).state == "submitted"


def test_a_registrar_does_not_sign_what_is_not_in_the_file(desk: Importer) -> None:
    path = desk.file("land", 2)
    desk.run("land", path)
    application = desk.manifest(path)["chunks"][0]["application"]
    with desk.database() as database:
        (text,) = database.execute("SELECT payload FROM applications WHERE id = ?", (application,)).fetchone()
        payload = json.loads(text)
        payload["records"][1]["holder"] = desk.parts.registrars[0].address
        database.execute("UPDATE applications SET payload = ? WHERE id = ?", (json.dumps(payload), application))
    assert "is not what the file says" in desk.run("land", path, *desk.keystores, "--yes", code=4)
    assert desk.parts.office.store.approvals(application) == []


def test_a_changed_manifest_is_noticed(desk: Importer) -> None:
    path = desk.table(desk.row(buyer="id-manifes"))
    desk.run("transactions", path, *desk.keystores, "--yes")
    manifest = desk.manifest(path)
    assert check_signatures(manifest) == [item["signer"] for item in manifest["signatures"]]
    for changed in ({"rows": 2}, {"source": "0x" + "00" * 32}, {"chunks": []}):
        with pytest.raises(Refused, match="is not by"):
            check_signatures({**manifest, **changed})


def test_nothing_is_signed_without_a_yes(desk: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.table(desk.row(buyer="id-tanya"))
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert "Nothing more was signed" in desk.run("transactions", path, *desk.keystores, code=4)


def test_an_import_that_is_killed_again_and_again_brings_every_row_once(desk: Importer) -> None:
    rows = [desk.row(buyer=f"id-bunuh-{n % 5}") for n in range(250)]
    path, environment = desk.table(*rows), {**os.environ, **desk.environment}
    command, kills = [sys.executable, "-m", "scripts.cli", "import", "transactions", str(path)], 0
    for attempt in count():
        before = desk.applications()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # Killed at the first sign of a new chunk, and each time a little later.
        while process.poll() is None and desk.applications() == before:
            time.sleep(0.01)
        time.sleep(0.003 * attempt)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        _, said = process.communicate()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, said
        kills += 1
    assert kills >= 2
    given = Counter(c["id"] for c in desk.contents("transactions") if c["buyer"].startswith("id-bunuh-"))
    assert given == Counter(row["id"] for row in rows)
    assert desk.manifest(path)["rows"] == len(rows) and len(desk.manifest(path)["chunks"]) == 5


def test_the_same_rows_give_the_same_import_and_other_options_another(desk: Importer) -> None:
    path = desk.table(desk.row())
    options = Options("transactions", "append", {})
    ids = []
    for given in (
        options,
        options,
        Options("transactions", "appendLeaves", {}),
        Options("transactions", "append", {}, skip_bad=True),
    ):
        job = Import(desk.parts.office.applications, path, given)
        ids.append(job.id)
        job.close()
    assert ids[0] == ids[1] and len(set(ids)) == 3


def test_the_commands_of_the_documentation_run_in_order(desk: Importer) -> None:
    _, _, text = (ROOT / "docs" / "operations.md").read_text().partition("## Import a legacy registry\n")
    text, _, _ = text.partition("\n## ")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    script = "\n".join(["set -euo pipefail", *blocks]).replace("build/import", str(desk.folder / "docs"))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, **desk.environment, "PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = desk.manifest(desk.folder / "docs" / "land.csv")["chunks"]
    assert desk.parts.office.store.application(line["application"]).state == "certified"
