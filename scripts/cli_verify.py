"""`khalayak verify`: needs nothing but the files, no node, no database, no server."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ledger.certificate import Certificate, parse
from ledger.errors import BadInput
from ledger.paper import Paper
from ledger.paper_verifier import verify_paper
from ledger.printing.attachment import MAX_PDF_BYTES, is_pdf
from ledger.trust import TrustRoot
from ledger.verdict import Verdict
from ledger.verifier import verify as verify_file


def verify(
    files: Annotated[
        list[Path] | None, typer.Argument(help="certificates or proofs of absence, or the PDF of one")
    ] = None,
    trust: Annotated[Path | None, typer.Option(help="trust root; trust.json beside the file if not given")] = None,
    paper: Annotated[str | None, typer.Option(help="the text of a paper's offline code, KHALAYAK1:...")] = None,
    document: Annotated[Path | None, typer.Option(help="the PDF that the certificate is about")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the whole verdict as JSON, one line a file")] = False,
    checks: Annotated[bool, typer.Option("--checks", help="print every check, not only the answer")] = False,
) -> None:
    """Verify certificates offline: one line a file, `OK:`, `FAIL: n reason` or `UNKNOWN: n reason`."""
    if paper:
        verify_code(paper, trust or Path("trust.json"), as_json)
    if not files:
        raise BadInput("There is nothing to verify.", "Name a file, or give --paper.")
    document_bytes = read(document) if document else None
    verdicts = []
    for path in files:
        trusted = trust or path.with_name("trust.json")
        root = TrustRoot.parse(read(trusted))
        data = read(path, MAX_PDF_BYTES + 1)
        verdict = verify_file(data, root, document=document_bytes)
        verdicts.append(verdict)
        if as_json:
            typer.echo(json.dumps({"file": str(path), "trust": str(trusted), **verdict.as_json()}))
            continue
        # A cheat can put a trust root of his own beside his certificate, so the answer never goes without its name.
        typer.echo(f"{answer(verdict)}  {path.name} (trusting {root.name} of {trusted})")
        if is_pdf(data) and verdict.axes["integrity"].state == "valid":
            typer.echo(carried(data))
        if checks:
            typer.echo("\n".join(check_lines(verdict)))
    raise typer.Exit(0 if all(verdict.valid for verdict in verdicts) else 1)


def verify_code(paper: str, trusted: Path, as_json: bool) -> NoReturn:
    """Print what an offline code proves. It never says how things are now, so the answer is never OK."""
    root = TrustRoot.parse(read(trusted))
    verdict = verify_paper(paper.strip(), root)
    if as_json:
        typer.echo(json.dumps({"trust": str(trusted), **verdict.as_json()}))
        raise typer.Exit(1)
    typer.echo(f"{answer(verdict)} (trusting {root.name} of {trusted})")
    typer.echo("\n".join(check_lines(verdict)))
    if verdict.axes["integrity"].state == "valid":
        values = "; ".join(f"{name}: {value}" for name, value in Paper.parse(paper.strip()).values.items())
        typer.echo(f"  The paper says {values}. It was printed {as_of(verdict)}, if it is true.")
    raise typer.Exit(1)


def answer(verdict: Verdict) -> str:
    """The verdict in one line."""
    refusal = verdict.refusal
    if refusal is None:
        return f"OK: {verdict.axes['status'].reason} {as_of(verdict)}"
    return f"{'FAIL' if refusal.outcome == 'failed' else 'UNKNOWN'}: {refusal.number} {refusal.detail}"


def as_of(verdict: Verdict) -> str:
    """As of which block, its time, and how old that is now."""
    assert verdict.block_time is not None, "a valid verdict has a block"
    moment = datetime.fromtimestamp(verdict.block_time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    age = max(0, int(time.time()) - verdict.block_time)
    words = next(
        (f"{age // size} {unit}" for unit, size in (("d", 86400), ("h", 3600), ("min", 60)) if age >= size), f"{age} s"
    )
    return f"as of block {verdict.block_number}, {moment}, {words} old"


def carried(data: bytes) -> str:
    """What the certificate in a PDF says, to be compared with what the pages do; for a file whose integrity is valid,
    as nothing else is fit to be printed on a terminal."""
    parsed = parse(data)
    values = parsed.content.values if isinstance(parsed, Certificate) else parsed.subject
    shown = "; ".join(f"{name}: {value}" for name, value in values.items() if isinstance(value, str))
    return f"  The pages of the PDF were not checked. The certificate in it says {shown}"


def check_lines(verdict: Verdict) -> list[str]:
    """One line for each check and each axis."""
    lines = [f"  {c.number:2} {c.outcome:8} {c.name}: {c.detail}" for c in verdict.checks]
    return lines + [f"  {name:9} {axis.state}: {axis.reason}" for name, axis in verdict.axes.items()]


def read(path: Path, limit: int = 100_000_000) -> bytes:
    """Up to `limit` bytes of a file. Raises BadInput."""
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", "Check the path.") from None


COMMANDS = (verify,)
