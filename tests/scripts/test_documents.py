"""`khalayak documents` on real stores, as an operator types it."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from ledger.adapters.directory_store import DirectoryStore
from ledger.adapters.kubo_store import KuboStore
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.cid import cid_of
from ledger.document_transfer import move
from scripts.cli import main
from tests.kubo import Daemon, ipfs_or_skip, start_kubo
from tests.ports.test_record_store import BODY, application, contents, documents

MIB = 1 << 20


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    repo = tmp_path_factory.mktemp("kubo")
    with start_kubo(ipfs_or_skip(), repo) as address:
        yield Daemon(address, repo)


def data_of(size: int, seed: str) -> bytes:
    return random.Random(f"{size}{seed}").randbytes(size)


def khalayak(folder: Path, *arguments: str, documents: str = "directory", code: int = 0) -> str:
    """What `khalayak documents` prints for the office in a folder, with its errors if it fails; its exit code must be
    `code`."""
    out, errors, ended = StringIO(), StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(errors):
        patch.setattr(sys, "argv", ["khalayak", "documents", *arguments])
        patch.setenv("KHALAYAK_DATA", str(folder))
        patch.setenv("KHALAYAK_DOCUMENTS", documents)
        try:
            main()
        except SystemExit as stop:
            ended = int(stop.code or 0)
    assert ended == code, errors.getvalue()
    return out.getvalue() + (errors.getvalue() if code else "")


def test_a_file_is_added_brought_to_the_node_and_fetched(tmp_path: Path, daemon: Daemon) -> None:
    files = {tmp_path / "small": data_of(1000, "added"), tmp_path / "big": data_of(5 * MIB // 2, "added")}
    for path, data in files.items():
        path.write_bytes(data)
    office = tmp_path / "office"
    office.mkdir()
    said = khalayak(office, "add", *map(str, files), documents=daemon.address)
    assert said == "".join(f"{cid_of(data)}  {path}\n" for path, data in files.items())
    for number, data in enumerate(files.values()):
        assert KuboStore(daemon.address).get(cid_of(data), len(data)) == data
        out = tmp_path / f"out-{number}"
        khalayak(office, "get", cid_of(data), "-o", str(out))
        assert out.read_bytes() == data and out.stat().st_mode & 0o777 == 0o600
    assert "exists" in khalayak(office, "get", cid_of(data), "-o", str(out), code=2)
    assert not list(tmp_path.glob(".out*"))
    missing = khalayak(office, "get", cid_of(b"nowhere"), "-o", str(tmp_path / "nothing"), code=1)
    assert "is not in the directory store" in missing and not (tmp_path / "nothing").exists()


def test_the_audit_says_what_it_found_and_its_exit_code_whether_all_is_well(tmp_path: Path, daemon: Daemon) -> None:
    office = tmp_path / "office"
    office.mkdir()
    (tmp_path / "file").write_bytes(data := data_of(20_000, "audited"))
    cid = khalayak(office, "add", str(tmp_path / "file"), documents=daemon.address).split()[0]
    daemon.damage(cid)
    said = khalayak(office, "audit", documents=daemon.address)
    assert re.search(rf"^corrupt +mended +{daemon.address} +{cid}$", said, re.MULTILINE)
    assert "audited      2 copies, 1 findings" in said
    assert "0 findings" in khalayak(office, "audit", documents=daemon.address)
    next((office / "documents").rglob(cid)).unlink()
    assert re.search(rf"^missing +LOST +here +{cid}$", khalayak(office, "audit", code=1), re.MULTILINE)
    gone = "/ip4/127.0.0.1/tcp/1"
    assert "cannot tell" in khalayak(office, "audit", documents=f"{gone} {daemon.address}", code=5)
    assert next((office / "documents").rglob(cid)).read_bytes() == data


def test_the_audit_misses_what_only_the_database_names(tmp_path: Path) -> None:
    office = tmp_path / "office"
    office.mkdir()
    url = f"sqlite:///{(office / 'office.db').absolute()}"
    migrate(url)
    store = SqlStore(url)
    lost = [replace(document, cid=cid_of(document.cid.encode())) for document in documents()]
    store.add_application(application(), contents(), lost, "key", BODY)
    store.close()
    said = khalayak(office, "audit", code=1)
    assert all(re.search(rf"^missing +LOST +here +{document.cid}$", said, re.MULTILINE) for document in lost)


def test_what_is_exported_is_imported_into_an_empty_office(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "office" / "documents")
    documents = [b"%d" % number for number in range(4100)] + [data_of(5 * MIB // 2, "exported")]
    cids = store.put_many(documents)
    said = khalayak(tmp_path / "office", "export", str(tmp_path / "all.car"))
    assert "all.car: 4,096 documents" in said and "all-2.car: 5 documents" in said
    assert "exported      4,101 documents" in said
    assert sorted(path.name for path in tmp_path.glob("*.car")) == ["all-2.car", "all.car"]
    (tmp_path / "new").mkdir()
    khalayak(tmp_path / "new", "import", str(tmp_path / "all.car"), str(tmp_path / "all-2.car"))
    again = DirectoryStore(tmp_path / "new" / "documents")
    assert set(again.cids()) == set(cids)
    assert again.get(cids[-1], 3 * MIB) == documents[-1]


def test_a_move_that_is_killed_goes_on_where_it_stopped(tmp_path: Path, daemon: Daemon) -> None:
    source = DirectoryStore(tmp_path / "documents")
    sizes = [20_000] * 100 + [MIB + 1] * 40
    cids = source.put_many([data_of(size, f"moved {number}") for number, size in enumerate(sizes)])
    target, there = KuboStore(daemon.address), set[str]()
    command = [sys.executable, "-W", "ignore", "-m", "scripts.cli", "documents", "move"]
    process = subprocess.Popen([*command, str(tmp_path / "documents"), daemon.address], stderr=subprocess.DEVNULL)
    while not there & set(cids):
        there = set(target.cids())
        assert process.poll() is None, "it was done before it was killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = len(set(target.cids()) & set(cids))
    assert 0 < before < len(cids)
    said = khalayak(tmp_path, "move", str(tmp_path / "documents"), daemon.address)
    found = re.search(r"stored +([0-9]+), and ([0-9]+) were there", said)
    assert found, said
    stored, known = int(found[1]), int(found[2])
    assert stored + known == len(cids) and before <= known < len(cids), "the node may have ended what was on its way"
    daemon.ipfs("repo", "gc")
    moved = move(target, DirectoryStore(tmp_path / "back"))
    assert moved.stored >= len(cids) and moved.unreadable == ()
    assert set(cids) <= set(DirectoryStore(tmp_path / "back").cids())
    assert "is no folder" in khalayak(tmp_path, "move", str(tmp_path / "nothing"), daemon.address, code=2)


def test_a_move_names_what_it_cannot_read_and_stores_the_rest(tmp_path: Path) -> None:
    source = DirectoryStore(tmp_path / "documents")
    cids = source.put_many([b"one", b"two", b"three", data_of(5 * MIB // 2, "damaged")])
    for cid in (cids[1], cids[3]):
        next((tmp_path / "documents").rglob(cid)).write_bytes(b"rotten")
    said = khalayak(tmp_path, "move", str(tmp_path / "documents"), str(tmp_path / "target"), code=1)
    assert all(f"unreadable    {cid}" in said for cid in (cids[1], cids[3]))
    assert set(DirectoryStore(tmp_path / "target").cids()) == {cids[0], cids[2]}
