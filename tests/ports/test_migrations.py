"""The migrations, on every database, up and down, with data in it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from ledger.adapters.sql_engine import MIGRATIONS, newest_schema
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.adapters.sql_tables import metadata
from ledger.batch_entry import BatchEntry
from ledger.encoding import ZERO32, checksum_address, keccak256
from ledger.entries import Entry, approvals_hash
from ledger.errors import ConfigurationError
from ledger.identity_entry import IdentityEntry
from ledger.land_entry import LandEntry
from ledger.model import Followed, Receipt
from ledger.transaction import Attempt
from wallet.signer import LocalSigner

HOLDERS = tuple(checksum_address(bytes([n]) * 20) for n in (10, 11))
KINDS: tuple[Callable[..., Entry], ...] = (
    lambda *common: LandEntry(*common, HOLDERS[0], 41250, 0, ZERO32, ZERO32),
    lambda *common: IdentityEntry(*common, HOLDERS[1], 2**39),
    lambda *common: BatchEntry(*common, b"r" * 32, 2**60, 2**61, b"m" * 32),
)
ENTRY_COLUMNS = ":register, :record_id, :sequence, :entry, :approvers, :block_number, :log_index, :transaction_hash"


def entry_of(number: int) -> Entry:
    """Two a block, of one register; a title's, an identity's or a batch's."""
    block = number // 2
    common = (ZERO32, number, 1000 + block, 1 + number % 2, 1, bytes([number % 256]) * 32, approvals_hash(HOLDERS))
    return KINDS[block % 3](*common)


def entry_row(number: int) -> dict[str, Any]:
    """A row of `entries` as the first version wrote it."""
    block = number // 2
    return {
        "register": f"r{block % 3}",
        "record_id": bytes(32),
        "sequence": number,
        "entry": json.dumps(entry_of(number).as_json()),
        "approvers": json.dumps(HOLDERS),
        "block_number": block,
        "log_index": number % 2,
        "transaction_hash": bytes([block % 256]) * 32,
    }


def test_the_migrations_make_the_tables_that_the_store_uses(url: str) -> None:
    migrate(url)
    migrate(url)
    with create_engine(url).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_schema_is_the_last_migration() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert scripts.get_heads() == [newest_schema()]
    assert all(Path(script.path).name.startswith(f"{script.revision}_") for script in scripts.walk_revisions())


def to_revision(url: str, revision: str, move: Any) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with create_engine(url).begin() as connection:
        config.attributes["connection"] = connection
        move(config, revision)


