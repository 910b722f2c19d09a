"""`khalayak entries KIND`: the log of a register, as far as the office has followed it."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ledger.encoding import parse_address, to_hex
from ledger.paging import page_of, parse_cursor
from ledger.registers import action_named, register_of_kind
from scripts.cli_office import Kind, open_office
from scripts.cli_verify import DAY, end_of

MAX_PAGE = 10_000
DAYS = "--since and --until take a day YYYY-MM-DD"


def entries(
    kind: Kind,
    holder: Annotated[str, typer.Option(help="address of the holder or controller that an entry names")] = "",
    approver: Annotated[str, typer.Option(help="address of a registrar who approved")] = "",
    action: Annotated[str, typer.Option(help="as issue or transfer")] = "",
    since: Annotated[str, typer.Option(help="first day, YYYY-MM-DD in UTC")] = "",
    until: Annotated[str, typer.Option(help="last day, YYYY-MM-DD in UTC")] = "",
    cursor: Annotated[str, typer.Option(help="from the page before")] = "",
    limit: Annotated[int, typer.Option(min=1, max=MAX_PAGE)] = 100,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """The entries of all records of a register, oldest first: those that meet every condition given."""
    with open_office() as office:
        trusted, register = office.trust.register_of_kind(kind), register_of_kind(kind)
        found = office.store.entries(
            str(trusted.name),
            holder=parse_address(holder, "/holder") if holder else None,
            approver=parse_address(approver, "/approver") if approver else None,
            action=action_named(register, action) if action else None,
            since=end_of(since, DAYS) + 1 - DAY if since else None,
            until=end_of(until, DAYS) if until else None,
            after=parse_cursor(cursor) if cursor else None,
            limit=limit + 1,
        )
    shown, following = page_of(found, limit)
    if as_json:
        listed = [{"recordId": to_hex(i.record_id), "block": i.block_number, "entry": dict(i.entry)} for i in shown]
        typer.echo(json.dumps({"entries": listed, "has_more": following is not None, "cursor": following}))
        return
    table = Table("block", "time", "action", "record", "seq")
    for item in shown:
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(item.entry["time"]))
        name = register.actions[item.entry["action"]]
        table.add_row(str(item.block_number), moment, name, to_hex(item.record_id), str(item.entry["sequence"]))
    Console().print(table)
    if following is not None:
        typer.echo(f"More: add --cursor {following}")


COMMANDS = (entries,)
