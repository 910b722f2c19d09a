"""Entries as the words that their heads are hashes of, in the order of the log; cursors with the hash of a block."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from ledger.encoding import checksum_address

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROWS_A_STEP = 1_000
PLACE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
COMMON = "bytes32 previous,uint32 sequence,uint40 time,uint8 action,uint8 status,bytes32 digest,bytes32 approvals"
LAYOUTS = {  # by a member that no other kind has
    "parents": f"{COMMON},address holder,uint64 area,uint16 liens,bytes32 lienRoot,bytes32 parents",
    "controller": f"{COMMON},address controller,uint40 validUntil",
    "manifest": f"{COMMON},bytes32 root,uint64 count,uint64 total,bytes32 manifest",
}
OLD = "register, record_id, sequence, entry, approvers, block_number, log_index, transaction_hash, holder, action, time"
OLD_INDEXES = {
    "entries_by_place": ["register", "block_number", "log_index"],
    "entries_by_holder": ["register", "holder", "block_number", "log_index"],
    "entries_by_action": ["register", "action", "block_number", "log_index"],
    "entries_by_time": ["register", "time", "block_number"],
}


def upgrade() -> None:
    for name in OLD_INDEXES:
        op.drop_index(name, "entries")
    op.rename_table("entries", "old_entries")
    op.rename_table("cursors", "old_cursors")
    op.create_table(
        "cursors",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("register", sa.String(100), nullable=False, unique=True),
        sa.Column("layout", sa.Text, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(32)),
    )
    op.create_table(
        "calls",
        sa.Column("place", PLACE, primary_key=True, autoincrement=False),
        sa.Column("last_place", sa.BigInteger, nullable=False),
        sa.Column("register", sa.Integer, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("approvers", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "call_approvers",
        sa.Column("approver", sa.LargeBinary(20), primary_key=True),
        sa.Column("call", sa.BigInteger, primary_key=True),
    )
    op.create_table(
        "entries",
        sa.Column("place", PLACE, primary_key=True, autoincrement=False),
        sa.Column("register", sa.Integer, nullable=False),
        sa.Column("record_id", sa.LargeBinary(32), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("call", sa.BigInteger, nullable=False),
        sa.Column("action", sa.Integer, nullable=False),
        sa.Column("holder", sa.LargeBinary(20)),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("register", "record_id", "sequence", name="one_entry_a_sequence"),
    )
    _to_words(op.get_bind())
    op.create_index("calls_by_time", "calls", ["register", "time", "place"])
    op.create_index("entries_by_holder", "entries", ["holder", "place"])
    op.create_index("entries_by_action", "entries", ["register", "action", "place"])
    for table in ("old_entries", "old_cursors", "entry_approvers"):
        op.drop_table(table)


def downgrade() -> None:
    op.drop_index("entries_by_holder", "entries")
    op.drop_index("entries_by_action", "entries")
    op.rename_table("entries", "new_entries")
    op.rename_table("cursors", "new_cursors")
    op.create_table(
        "cursors",
        sa.Column("register", sa.String(100), primary_key=True),
        sa.Column("block_number", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column("register", sa.String(100), primary_key=True),
        sa.Column("record_id", sa.LargeBinary(32), primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("approvers", sa.Text, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("log_index", sa.BigInteger, nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("holder", sa.String(42)),
        sa.Column("action", sa.Integer, nullable=False, server_default="0"),
        sa.Column("time", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_table(
        "entry_approvers",
        sa.Column("register", sa.String(100), primary_key=True),
        sa.Column("approver", sa.String(42), primary_key=True),
        sa.Column("block_number", sa.BigInteger, primary_key=True),
        sa.Column("log_index", sa.BigInteger, primary_key=True),
        sa.Column("holder", sa.String(42)),
        sa.Column("action", sa.Integer, nullable=False),
    )
    _to_json(op.get_bind())
    for name, columns in OLD_INDEXES.items():
        op.create_index(name, "entries", columns)
    for table in ("new_entries", "new_cursors", "calls", "call_approvers"):
        op.drop_table(table)


def _table(name: str, columns: str) -> sa.TableClause:
    return sa.table(name, *map(sa.column, columns.split(", ")))


def _stream(connection: sa.Connection, query: sa.Select[Any], key: list[sa.ColumnElement[Any]]) -> Iterator[Any]:
    """The rows in the order of a key, a thousand at a time: no cursor stays open while others are written."""
    ordered = query.order_by(*key).limit(ROWS_A_STEP)
    rows = connection.execute(ordered).all()
    while rows:
        yield from rows
        last = sa.tuple_(*[getattr(rows[-1], column.name) for column in key])
        rows = connection.execute(ordered.where(sa.tuple_(*key) > last)).all()


def _to_words(connection: sa.Connection) -> None:
    old, old_cursors = _table("old_entries", OLD), _table("old_cursors", "register, block_number")
    cursors = _table("cursors", "id, register, layout, block_number")
    read = {row.register: row.block_number for row in connection.execute(sa.select(old_cursors))}
    names = sorted({*read, *connection.execute(sa.select(old.c.register).distinct()).scalars()})
    for number, name in enumerate(names, 1):
        of = sa.select(old).where(old.c.register == name)
        first = connection.execute(of.limit(1)).first()
        layout = next(text for member, text in LAYOUTS.items() if member in json.loads(first.entry)) if first else ""
        newest = sa.select(sa.func.max(old.c.block_number)).where(old.c.register == name)
        block = read[name] if name in read else connection.execute(newest).scalar()
        row = {"register": name, "layout": layout, "block_number": block}
        connection.execute(cursors.insert().values(row))
        number = connection.execute(sa.select(cursors.c.id).where(cursors.c.register == name)).scalar_one()
        rows = _stream(connection, of, [old.c.block_number, old.c.log_index])
        for _, call in groupby(rows, key=lambda row: (row.transaction_hash, row.approvers)):
            _add_call(connection, number, layout, list(call))


def _add_call(connection: sa.Connection, register: int, layout: str, rows: list[Any]) -> None:
    calls = _table("calls", "place, last_place, register, time, transaction_hash, approvers")
    approvers = _table("call_approvers", "approver, call")
    entries = _table("entries", "place, register, record_id, sequence, call, action, holder, entry")
    packed = [bytes.fromhex(approver[2:]) for approver in json.loads(rows[0].approvers)]
    places = [(register << 33 | row.block_number) << 20 | row.log_index for row in rows]
    call = {"place": places[0], "last_place": places[-1], "register": register, "time": rows[0].time}
    call |= {"transaction_hash": rows[0].transaction_hash, "approvers": b"".join(packed)}
    connection.execute(calls.insert(), call)
    if packed:
        connection.execute(approvers.insert(), [{"approver": by, "call": places[0]} for by in packed])
    changed = [
        {
            "place": place,
            "register": register,
            "record_id": row.record_id,
            "sequence": row.sequence,
            "call": places[0],
            "action": row.action,
            "holder": bytes.fromhex(row.holder[2:]) if row.holder else None,
            "entry": _words(layout, json.loads(row.entry)),
        }
        for place, row in zip(places, rows, strict=True)
    ]
    connection.execute(entries.insert(), changed)


def _to_json(connection: sa.Connection) -> None:
    new = _table("new_entries", "place, register, record_id, sequence, call, action, holder, entry")
    calls = _table("calls", "place, time, transaction_hash, approvers")
    new_cursors = _table("new_cursors", "id, register, layout, block_number")
    cursors, entries = _table("cursors", "register, block_number"), _table("entries", OLD)
    approvers = _table("entry_approvers", "register, approver, block_number, log_index, holder, action")
    for number, name, layout, block in connection.execute(sa.select(new_cursors)).all():
        connection.execute(cursors.insert().values(register=name, block_number=block))
        columns = (new, calls.c.time, calls.c.transaction_hash, calls.c.approvers)
        query = sa.select(*columns).join(calls, calls.c.place == new.c.call).where(new.c.register == number)
        for row in _stream(connection, query, [new.c.place]):
            place = {"register": name, "block_number": row.place >> 20 & (1 << 33) - 1}
            place["log_index"] = row.place & (1 << 20) - 1
            found_by = {"holder": checksum_address(row.holder) if row.holder else None, "action": row.action}
            names = [checksum_address(row.approvers[i : i + 20]) for i in range(0, len(row.approvers), 20)]
            entry = {"entry": json.dumps(_json(layout, row.entry)), "approvers": json.dumps(names), "time": row.time}
            key = {"record_id": row.record_id, "sequence": row.sequence, "transaction_hash": row.transaction_hash}
            connection.execute(entries.insert().values(place | found_by | entry | key))
            if names:
                connection.execute(approvers.insert(), [{**place, **found_by, "approver": by} for by in names])


def _words(layout: str, entry: dict[str, Any]) -> bytes:
    words = []
    for member in layout.split(","):
        kind, name = member.split(" ")
        value = entry[name]
        word = int(value).to_bytes(32, "big") if kind.startswith("uint") else bytes.fromhex(value[2:]).rjust(32, b"\0")
        words.append(word)
    return b"".join(words)


def _json(layout: str, words: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for number, member in enumerate(layout.split(",")):
        kind, name = member.split(" ")
        word = words[32 * number : 32 * number + 32]
        if kind == "address":
            entry[name] = checksum_address(word[12:])
        elif kind == "bytes32":
            entry[name] = "0x" + word.hex()
        else:
            value = int.from_bytes(word, "big")
            entry[name] = value if int(kind[4:]) <= 48 else str(value)
    return entry
