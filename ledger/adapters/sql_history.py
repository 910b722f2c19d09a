"""The query over the entries of a whole register, in the order of its log."""

from __future__ import annotations

from typing import Any

from ledger.adapters.sql_places import all_of, numbered
from ledger.encoding import address_bytes
from ledger.model import Place

COLUMNS = "e.place, e.record_id, e.entry, c.transaction_hash, c.approvers"
# The entries of the register with this number; conditions and an order may follow.
OF_REGISTER = f"SELECT {COLUMNS} FROM entries e CROSS JOIN calls c WHERE c.place = e.call AND e.register = :number"  # nosec B608


def entries_query(
    register: int,
    holder: str | None,
    approver: str | None,
    action: int | None,
    since: int | None,
    until: int | None,
    after: Place | None,
    limit: int,
) -> tuple[str, dict[str, Any]]:
    """See RecordStore.entries: SQL and its parameters. SQLite goes through tables of a CROSS JOIN as they are written,
    so that each question has one index that it is read along: a planner without statistics that chooses by itself may
    read the whole register for one page. In a log time never goes back, so a time range is one of places."""
    first, last = all_of(register)
    low = first if after is None else numbered(register, after) + 1
    values: dict[str, Any] = {"register": register, "low": low, "high": last, "limit": limit}
    values |= {"action": action, "since": since, "until": until}
    tables, order = "entries e CROSS JOIN calls c", "e.place"
    where = ["c.place = e.call", "e.place BETWEEN :low AND :high"]
    if holder is not None:
        where.append("e.holder = :holder")
        values["holder"] = address_bytes(holder)
    if approver is not None:
        values["approver"] = address_bytes(approver)
        if holder is None:
            tables, order = "call_approvers a CROSS JOIN calls c CROSS JOIN entries e", "a.call, e.place"
            before = "SELECT coalesce(max(place), :low) FROM calls WHERE place <= :low"
            where += ["a.approver = :approver", f"a.call >= ({before})", "a.call <= :high", "c.place = a.call"]
            where.append("e.place BETWEEN c.place AND c.last_place")
        else:
            where.append("EXISTS (SELECT 1 FROM call_approvers a WHERE a.approver = :approver AND a.call = e.call)")
    if action is not None:
        # A sign keeps SQLite from the index by action, which is the worse one beside a holder or an approver.
        sign = "" if holder is approver is None else "+"
        where += ["e.register = :register", f"{sign}e.action = :action"]
    if since is not None:
        where.append(f"e.place >= ({_at_time('place', '>= :since', 'time, place')})")
    if until is not None:
        where.append(f"e.place <= ({_at_time('last_place', '<= :until', 'time DESC, place DESC')})")
    # Nothing of a question is in the words of the query, but by the names of its values.
    query = f"SELECT {COLUMNS} FROM {tables} WHERE {' AND '.join(where)} ORDER BY {order} LIMIT :limit"  # nosec B608
    return query, values


def _at_time(column: str, condition: str, order: str) -> str:
    of_time = f"register = :register AND time {condition}"
    return f"SELECT {column} FROM calls WHERE {of_time} ORDER BY {order} LIMIT 1"  # nosec B608
