"""How far the key ring tells of an application: not at all (0), how it was accepted (1), how it ended (2)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UNKEPT = sa.text("kept = 0 OR (kept = 1 AND state IN ('certified', 'failed', 'refused'))")


def upgrade() -> None:
    op.add_column("applications", sa.Column("kept", sa.SmallInteger, nullable=False, server_default="0"))
    op.create_index("applications_to_keep", "applications", ["number"], sqlite_where=UNKEPT, postgresql_where=UNKEPT)


def downgrade() -> None:
    op.drop_index("applications_to_keep", "applications")
    op.drop_column("applications", "kept")
