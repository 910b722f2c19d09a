"""`khalayak verify` and `khalayak disclose` need nothing but the files; nodes are asked only where --rpc names some."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ledger import certificate
from ledger.certificate import Certificate
from ledger.encoding import from_hex
from ledger.errors import BadInput, InvalidProof
from ledger.paper import Paper
from ledger.paper_verifier import verify_paper
from ledger.printing.attachment import MAX_PDF_BYTES, is_pdf
from ledger.state_proof import Header, parse_header
from ledger.trust import TrustRoot
from ledger.verdict import Verdict
from ledger.verifier import verify as verify_file
from scripts.files import json_bytes, write_new

DAY = 86_400


def verify(
    files: Annotated[
        list[Path] | None, typer.Argument(help="certificates or proofs of absence, or the PDF of one")
    ] = None,
    trust: Annotated[Path | None, typer.Option(help="trust root; trust.json beside the file if not given")] = None,
    paper: Annotated[str | None, typer.Option(help="the text of a paper's offline code, KHALAYAK1:...")] = None,
    document: Annotated[Path | None, typer.Option(help="the PDF that the certificate is about")] = None,
    rpc: Annotated[
        list[str] | None, typer.Option(help="a node to believe about blocks; repeated, all must agree")
    ] = None,
    block: Annotated[list[str] | None, typer.Option(help="NUMBER:HASH of a block that you believe")] = None,
    as_of: Annotated[str, typer.Option(help="a past day YYYY-MM-DD, its end in UTC, or a block number")] = "",
    offline: Annotated[bool, typer.Option("--offline", help="refuse to ask any node")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the whole verdict as JSON, one line a file")] = False,
    checks: Annotated[bool, typer.Option("--checks", help="print every check, not only the answer")] = False,
) -> None:
    """Verify certificates: one line a file, `OK:`, `FAIL: n reason` or `UNKNOWN: n reason`."""
    if offline and rpc:
        raise BadInput("--offline and --rpc exclude each other.", "Leave one out.")
    if paper:
        verify_code(paper, trust or Path("trust.json"), as_json)
    if not files:
        raise BadInput("There is nothing to verify.", "Name a file, or give --paper.")
    document_bytes = read(document) if document else None
    verdicts = []
    for path in files:
        trusted = trust or path.with_name("trust.json")
        root, data = TrustRoot.parse(read(trusted)), read(path, MAX_PDF_BYTES + 1)
        hashes, header = _pinned(block or []), _header(data) if rpc or as_of else None
        if rpc and header:
            hashes |= _asked(rpc, header.number, root)
        moment = _moment(as_of, header, rpc or [])
        verdict = verify_file(data, root, block_hashes=hashes, document=document_bytes, as_of=moment)
        verdicts.append(verdict)
        if as_json:
            typer.echo(json.dumps({"file": str(path), "trust": str(trusted), "moment": as_of, **verdict.as_json()}))
            continue
        # A cheat can put a trust root of his own beside his certificate, so the answer never goes without its name.
        typer.echo(f"{answer(verdict, as_of)}  {path.name} (trusting {root.name} of {trusted})")
        if is_pdf(data) and verdict.axes["integrity"].state == "valid":
            typer.echo(carried(data))
        if checks:
            typer.echo("\n".join(check_lines(verdict)))
    raise typer.Exit(0 if all(verdict.valid for verdict in verdicts) else 1)


def disclose(
    file: Annotated[Path, typer.Argument(help="a certificate")],
    only: Annotated[
        str, typer.Option(help="the fields to show, with commas between; those that may not be hidden stay")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="file to write; never overwritten")] = Path("disclosed.json"),
) -> None:
    """Write a smaller certificate that shows only some fields and still verifies."""
    made = certificate.parse(read(file, MAX_PDF_BYTES + 1))
    if not isinstance(made, Certificate):
        raise BadInput("A proof of absence has no fields.", "Choose a certificate.")
    smaller = made.disclosing({name.strip() for name in only.split(",") if name.strip()})
    write_new(out, json_bytes(smaller.as_json()))
    typer.echo(f"It shows {', '.join(smaller.content.values)}; the others are withheld.")


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
        typer.echo(f"  The paper says {values}. It was printed {as_of_block(verdict)}, if it is true.")
    raise typer.Exit(1)


def answer(verdict: Verdict, moment: str = "") -> str:
    """The verdict in one line."""
    refusal = verdict.refusal
    if refusal is None:
        then = f"at {moment}, " if moment else ""
        return f"OK: {verdict.axes['status'].reason} {then}{as_of_block(verdict)}"
    return f"{'FAIL' if refusal.outcome == 'failed' else 'UNKNOWN'}: {refusal.number} {refusal.detail}"


def as_of_block(verdict: Verdict) -> str:
    """As of which block, its time, and how old that is now."""
    assert verdict.block_time is not None, "a valid verdict has a block"
    moment = datetime.fromtimestamp(verdict.block_time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    age = max(0, int(time.time()) - verdict.block_time)
    words = next(
        (f"{age // size} {unit}" for unit, size in (("d", DAY), ("h", 3600), ("min", 60)) if age >= size), f"{age} s"
    )
    return f"as of block {verdict.block_number}, {moment}, {words} old"


def carried(data: bytes) -> str:
    """What the certificate in a PDF says, to be compared with what the pages do; for a file whose integrity is valid,
    as nothing else is fit to be printed on a terminal."""
    parsed = certificate.parse(data)
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


def _pinned(blocks: list[str]) -> dict[int, bytes]:
    hashes = {}
    for text in blocks:
        number, _, value = text.partition(":")
        if not re.fullmatch("[0-9]{1,18}", number):
            raise BadInput("--block takes NUMBER:HASH, as 1234:0x….", "Both are on any explorer of the chain.")
        hashes[int(number)] = from_hex(value if value[:2].lower() == "0x" else f"0x{value}", 32, "--block")
    return hashes


def _asked(urls: list[str], number: int, root: TrustRoot) -> Mapping[int, bytes]:
    """What the nodes say about a block."""
    from ledger.adapters.evm_chain import EvmChain
    from ledger.nodes import final_block

    block = final_block({url: EvmChain(url) for url in urls}, number, root.chain_id, root.genesis)
    return {number: block.hash}


def _moment(text: str, header: Header | None, urls: list[str]) -> int | None:
    """The time that --as-of means, in seconds. Raises BadInput, and what the nodes raise."""
    if not text:
        return None
    if re.fullmatch("[0-9]{1,18}", text):
        return _time_of_block(int(text), header, urls)
    return end_of(text)


def end_of(day: str, asked: str = "--as-of takes a day YYYY-MM-DD or a block number") -> int:
    """The last second of a day in UTC, in seconds since 1970. Raises BadInput, which says what is `asked` for."""
    try:
        return int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) + DAY - 1
    except ValueError:
        raise BadInput(f"{asked}, not {day[:40]!r}.") from None


def _time_of_block(number: int, header: Header | None, urls: list[str]) -> int:
    if header and number == header.number:
        return header.time
    if not urls:
        raise BadInput(f"When block {number} was, the file does not tell.", "Name a node with --rpc, or give the day.")
    from ledger.adapters.evm_chain import EvmChain

    times = {EvmChain(url).block(number).time for url in urls}
    if len(times) > 1:
        raise BadInput(f"The nodes disagree about the time of block {number}.", "One of them is wrong; ask others too.")
    return times.pop()


def _header(data: bytes) -> Header | None:
    """Of the file's block; none of a file that cannot be read, which the verdict will say."""
    try:
        return parse_header(certificate.parse(data).state.header)
    except (BadInput, InvalidProof):
        return None


COMMANDS = (verify, disclose)
