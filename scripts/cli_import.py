"""`khalayak import`: bulk import of a legacy registry."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from ledger.encoding import parse_json
from ledger.errors import BadInput, Refused
from ledger.import_rows import Options, importable
from ledger.importing import Findings, Import
from ledger.registers import register_of_kind
from ledger.tables import FORMATS
from scripts.cli_office import Kind, open_office
from scripts.cli_verify import read
from scripts.progress import progress
from wallet.signer import LocalSigner

MAX_MAPPING_BYTES = 100_000
SHOWN_ERRORS = 20
_Columns = Annotated[list[str], typer.Option("--leave-out", help="a column that is not imported; repeat it")]
_Map = Annotated[list[str], typer.Option("--map", help="FIELD=COLUMN where their names differ; repeat it")]


def import_file(
    kind: Kind,
    file: Annotated[Path, typer.Argument(help=f"the table: {', '.join(FORMATS)}")],
    map_: _Map = [],  # noqa: B006 - typer copies it
    map_file: Annotated[Path | None, typer.Option(help="JSON: an object of field to column")] = None,
    leave_out: _Columns = [],  # noqa: B006
    action: Annotated[str, typer.Option(help="what each chunk applies for; else the kind's first that imports")] = "",
    dry_run: Annotated[bool, typer.Option(help="check every row and stop")] = False,
    skip_bad: Annotated[bool, typer.Option(help="import the good rows; the bad ones go to FILE.rejected")] = False,
    approve_with: Annotated[list[Path], typer.Option(help="keystore of a registrar; repeat it")] = [],  # noqa: B006
    password: Annotated[str, typer.Option(envvar="KHALAYAK_KEYSTORE_PASSWORD", help="of the keystores")] = "",  # nosec B107 - empty: the office's
    yes: Annotated[bool, typer.Option("--yes", help="sign what is shown without asking")] = False,
) -> None:
    """Import a legacy registry: check every row, apply for all of them in chunks, and sign them at once.

    The same command again goes on where it stopped. Beside FILE it writes FILE.errors.csv, FILE.manifest.json and, with
    --skip-bad, FILE.rejected.csv or .jsonl."""
    action = action or next(iter(importable(register_of_kind(kind))))
    options = Options(kind, action, _mapping(map_, map_file), frozenset(leave_out), skip_bad)
    with open_office() as office:
        signers = [LocalSigner.from_keystore(path, password or office.settings.password) for path in approve_with]
        job = Import(office.applications, file, options)
        try:
            with progress("checked", None, "rows") as advance:
                found = job.check(advance)
            _report(job, file, found)
            if dry_run or not found.good:
                return
            with progress("submitted", found.good, "rows") as advance:
                manifest = job.submit(advance, verify=bool(signers))
            _show(manifest)
            for signer in signers:
                if not yes and not typer.confirm(f"Sign all {len(manifest['chunks'])} chunks as {signer.address}?"):
                    raise Refused("Nothing more was signed.", "Import again to sign.")
                manifest = job.approve(manifest, signer)
                typer.echo(f"signed        {len(manifest['chunks'])} chunks and the manifest, by {signer.address}")
            path = _beside(file, ".manifest.json")
            _replace(path, json.dumps(manifest, indent=2).encode() + b"\n")
            typer.echo(f"manifest      {path}")
        finally:
            job.close()


def _mapping(pairs: list[str], path: Path | None) -> dict[str, str]:
    mapping: dict[str, str] = {}
    if path:
        value = parse_json(read(path), MAX_MAPPING_BYTES, "The mapping")
        if not isinstance(value, dict) or not all(isinstance(column, str) for column in value.values()):
            raise BadInput("The mapping is no JSON object of field to column.")
        mapping |= value
    for pair in pairs:
        field, mark, column = pair.partition("=")
        if not mark or not field or not column:
            raise BadInput(f"{pair[:60]!r} is no mapping.", "Write FIELD=COLUMN.")
        mapping[field] = column
    return mapping


def _report(job: Import, file: Path, found: Findings) -> None:
    """Write what is wrong, and say it in short. Raises BadInput unless there is nothing, or the rest is wanted."""
    path = _beside(file, ".errors.csv")
    with _written(path) as target:
        for line in _csv_of_errors(job):
            target.write(line)
    typer.echo(f"rows          {found.rows:,}: {found.good:,} good, {found.bad:,} bad")
    if not found.bad:
        return
    for _, error in zip(range(SHOWN_ERRORS), job.errors(), strict=False):
        column = f", {error.column}" if error.column else ""
        typer.echo(f"  row {error.number} (line {error.line}){column}: {error.rule}")
    typer.echo(f"errors        {found.errors:,}, all in {path}")
    if not job.options.skip_bad:
        raise BadInput(
            f"{found.bad:,} of {found.rows:,} rows are bad; nothing was submitted.",
            "Correct them, or import the others with --skip-bad.",
        )
    rejected = _beside(file, ".rejected" + (".csv" if file.suffix.lower() == ".csv" else ".jsonl"))
    with _written(rejected) as target:
        for raw in job.rejected():
            target.write(raw)
    typer.echo(f"rejected      {rejected}")


class _Echo:
    """Hands csv.writer's line on instead of keeping it."""

    def write(self, line: str) -> bytes:
        return line.encode()


def _csv_of_errors(job: Import) -> Iterator[bytes]:
    writer = csv.writer(_Echo())
    yield writer.writerow(["row", "line", "column", "rule"])  # type: ignore[misc]
    for error in job.errors():
        # A spreadsheet computes a cell that begins like a formula, and a column's name is the file's own.
        column = "'" + error.column if error.column[:1] in ("=", "+", "-", "@") else error.column
        yield writer.writerow([error.number, error.line, column, error.rule])  # type: ignore[misc]


def _show(manifest: dict[str, Any]) -> None:
    typer.echo(f"import        {manifest['import']}")
    typer.echo(f"source        {manifest['source']}")
    for line in manifest["chunks"]:
        rows = f"{line['rows']:,} rows from row {line['first']}"
        typer.echo(f"chunk         {rows}: {line['application']}, signs {line['digest']}")
    typer.echo(f"submitted     {manifest['rows']:,} rows in {len(manifest['chunks'])} chunks")
    if manifest["waiting"]:
        typer.echo(
            f"waiting       {manifest['waiting']:,} rows, for an earlier batch of their series to be final; "
            "then import again"
        )


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(file.stem + ending)


def _replace(path: Path, data: bytes) -> None:
    with _written(path) as target:
        target.write(data)


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """A file that is whole or as it was before, for its owner's eyes only: bad rows are people's data."""
    new = path.with_name(f".{path.name}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
        new.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from None
