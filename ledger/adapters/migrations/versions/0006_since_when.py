"""Since when an application has been in its state. The database notes it itself, whoever changes the state."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SQLITE = """
CREATE TRIGGER note_change AFTER UPDATE OF state ON applications WHEN OLD.state <> NEW.state BEGIN
  UPDATE applications SET changed = CAST(strftime('%s', 'now') AS INTEGER) WHERE number = NEW.number;
END"""
POSTGRESQL = (
    """
CREATE FUNCTION note_change() RETURNS trigger AS $$ BEGIN
  NEW.changed := floor(EXTRACT(epoch FROM clock_timestamp()));
  RETURN NEW;
END $$ LANGUAGE plpgsql""",
    """
CREATE TRIGGER note_change BEFORE UPDATE OF state ON applications FOR EACH ROW WHEN (OLD.state <> NEW.state)
  EXECUTE FUNCTION note_change()""",
)


def upgrade() -> None:
    # Nullable: an application that never changed has been in its state since it was created.
    op.add_column("applications", sa.Column("changed", sa.BigInteger))
    for statement in POSTGRESQL if _on_postgresql() else (SQLITE,):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    if _on_postgresql():
        op.execute("DROP TRIGGER note_change ON applications")
        op.execute("DROP FUNCTION note_change()")
    else:
        op.execute("DROP TRIGGER note_change")
    op.drop_column("applications", "changed")


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
