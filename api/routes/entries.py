"""The log of a register: the entries of all its records, by who holds, who approved, what was done and when."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query

from api.deps import OfficeDep, Trusted
from api.routes.records import MAX_PAGE, entry_answer
from api.schemas import EntriesAnswer, LoggedEntryAnswer
from ledger.encoding import parse_address, to_hex
from ledger.model import RecordedEntry
from ledger.paging import page_of, parse_cursor
from ledger.registers import action_named, register_of_kind
from ledger.trust import TrustedRegister

router = APIRouter(prefix="/v1/{kind}", tags=["records"])

Address = Annotated[str | None, Query(description="0x and 40 hex digits")]
Seconds = Annotated[int | None, Query(ge=0, lt=2**40, description="block time, in seconds since 1970, included")]


@router.get("/entries", summary="The entries of all records, oldest first")
def entries(
    office: OfficeDep,
    trusted: Trusted,
    holder: Address = None,
    approver: Address = None,
    action: Annotated[str | None, Query(description="its name, from /v1/registers")] = None,
    since: Seconds = None,
    until: Seconds = None,
    cursor: Annotated[str | None, Query(description="from the `next` of a page")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 20,
) -> EntriesAnswer:
    """Those that meet every condition. `holder` is the holder or controller that an entry names. A cursor stays good
    when entries are added: pages that are read to the end leave nothing out and give nothing twice."""
    block = office.state(trusted).followed()
    found = office.store.entries(
        str(trusted.name),
        holder=parse_address(holder, "/holder") if holder is not None else None,
        approver=parse_address(approver, "/approver") if approver is not None else None,
        action=action_named(register_of_kind(trusted.kind), action) if action is not None else None,
        since=since,
        until=until,
        after=parse_cursor(cursor) if cursor is not None else None,
        limit=limit + 1,
    )
    shown, following = page_of(found, limit)
    links = {}
    if following is not None:
        asked = {"holder": holder, "approver": approver, "action": action, "since": since, "until": until}
        given = {name: value for name, value in asked.items() if value is not None}
        links["next"] = f"/v1/{trusted.kind}/entries?{urlencode({**given, 'limit': limit, 'cursor': following})}"
    answers = [_answer(trusted, item) for item in shown]
    return EntriesAnswer(asOfBlock=block, entries=answers, has_more=following is not None, links=links)


def _answer(trusted: TrustedRegister, item: RecordedEntry) -> LoggedEntryAnswer:
    return LoggedEntryAnswer(recordId=to_hex(item.record_id), **vars(entry_answer(trusted, item)))
