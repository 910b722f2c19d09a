"""`khalayak fsck`: whatever is changed in a database with plain SQL is found and named."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog
from sqlalchemy import create_engine, text

from ledger.adapters.sql_tables import metadata
from ledger.bootstrap import open_office, open_witnesses
from ledger.encoding import canonical_json
from ledger.model import Finding
from ledger.retention import Policy
from ledger.state_proof import parse_header
from ledger.upkeep import audit as audit_office
from ledger.upkeep import rebuild
from scripts.cli import main
from scripts.devnet import free_port
from tests.databases import url
from tests.fakes import FakeClock
from tests.hand import Hand, changed
from tests.lively import NOW, STATES, Life, lively

__all__ = ["url"]

# What nothing can contradict, and why it matters to nobody (docs/operations.md).
FREE = {"applications.number", "applications.kept", "applications.changed", "contents.indexed", "carried.position"}
LEFT_OUT = ("leases",)
TABLES = [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]
ROUNDS = range(max(len(table.columns) for table in TABLES))


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with lively(tmp_path_factory.mktemp("audited")) as life:
        yield life


@pytest.fixture
def database(life: Life, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The office's database for plain SQL; as before when the test has ended."""
    with closing(sqlite3.connect(life.database, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        backup = sqlite3.connect(tmp_path / "backup.db")
        connection.backup(backup)
        yield connection
        backup.backup(connection)
        backup.close()


def audit(life: Life) -> list[Finding]:
    return list(audit_office(life.office, lambda: None))


def test_an_office_at_work_has_nothing_that_differs(life: Life) -> None:
    assert audit(life) == []


def block_of(file: bytes) -> int:
    return parse_header(bytes.fromhex(json.loads(file)["state"]["header"][2:])).number


def test_a_certificate_that_was_made_anew_as_of_the_same_block_is_no_difference(life: Life) -> None:
    """Witnesses sign it at another time: their checkpoint is another one."""
    office, store = life.office, life.office.store
    made = max(store.certificates(), key=lambda kept: block_of(kept.file))
    office.certifier.witnesses = open_witnesses(office.settings, FakeClock(NOW + 60))
    block, checkpoint = office.certifier._witnessed(block_of(made.file))
    office.certifier.certify(office.trust.register_named(made.register), made.record_id, block, checkpoint)
    office.certifier.witnesses = open_witnesses(office.settings, FakeClock(NOW))
    found = canonical_json(store.certificate(made.register, made.record_id, made.head))
    assert found != made.file and block_of(found) == block_of(made.file)
    assert audit(life) == []


def named(found: list[Finding], table: str, *columns: str) -> bool:
    return any(item.table == table and item.column in columns for item in found)


@pytest.mark.parametrize("number", ROUNDS)
def test_a_changed_cell_is_found_whatever_its_table_and_column(
    life: Life, database: sqlite3.Connection, number: int
) -> None:
    hand = Hand(database, str(number))
    columns = {t: t.columns.keys()[number] for t in TABLES if number < len(t.columns)}
    columns = {t: column for t, column in columns.items() if f"{t.name}.{column}" not in FREE}
    if "signed_at" in columns.values():
        hand.taken.add(life.applications["recorded"].id)  # of what has not ended nothing says when it was signed
    for table, column in columns.items():
        hand.change(table, column)
    found = audit(life)
    missed = [f"{t.name}.{c}" for t, c in columns.items() if not named(found, t.name, c, "")]
    if "cursors.id" in missed and named(found, "entries", ""):
        missed.remove("cursors.id")  # the entries are another register's then
    assert missed == [], found
    for personal in ("Siti", "Sleman", "PT Contoh"):
        assert personal not in repr(found)


def test_what_nothing_can_contradict_is_no_finding(life: Life, database: sqlite3.Connection) -> None:
    database.execute("UPDATE applications SET number = number + 1000, kept = 0, changed = 1")
    database.execute("UPDATE contents SET indexed = 0")
    database.execute("UPDATE leases SET holder = 'another', expires = 0")
    assert audit(life) == []


def test_a_deleted_row_is_found_in_every_table(life: Life, database: sqlite3.Connection) -> None:
    hand = Hand(database, "delete")
    for table in reversed(TABLES):
        if table.name != "cursors":
            database.execute(f"DELETE FROM {table.name} WHERE rowid = ?", (hand.row(table),))
    found = audit(life)
    assert [t.name for t in TABLES if t.name != "cursors" and not named(found, t.name, "")] == [], found


def test_an_inserted_row_is_found_in_every_table(life: Life, database: sqlite3.Connection) -> None:
    hand = Hand(database, "insert")
    for table in TABLES:
        names = [name for name in table.columns.keys() if name != "number"]  # noqa: SIM118
        unique = {"transactions": {"number", "nonce"}, "applications": {"id", "idempotency_key"}}
        unique |= {"cursors": {"id", "register"}, "entries": {"place", "record_id"}}
        fresh = unique.get(table.name) or {[c.name for c in table.primary_key.columns][-1]}
        cells = database.execute(f"SELECT {', '.join(names)} FROM {table.name} WHERE rowid = ?", (hand.row(table),))
        row = [changed(v, hand.dice) if n in fresh else v for n, v in zip(names, cells.fetchone(), strict=True)]
        marks = ", ".join("?" * len(row))
        database.execute(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", row)
    found = audit(life)
    missed = [t.name for t in TABLES if not any(item.table == t.name for item in found)]
    assert missed == [], found


def test_a_content_that_is_in_the_index_of_persons_and_not_found_there_is_named(
    life: Life, database: sqlite3.Connection
) -> None:
    (digest,) = database.execute("SELECT digest FROM contents WHERE NOT indexed AND fields != ''").fetchone()
    database.execute("UPDATE contents SET indexed = 1 WHERE digest = ?", (digest,))
    found = audit(life)
    assert found and {(item.table, item.column) for item in found} == {("identifiers", "")}
    assert all(f"digest=0x{digest.hex()}" in item.key for item in found)


def test_an_order_is_named_while_it_is_not_carried_out_but_for_one_that_a_hold_stops(
    life: Life, database: sqlite3.Connection
) -> None:
    database.execute("DELETE FROM tombstones")
    (missing,) = audit(life)
    assert (missing.table, missing.column) == ("tombstones", "") and "run the office once" in missing.problem
    (fields,) = database.execute("SELECT fields FROM contents WHERE fields LIKE '%requested%'").fetchone()
    erased = next(field["value"] for field in json.loads(fields) if field["name"] == "erased")
    row = "INSERT INTO holds (register, record_id, since, placed_by, placed) VALUES (?, ?, 7, 'x', x'00')"
    database.execute(row, (str(life.parts.trusted().name), bytes.fromhex(erased[2:])))
    assert {item.table for item in audit(life)} == {"holds"}


def test_a_tombstone_that_would_let_go_of_a_document_that_is_kept_is_named(
    life: Life, database: sqlite3.Connection
) -> None:
    (kept,) = database.execute("SELECT cid FROM documents LIMIT 1").fetchone()
    for cid, problem in ((kept, "one that is to go is kept"), ("gone", "run the office once")):
        database.execute("UPDATE tombstones SET documents = ?", (json.dumps([cid]),))
        (found,) = audit(life)
        assert (found.table, found.column) == ("tombstones", "documents") and problem in found.problem


def test_a_row_whose_cell_is_of_another_type_is_named(life: Life, database: sqlite3.Connection) -> None:
    database.execute("UPDATE entries SET holder = 'text' WHERE rowid = (SELECT min(rowid) FROM entries)")
    database.execute("UPDATE documents SET wraps = '{' WHERE rowid = (SELECT min(rowid) FROM documents)")
    database.execute("UPDATE approvals SET signature = 'text' WHERE rowid = (SELECT min(rowid) FROM approvals)")
    found = audit(life)
    for table, column in (("entries", "holder"), ("documents", "wraps"), ("approvals", "signature")):
        assert named(found, table, column)


@pytest.mark.parametrize("damage", ["gone", "corrupt"])
def test_a_document_or_dossier_that_is_not_whole_in_the_store_is_named(life: Life, damage: str) -> None:
    folder = life.office.settings.data / "documents"
    (document,) = life.office.store.dossier(life.applications["waiting"].id).documents
    dossier = next(line.value for line in life.office.dossiers.ring.lines() if line.value)
    files = [next(folder.rglob(cid)) for cid in (document.cid, dossier["cid"])]
    kept = [path.read_bytes() for path in files]
    try:
        for path, data in zip(files, kept, strict=True):
            path.unlink() if damage == "gone" else path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        found = audit(life)
        assert [(item.table, item.key) for item in found] == [
            ("dossiers", f"application={dossier['application']}"),
            ("documents", f"cid={document.cid}"),
        ]
    finally:
        for path, data in zip(files, kept, strict=True):
            path.write_bytes(data)


def test_an_application_that_the_key_ring_does_not_know_is_named(life: Life) -> None:
    ring = life.office.dossiers.ring.path
    kept = ring.read_bytes()
    try:
        of = life.applications["waiting"].id.encode()
        ring.write_bytes(b"".join(line for line in kept.splitlines(keepends=True) if of not in line))
        (found,) = audit(life)
        assert (found.table, found.key) == ("applications", f"id={of.decode()}")
    finally:
        ring.write_bytes(kept)


def test_the_command_says_0_1_or_5(
    life: Life, database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["khalayak", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    monkeypatch.setenv("KHALAYAK_DATA", str(life.office.settings.data))
    monkeypatch.setenv("KHALAYAK_RPC_URL", life.office.settings.rpc_url)
    assert run("fsck") == 0
    database.execute("UPDATE applications SET reason = 'because' WHERE state = 'failed'")
    assert run("fsck", "--json") == 1
    structlog.get_logger().error("told meanwhile")
    printed = capsys.readouterr()
    assert "told meanwhile" in printed.err
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert {(line["table"], line["column"]) for line in lines} == {("applications", "reason")}
    monkeypatch.setenv("KHALAYAK_RPC_URL", f"http://127.0.0.1:{free_port()}")
    assert run("fsck") == 5


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_an_office_moves_to_postgresql_by_a_rebuild_and_is_audited_there(life: Life, url: str) -> None:
    settings = life.office.settings.model_copy(update={"database_url": url})
    with closing(open_office(settings, rebuilding=True)) as office:
        done, strange = rebuild(office, False, lambda: None)
        assert (done.restored, done.lost, list(strange)) == (len(STATES), [], [])
        assert office.retention.held_about(Policy({}), ["Siti"])
        assert list(audit_office(office, lambda: None)) == []
        with create_engine(url).begin() as connection:
            connection.execute(text("UPDATE entries SET action = action + 1"))
            connection.execute(text("DELETE FROM call_approvers"))
            connection.execute(text("DELETE FROM identifiers"))
            connection.execute(text("UPDATE tombstones SET time = time + 1"))
            connection.execute(text("UPDATE contents SET fields = replace(fields, 'Sleman', 'Bantul')"))
        found = list(audit_office(office, lambda: None))
        assert named(found, "entries", "action") and named(found, "call_approvers", "")
        assert named(found, "contents", "fields")
        assert named(found, "identifiers", "") and named(found, "tombstones", "time")
