"""What was erased, what a law holds, and by whom contents are found without naming anybody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("contents") as table:
        table.add_column(sa.Column("indexed", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("contents_by_indexed", "contents", ["indexed"])
    op.create_table(
        "identifiers",
        sa.Column("hmac", sa.LargeBinary(32), primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), sa.ForeignKey("contents.digest"), primary_key=True),
    )
    op.create_index("identifiers_by_digest", "identifiers", ["digest"])
    op.create_table(
        "tombstones",
        sa.Column("series", sa.LargeBinary(32), primary_key=True),
        sa.Column("register", sa.String(100), nullable=False),
        sa.Column("erased", sa.LargeBinary(32), nullable=False),
        sa.Column("ground", sa.String(32), nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("receipt", sa.LargeBinary(32), nullable=False),
        sa.Column("documents", sa.Text, nullable=False),
        sa.Column("applications", sa.Text, nullable=False),
        sa.Column("purged", sa.Boolean, nullable=False),
    )
    op.create_index("tombstones_by_erased", "tombstones", ["register", "erased"])
    op.create_table(
        "holds",
        sa.Column("register", sa.String(100), primary_key=True),
        sa.Column("record_id", sa.LargeBinary(32), primary_key=True),
        sa.Column("since", sa.BigInteger, primary_key=True),
        sa.Column("placed_by", sa.String(42), nullable=False),
        sa.Column("placed", sa.LargeBinary, nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("lifted_by", sa.String(42)),
        sa.Column("lifted", sa.LargeBinary),
    )


def downgrade() -> None:
    for table in ("holds", "tombstones", "identifiers"):
        op.drop_table(table)
    op.drop_index("contents_by_indexed", "contents")
    with op.batch_alter_table("contents") as contents:
        contents.drop_column("indexed")
