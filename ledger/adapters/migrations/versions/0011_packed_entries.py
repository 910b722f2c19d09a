"""Entries in the widths of their members, without the zeros at the end."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ROWS_A_STEP = 1_000

entries = sa.table("entries", *map(sa.column, ("place", "register", "entry")))
cursors = sa.table("cursors", *map(sa.column, ("id", "layout")))


def upgrade() -> None:
    def packed(lengths: list[int], words: bytes) -> bytes:
        parts = [words[32 * n + 32 - length : 32 * n + 32] for n, length in enumerate(lengths)]
        return b"".join(parts).rstrip(b"\0")

    _change(packed)


def downgrade() -> None:
    def words(lengths: list[int], kept: bytes) -> bytes:
        kept = kept.ljust(sum(lengths), b"\0")
        ends = [sum(lengths[: n + 1]) for n in range(len(lengths))]
        return b"".join([kept[end - n : end].rjust(32, b"\0") for n, end in zip(lengths, ends, strict=True)])

    _change(words)


def _change(form: Callable[[list[int], bytes], bytes]) -> None:
    connection = op.get_bind()
    change = entries.update().where(entries.c.place == sa.bindparam("at")).values(entry=sa.bindparam("changed"))
    for number, layout in connection.execute(sa.select(cursors)).all():
        lengths = [_width(member.split(" ")[0]) for member in layout.split(",") if member]
        query = sa.select(entries).where(entries.c.register == number).order_by(entries.c.place).limit(ROWS_A_STEP)
        rows = connection.execute(query).all()
        while rows:
            connection.execute(change, [{"at": row.place, "changed": form(lengths, row.entry)} for row in rows])
            rows = connection.execute(query.where(entries.c.place > rows[-1].place)).all()


def _width(kind: str) -> int:
    return {"bytes32": 32, "address": 20}.get(kind) or int(kind.removeprefix("uint")) // 8
