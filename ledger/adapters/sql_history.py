"""Queries over the entries of a whole register. In a log time never goes back, so a time range is one of blocks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ScalarSelect, Select, and_, select, tuple_

from ledger.adapters.sql_tables import entries, entry_approvers
from ledger.model import Place


def entries_in_order(register: str, approver: str | None, after: Place | None) -> Select[Any]:
    """The entries in the order of the log, from behind `after`; those of an approver are walked by his own index."""
    query, at = select(entries).where(entries.c.register == register), entries.c
    if approver is not None:
        at = entry_approvers.c
        same = (at[name] == entries.c[name] for name in ("register", "block_number", "log_index"))
        query = query.join(entry_approvers, and_(*same)).where(at.register == register, at.approver == approver)
    if after is not None:
        query = query.where(tuple_(at.block_number, at.log_index) > tuple_(*after))
    return query.order_by(at.block_number, at.log_index, entries.c.sequence)


def first_block_since(register: str, time: int) -> ScalarSelect[Any]:
    query = select(entries.c.block_number).where(entries.c.register == register, entries.c.time >= time)
    return query.order_by(entries.c.time, entries.c.block_number).limit(1).scalar_subquery()


def last_block_until(register: str, time: int) -> ScalarSelect[Any]:
    query = select(entries.c.block_number).where(entries.c.register == register, entries.c.time <= time)
    return query.order_by(entries.c.time.desc(), entries.c.block_number.desc()).limit(1).scalar_subquery()