def test_an_office_of_the_first_version_keeps_its_records_up_and_down(url: str) -> None:
    to_revision(url, "0001", command.upgrade)
    payload = json.dumps({"records": [{"recordId": "0x" + "1a" * 32, "digest": "0x" + "2b" * 32, "content": []}]})
    with create_engine(url).begin() as connection:
        columns = "id, register, action, payload, state, reason, created, access_digest, idempotency_key, body_digest"
        values = {"payload": payload, "digest": b"d" * 32, "content": bytes.fromhex("2b" * 32)}
        connection.execute(
            text(
                f"INSERT INTO applications ({columns}) VALUES "
                "('one', 'r', 'issue', :payload, 'submitted', '', 1, :digest, 'key', :digest)"
            ),
            values,
        )
        connection.execute(text("INSERT INTO contents VALUES (:content, 'one', '[]')"), values)
        connection.execute(text(f"INSERT INTO entries VALUES ({ENTRY_COLUMNS})"), [entry_row(n) for n in range(1200)])
        connection.execute(text("INSERT INTO cursors VALUES ('r2', 700)"))
    migrate(url)
    store = SqlStore(url)
    found = store.first_application_of("r", bytes.fromhex("1a" * 32))
    assert found is not None and found.id == "one"
    assert found.payload == {"records": [{"recordId": "0x" + "1a" * 32, "digest": "0x" + "2b" * 32}]}
    asked: list[dict[str, Any]] = [{"holder": HOLDERS[1]}, {"approver": HOLDERS[0]}, {"action": 2}, {"since": 1010}]
    counts = [[len(store.entries(f"r{n}", **question, limit=2000)) for question in asked] for n in range(3)]
    assert counts == [[0, 400, 200, 392], [400, 400, 200, 394], [0, 400, 200, 394]]
    numbers = [[n for n in range(1200) if n // 2 % 3 == kind] for kind in range(3)]
    heads = [[item.head for item in store.history(f"r{kind}", bytes(32))] for kind in range(3)]
    assert heads == [[entry_of(n).head for n in of] for of in numbers]
    assert [store.followed(f"r{kind}") for kind in range(3)] == [Followed(n, None) for n in (597, 598, 700)]
    store.close()
    to_revision(url, "0001", command.downgrade)
    with create_engine(url).connect() as connection:
        assert connection.execute(text("SELECT application_id, fields FROM contents")).all() == [("one", "[]")]
        assert connection.execute(text("SELECT payload FROM applications")).scalar() == payload
        assert connection.execute(text("SELECT block_number FROM cursors ORDER BY register")).scalars().all()[2] == 700
        kept = connection.execute(text("SELECT * FROM entries ORDER BY sequence")).mappings().all()
    assert [dict(row) for row in kept] == [entry_row(number) for number in range(1200)]
    migrate(url)


def signed(nonce: int, max_fee: int) -> bytes:
    fields = {
        "chainId": 1,
        "nonce": nonce,
        "to": LocalSigner(b"t" * 32).address,
        "value": 0,
        "data": b"call",
        "gas": 99_000,
    }
    return LocalSigner(b"k" * 32).sign_transaction(
        {**fields, "maxFeePerGas": max_fee, "maxPriorityFeePerGas": max_fee // 10}
    )


EARLIER = ("hash", "raw", "sender", "nonce", "application_id", "state", "block_number", "block_hash")


def earlier_office(url: str) -> list[dict[str, Any]]:
    """The transactions of an office that sent one for each application: one signed, one in a block."""
    to_revision(url, "0009", command.upgrade)
    columns = "id, register, action, payload, state, reason, created, access_digest, idempotency_key, body_digest"
    values = [{"id": name, "state": state, "digest": b"d" * 32} for name, state in (("a", "final"), ("b", "signed"))]
    rows = [
        dict(zip(EARLIER, (keccak256(raw), raw, HOLDERS[0], nonce, name, state, *block), strict=True))
        for nonce, name, state, block in ((3, "a", "final", (9, b"h" * 32)), (4, "b", "signed", (None, None)))
        for raw in [signed(nonce, 1_000 + nonce)]
    ]
    with create_engine(url).begin() as connection:
        into = f"INSERT INTO applications ({columns}) VALUES "
        connection.execute(
            text(into + "(:id, 'r', 'issue', '{\"records\": []}', :state, '', 77, :digest, :id, :digest)"), values
        )
        names = ", ".join(f":{name}" for name in EARLIER)
        connection.execute(text(f"INSERT INTO transactions ({', '.join(EARLIER)}) VALUES ({names})"), rows)
    return rows


def test_transactions_of_one_application_become_nonces_with_attempts_and_come_back(url: str) -> None:
    rows = earlier_office(url)
    migrate(url)
    store = SqlStore(url)
    for row, state in zip(rows, ("final", "signed"), strict=True):
        found = store.transaction_of(row["application_id"])
        assert found is not None
        assert (found.sender, found.nonce, found.applications) == (HOLDERS[0], row["nonce"], (row["application_id"],))
        (attempt,) = found.attempts
        assert (attempt.hash, attempt.raw, attempt.state) == (row["hash"], row["raw"], state)
        assert (attempt.max_fee, attempt.priority_fee, attempt.signed_at) == (1_000 + row["nonce"], 100, 77)
        assert (attempt.block_number, attempt.block_hash) == (row["block_number"], row["block_hash"])
    more = signed(4, 2_000)
    (open_one,) = store.open_transactions(HOLDERS[0])
    store.add_attempt(open_one, Attempt(keccak256(more), more, 2_000, 200, 78))
    store.close()
    to_revision(url, "0009", command.downgrade)
    with create_engine(url).connect() as connection:
        kept = connection.execute(text("SELECT * FROM transactions ORDER BY nonce")).mappings().all()
    assert [dict(row) for row in kept] == [rows[0], {**rows[1], "raw": more, "hash": keccak256(more)}]
    migrate(url)
    store = SqlStore(url)
    store.move("b", "signed", "approved")
    assert store.add_transaction(["b"], HOLDERS[1], 0, lambda _: Attempt(b"n" * 32, b"raw", 1, 1, 1)).nonce == 0
    store.close()


def test_a_schema_with_a_bundle_under_way_goes_back_only_when_it_is_final(url: str) -> None:
    earlier_office(url)
    migrate(url)
    store = SqlStore(url)
    store.move("a", "final", "approved")
    store.move("b", "signed", "approved")
    raw = signed(7, 1_000)
    bundle = store.add_transaction(["a", "b"], HOLDERS[0], 7, lambda _: Attempt(keccak256(raw), raw, 1_000, 100, 1))
    with pytest.raises(RuntimeError, match="not final"):
        to_revision(url, "0009", command.downgrade)
    receipt = Receipt(5, b"b" * 32, True)
    store.update_transaction(bundle, bundle.mined(bundle.hash, "final", receipt), "final")
    store.close()
    to_revision(url, "0009", command.downgrade)
    with create_engine(url).connect() as connection:
        carried = connection.execute(text("SELECT application_id FROM transactions WHERE nonce = 7")).all()
    assert carried == [("a",)]


def test_a_schema_newer_than_the_program_is_refused_and_left_alone(url: str) -> None:
    migrate(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError):
        migrate(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


def test_processes_that_migrate_one_new_database_at_once_all_succeed(url: str) -> None:
    code = "import sys; from ledger.adapters.sql_store import migrate; print(flush=True); input(); migrate(sys.argv[1])"
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    children = [subprocess.Popen([sys.executable, "-c", code, url], **pipes) for _ in range(3)]
    for child in children:
        child.stdout.readline()  # type: ignore[union-attr]
    for child in children:
        child.stdin.write(b"\n")  # type: ignore[union-attr]
        child.stdin.flush()  # type: ignore[union-attr]
    assert [(child.communicate()[1], child.returncode) for child in children] == [(b"", 0)] * 3
    with create_engine(url).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
