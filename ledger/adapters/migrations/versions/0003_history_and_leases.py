"""What histories are asked by, and who may do what only one process may."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROWS_A_STEP = 1_000
PLACE = ["register", "block_number", "log_index"]
INDEXES = {
    "entries_by_place": PLACE,
    "entries_by_holder": ["register", "holder", "block_number", "log_index"],
    "entries_by_action": ["register", "action", "block_number", "log_index"],
    "entries_by_time": ["register", "time", "block_number"],
}


def upgrade() -> None:
    with op.batch_alter_table("entries") as table:
        table.add_column(sa.Column("holder", sa.String(42)))
        table.add_column(sa.Column("action", sa.Integer, nullable=False, server_default="0"))
        table.add_column(sa.Column("time", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "entry_approvers",
        sa.Column("register", sa.String(100), primary_key=True),
        sa.Column("approver", sa.String(42), primary_key=True),
        sa.Column("block_number", sa.BigInteger, primary_key=True),
        sa.Column("log_index", sa.BigInteger, primary_key=True),
        sa.Column("holder", sa.String(42)),
        sa.Column("action", sa.Integer, nullable=False),
    )
    _fill(op.get_bind())
    for name, columns in INDEXES.items():
        op.create_index(name, "entries", columns)
    op.create_table(
        "leases",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("leases")
    for name in INDEXES:
        op.drop_index(name, "entries")
    op.drop_table("entry_approvers")
    with op.batch_alter_table("entries") as table:
        for name in ("holder", "action", "time"):
            table.drop_column(name)


def _fill(connection: sa.Connection) -> None:
    key = ("register", "record_id", "sequence")
    entries = sa.table("entries", *map(sa.column, (*key, *PLACE[1:], "entry", "approvers", "holder", "action", "time")))
    approvers = sa.table("entry_approvers", *map(sa.column, (*PLACE, "approver", "holder", "action")))
    columns = sa.tuple_(*(entries.c[name] for name in key))
    ordered = sa.select(entries).order_by(*(entries.c[name] for name in key)).limit(ROWS_A_STEP)
    change = entries.update().where(*(entries.c[name] == sa.bindparam(f"key_{name}") for name in key))
    change = change.values({name: sa.bindparam(name) for name in ("holder", "action", "time")})
    rows = connection.execute(ordered).all()
    while rows:
        changed, given = [], []
        for row in rows:
            entry = json.loads(row.entry)
            found_by = {"holder": entry.get("holder", entry.get("controller")), "action": entry["action"]}
            changed.append({**found_by, "time": entry["time"], **{f"key_{name}": getattr(row, name) for name in key}})
            place = {name: getattr(row, name) for name in PLACE}
            given += [{**place, **found_by, "approver": approver} for approver in json.loads(row.approvers)]
        connection.execute(change, changed)
        if given:
            connection.execute(approvers.insert(), given)
        last = tuple(getattr(rows[-1], name) for name in key)
        rows = connection.execute(ordered.where(columns > sa.tuple_(*last))).all()
