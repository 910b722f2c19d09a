"""Which record a content is of, and what the chain revealed of commitments: all registers need them."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("contents") as table:
        table.add_column(sa.Column("record_id", sa.LargeBinary(32), nullable=False, server_default=""))
    connection = op.get_bind()
    for (payload,) in connection.execute(sa.text("SELECT payload FROM applications")).fetchall():
        for record in json.loads(payload)["records"]:
            row = {name: bytes.fromhex(record[key][2:]) for name, key in (("id", "recordId"), ("digest", "digest"))}
            connection.execute(sa.text("UPDATE contents SET record_id = :id WHERE digest = :digest"), row)
    op.create_index("contents_by_record", "contents", ["record_id"])
    op.create_table(
        "revealed",
        sa.Column("register", sa.String(100), primary_key=True),
        sa.Column("commitment", sa.LargeBinary(32), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("revealed")
    op.drop_index("contents_by_record", "contents")
    with op.batch_alter_table("contents") as table:
        table.drop_column("record_id")
