"""The contents of one application are found without reading those of all."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INDEX = "contents_by_application"


def upgrade() -> None:
    op.create_index(INDEX, "contents", ["application_id"])


def downgrade() -> None:
    op.drop_index(INDEX, "contents")
