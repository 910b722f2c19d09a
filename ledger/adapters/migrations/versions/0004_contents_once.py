"""Contents stand in their own table alone, so that erasing one row erases them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROWS_A_STEP = 100

applications = sa.table("applications", *map(sa.column, ("number", "payload")))
contents = sa.table("contents", *map(sa.column, ("digest", "fields")))


def upgrade() -> None:
    _change(op.get_bind(), lambda record: record.pop("content", None))


def downgrade() -> None:
    connection = op.get_bind()

    def put_back(record: dict[str, Any]) -> None:
        of_digest = contents.c.digest == bytes.fromhex(record.get("digest", "0x")[2:])
        fields = connection.execute(sa.select(contents.c.fields).where(of_digest)).scalar()
        if fields is not None:
            record["content"] = json.loads(fields)

    _change(connection, put_back)


def _change(connection: sa.Connection, change: Callable[[dict[str, Any]], object]) -> None:
    ordered = sa.select(applications).order_by(applications.c.number).limit(ROWS_A_STEP)
    number = 0
    while rows := connection.execute(ordered.where(applications.c.number > number)).all():
        for number, text in rows:
            payload = json.loads(text)
            for record in payload["records"]:
                change(record)
            changed = applications.update().where(applications.c.number == number)
            connection.execute(changed.values(payload=json.dumps(payload)))
