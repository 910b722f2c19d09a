"""`khalayak rebuild`, `fsck` and `reanchor`: a database that can be lost, and the question whether it is true."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ledger.errors import Conflict
from ledger.model import Finding
from scripts.cli_office import open_office
from scripts.progress import progress


def rebuild(
    missing: Annotated[bool, typer.Option("--missing", help="restore what a database from a backup lacks")] = False,
) -> None:
    """Restore an empty database from the chain, the document store and the key files.

    The same command again goes on where it stopped."""
    from ledger.upkeep import rebuild

    with open_office(rebuilding=True) as office:
        with progress("restored", None, "applications") as advance:
            done, strange = rebuild(office, missing, lambda: advance(1))
        typer.echo(f"restored      {done.restored:,} applications; {done.there:,} were there")
        for line in strange:
            typer.echo(f"recorded by others  {line}")
        for name, why in done.lost:
            typer.echo(f"lost          {name}: {why}")
        if done.lost:
            raise Conflict(f"{len(done.lost):,} could not be restored.", "Look for their documents in other stores.")


def fsck(as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False) -> None:
    """Compare the database with the chain, the documents and the key ring, and name every row that differs.

    Exit code 0 if none does, 1 if some do, 5 where it cannot be told. Nothing is changed."""
    from ledger import upkeep

    with open_office() as office, progress("compared", None, "rows") as advance:
        found = 0
        for item in upkeep.audit(office, lambda: advance(1)):
            found += 1
            typer.echo(json.dumps(asdict(item)) if as_json else _line(item))
    if found:
        raise Conflict(
            f"{found:,} differ.",
            "Rows that are missing: `khalayak rebuild --missing`. Others: find out who wrote them.",
        )


def reanchor(
    old: Annotated[Path, typer.Argument(help="data folder of the office whose chain is lost; it is only read")],
) -> None:
    """Apply at this office for all that another had on a chain that is lost, with the same contents and documents.

    Registrars approve each application. The same command again goes on: a series takes one batch after another."""
    from ledger import upkeep

    with open_office() as office:
        with progress("looked at", None, "records") as advance:
            done = upkeep.reanchor(office, old, lambda: advance(1))
        for remark in done.remarks:
            typer.echo(f"look after    {remark}")
        for application_id in done.applications:
            typer.echo(f"application   {application_id}")
        typer.echo(f"applied for   {len(done.applications):,} applications, which are not recorded yet")
        if done.waiting:
            typer.echo(
                f"waiting       {done.waiting:,} batches, for the one before them to be final; then run it again"
            )


def _line(item: Finding) -> str:
    return f"{item.table:15} {item.key}{f' column {item.column}' if item.column else ''}: {item.problem}"


COMMANDS = (rebuild, fsck, reanchor)
