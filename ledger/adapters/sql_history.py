"""The query over the entries of a whole register. In a log time never goes back, so a time range is one of blocks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ScalarSelect, Select, and_, select, tuple_

from ledger.adapters.sql_tables import entries, entry_approvers
from ledger.model import Place


def entries_query(
    register: str,
    holder: str | None,
    approver: str | None,
    action: int | None,
    since: int | None,
    until: int | None,
    after: Place | None,
    limit: int,
) -> Select[Any]:
    """See RecordStore.entries. The places are found first, in one table and in the order of one index: a join that a
    planner without statistics lays out as it likes may read the whole register for one page."""
    at = (entries if approver is None else entry_approvers).c
    found = select(at.block_number, at.log_index).where(at.register == register)
    wanted = {"holder": holder, "approver": approver, "action": action}
    found = found.where(*(at[name] == value for name, value in wanted.items() if value is not None))
    if since is not None:
        found = found.where(at.block_number >= _first_block_since(register, since))
    if until is not None:
        found = found.where(at.block_number <= _last_block_until(register, until))
    if after is not None:
        found = found.where(tuple_(at.block_number, at.log_index) > tuple_(*after))
    places = found.order_by(at.block_number, at.log_index).limit(limit).subquery()
    same = (entries.c[name] == places.c[name] for name in ("block_number", "log_index"))
    query = select(entries).join(places, and_(*same)).where(entries.c.register == register)
    return query.order_by(entries.c.block_number, entries.c.log_index)


def _first_block_since(register: str, time: int) -> ScalarSelect[Any]:
    query = select(entries.c.block_number).where(entries.c.register == register, entries.c.time >= time)
    return query.order_by(entries.c.time, entries.c.block_number).limit(1).scalar_subquery()


def _last_block_until(register: str, time: int) -> ScalarSelect[Any]:
    query = select(entries.c.block_number).where(entries.c.register == register, entries.c.time <= time)
    return query.order_by(entries.c.time.desc(), entries.c.block_number.desc()).limit(1).scalar_subquery()
