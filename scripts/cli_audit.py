"""`khalayak rebuild`, `fsck` and `reanchor`: a database that can be lost, and the question whether it is true."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.errors import Conflict
from ledger.settings import load_settings
from scripts.progress import progress


def rebuild(
    missing: Annotated[bool, typer.Option("--missing", help="restore what a database from a backup lacks")] = False,
) -> None:
    """Restore an empty database from the chain, the document store and the key files.

    The same command again goes on where it stopped."""
    from ledger.bootstrap import open_office

    office = open_office(load_settings(), rebuilding=True)
    try:
        with progress("restored", None, "applications") as advance:
            done, strange = office.rebuild(missing, lambda: advance(1))
        typer.echo(f"restored      {done.restored:,} applications; {done.there:,} were there")
        for line in strange:
            typer.echo(f"recorded by others  {line}")
        for name, why in done.lost:
            typer.echo(f"lost          {name}: {why}")
        if done.lost:
            raise Conflict(f"{len(done.lost):,} could not be restored.", "Look for their documents in other stores.")
    finally:
        office.close()


COMMANDS = (rebuild,)
