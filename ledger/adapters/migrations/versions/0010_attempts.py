"""A transaction is a nonce with several attempts, and carries several applications."""

from __future__ import annotations

from typing import Any

import rlp
import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OPEN = ("signed", "sent", "included")
BEFORE = ("hash", "raw", "sender", "nonce", "application_id", "state", "block_number", "block_hash")

applications = sa.table("applications", *map(sa.column, ("id", "created")))
earlier = sa.table("transactions_before", *map(sa.column, BEFORE))
transactions = sa.table("transactions", *map(sa.column, ("number", "sender", "nonce", "state")))
attempts = sa.table(
    "attempts",
    *map(sa.column, ("hash", "transaction_number", "raw", "max_fee", "priority_fee", "signed_at", "state")),
    *map(sa.column, ("block_number", "block_hash")),
)
carried = sa.table("carried", *map(sa.column, ("transaction_number", "position", "application_id")))


def upgrade() -> None:
    _set_aside()
    op.create_table(
        "transactions",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("sender", sa.String(42), nullable=False),
        sa.Column("nonce", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.UniqueConstraint("sender", "nonce", name="one_transaction_a_nonce"),
    )
    op.create_index("transactions_by_state", "transactions", ["state", "nonce"])
    op.create_table(
        "attempts",
        sa.Column("hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("transaction_number", sa.Integer, sa.ForeignKey("transactions.number"), nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("max_fee", sa.BigInteger, nullable=False),
        sa.Column("priority_fee", sa.BigInteger, nullable=False),
        sa.Column("signed_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("block_number", sa.BigInteger),
        sa.Column("block_hash", sa.LargeBinary(32)),
    )
    op.create_index("attempts_by_transaction", "attempts", ["transaction_number"])
    op.create_table(
        "carried",
        sa.Column("transaction_number", sa.Integer, sa.ForeignKey("transactions.number"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("application_id", sa.String(64), sa.ForeignKey("applications.id"), nullable=False),
    )
    op.create_index("carried_by_application", "carried", ["application_id"])
    _take_apart(op.get_bind())
    op.drop_table("transactions_before")


def downgrade() -> None:
    """A finished bundle keeps its first application only: the others' states say what became of them. Refused while a
    bundle is under way, which the earlier program could not finish."""
    connection = op.get_bind()
    bundles = sa.select(carried.c.transaction_number).where(carried.c.position == 1)
    under_way = sa.select(transactions.c.nonce).where(
        transactions.c.number.in_(bundles), transactions.c.state.in_(OPEN)
    )
    if connection.execute(under_way.limit(1)).first():
        raise RuntimeError("A bundle is not final yet. Let the office finish it before the schema goes back.")
    op.drop_index("carried_by_application", "carried")
    op.drop_index("attempts_by_transaction", "attempts")
    _set_aside()
    op.create_table(
        "transactions",
        sa.Column("hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("sender", sa.String(42), nullable=False),
        sa.Column("nonce", sa.BigInteger, nullable=False),
        sa.Column("application_id", sa.String(64), sa.ForeignKey("applications.id"), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("block_number", sa.BigInteger),
        sa.Column("block_hash", sa.LargeBinary(32)),
        sa.UniqueConstraint("sender", "nonce", name="one_transaction_a_nonce"),
    )
    op.create_index("transactions_by_state", "transactions", ["state", "nonce"])
    _put_together(connection)
    for table in ("carried", "attempts", "transactions_before"):
        op.drop_table(table)


def _set_aside() -> None:
    op.drop_index("transactions_by_state", "transactions")
    op.rename_table("transactions", "transactions_before")
    if op.get_bind().dialect.name == "postgresql":  # where names of constraints are taken, also those of other tables
        op.drop_constraint("one_transaction_a_nonce", "transactions_before")


def _take_apart(connection: sa.Connection) -> None:
    found = sa.select(earlier, applications.c.created).join(applications, applications.c.id == earlier.c.application_id)
    rows = connection.execute(found.order_by(applications.c.created, earlier.c.sender, earlier.c.nonce))
    for number, row in enumerate(rows.all(), 1):
        priority_fee, max_fee = _fees(row.raw)
        connection.execute(
            transactions.insert(), {"number": number, **{k: getattr(row, k) for k in ("sender", "nonce", "state")}}
        )
        attempt = {name: getattr(row, name) for name in ("hash", "raw", "state", "block_number", "block_hash")}
        fees = {"max_fee": max_fee, "priority_fee": priority_fee, "signed_at": row.created}
        connection.execute(attempts.insert(), {**attempt, **fees, "transaction_number": number})
        values = {"transaction_number": number, "position": 0, "application_id": row.application_id}
        connection.execute(carried.insert(), values)
    if connection.dialect.name == "postgresql":
        highest = "SELECT coalesce(max(number), 0) + 1 FROM transactions"
        sequence = "SELECT setval(pg_get_serial_sequence('transactions', 'number'), (%s), false)"
        connection.execute(sa.text(sequence % highest))


def _fees(raw: bytes) -> tuple[int, int]:
    """Priority and maximum fee of an EIP-1559 transaction, which is all that this program ever signed."""
    fields = rlp.decode(raw[1:])
    return int.from_bytes(fields[2], "big"), int.from_bytes(fields[3], "big")


def _put_together(connection: sa.Connection) -> None:
    before = sa.table("transactions_before", *map(sa.column, ("number", "sender", "nonce", "state")))
    after = sa.table("transactions", *map(sa.column, BEFORE))
    first = sa.and_(carried.c.transaction_number == before.c.number, carried.c.position == 0)
    for row in connection.execute(sa.select(before, carried.c.application_id).join(carried, first)).all():
        # The one that is in a block, else the newest, which offers most.
        of_row = sa.select(attempts).where(attempts.c.transaction_number == row.number)
        leading = of_row.order_by(attempts.c.block_hash.is_(None), attempts.c.max_fee.desc()).limit(1)
        attempt: Any = connection.execute(leading).one()
        values = {name: getattr(attempt, name) for name in ("hash", "raw", "block_number", "block_hash")}
        values |= {"state": row.state if row.state != "lost" else "failed"}
        connection.execute(
            after.insert(),
            {**values, "sender": row.sender, "nonce": row.nonce, "application_id": row.application_id},
        )
