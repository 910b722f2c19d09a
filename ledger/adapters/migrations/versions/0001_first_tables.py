"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "applications",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("register", sa.String(100), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("access_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("idempotency_key", sa.String(255), nullable=False, unique=True),
        sa.Column("body_digest", sa.LargeBinary(32), nullable=False),
    )
    op.create_index("applications_by_state", "applications", ["state", "number"])
    op.create_table(
        "approvals",
        sa.Column("application_id", sa.String(64), sa.ForeignKey("applications.id"), primary_key=True),
        sa.Column("signer", sa.String(42), primary_key=True),
        sa.Column("role", sa.String(16), primary_key=True),
        sa.Column("signature", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "contents",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("application_id", sa.String(64), sa.ForeignKey("applications.id"), nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
    )
    op.create_table(
        "documents",
        sa.Column("cid", sa.String(100), primary_key=True),
        sa.Column("sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("wraps", sa.Text, nullable=False),
    )
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
    )
    op.create_table(
        "cursors",
        sa.Column("register", sa.String(100), primary_key=True),
        sa.Column("block_number", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "certificates",
        sa.Column("register", sa.String(100), primary_key=True),
        sa.Column("record_id", sa.LargeBinary(32), primary_key=True),
        sa.Column("head", sa.LargeBinary(32), primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("certificate", sa.Text, nullable=False),
    )


def downgrade() -> None:
    for table in ("certificates", "cursors", "entries", "transactions", "documents", "contents", "approvals"):
        op.drop_table(table)
    op.drop_table("applications")
