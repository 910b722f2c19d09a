"""A made-up legacy registry of any size; the same seed gives the same rows. Nothing in it is real.

`python -m scripts.samples.registry --kind transactions --rows 100000 -o FILE`"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from ledger.encoding import checksum_address
from ledger.errors import BadInput

WORDS = json.loads(Path(__file__).with_name("registry.json").read_text(encoding="utf-8"))
# The smallest document that the office takes; every row names the same one.
DEED = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\nxref\n0 4\n0000000000 65535 f \n"
    b"0000000009 00000 n \n0000000052 00000 n \n0000000101 00000 n \n"
    b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n164\n%%EOF\n"
)


def rows(kind: str, count: int, seed: int = 1) -> Iterator[dict[str, str]]:
    """`count` rows by column. Raises BadInput for an unknown kind."""
    if kind not in KINDS:
        raise BadInput(f"{kind[:40]!r} is not a kind of register.", f"Known: {', '.join(KINDS)}.")
    draw = Random(f"{kind}/{seed}")  # nosec B311 - a sample, no secret
    return (KINDS[kind](draw, number) for number in range(1, count + 1))


def _name(draw: Random) -> str:
    return " ".join([*draw.sample(WORDS["given"], draw.randint(1, 2)), draw.choice(WORDS["family"])])


def _day(draw: Random, first: int, last: int) -> str:
    return f"{draw.randint(first, last)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"


def _address(draw: Random) -> str:
    return checksum_address(draw.randbytes(20))


def _street(draw: Random) -> str:
    return f"Jalan {draw.choice(WORDS['streets'])} No. {draw.randint(1, 250)}"


def _transaction(draw: Random, number: int) -> dict[str, str]:
    period = f"2025-{draw.randint(1, 12):02}"
    return {
        "id": f"SP2D-{number:07}",
        "buyer": draw.choice(WORDS["agencies"]),
        "period": period,
        "date": f"{period}-{draw.randint(1, 28):02}",
        "supplier": f"{draw.choice(('PT', 'CV'))} {' '.join(draw.sample(WORDS['trades'], 2))}",
        "amount": f"{draw.randint(1, 9_999_999) * 1000}.00",
        "currency": "IDR",
        "contract": f"KTR/{draw.randint(1, 99_999):05}/2025",
        "description": f"Pengadaan {draw.choice(WORDS['goods'])} untuk {draw.choice(WORDS['places'])[1]}",
    }


def _title(draw: Random, number: int) -> dict[str, str]:
    code, place = draw.choice(WORDS["places"])
    unlimited = draw.random() < 0.7
    return {
        "nib": f"{code}.{number:08}",
        "right": "Hak Milik" if unlimited else "Hak Guna Bangunan",
        "area": f"{draw.randint(60, 9_000)}.{draw.choice(('00', '50'))}",
        "validity": "unlimited" if unlimited else _day(draw, 2030, 2054),
        "location": f"{_street(draw)}, {place}",
        "holder": _name(draw),
        "holderBirth": _day(draw, 1940, 2004),
        "holderAddress": _address(draw),
        "document": "deed.pdf",
    }


def _identity(draw: Random, number: int) -> dict[str, str]:
    place = draw.choice(WORDS["places"])[1]
    return {
        "recordId": "0x" + draw.randbytes(32).hex(),
        "kind": "Kartu Tanda Penduduk",
        "validity": _day(draw, 2035, 2045),
        "name": _name(draw),
        "birthDate": _day(draw, 1940, 2007),
        "birthPlace": place,
        "address": f"{_street(draw)}, {place}",
        "nationality": "Indonesia",
        "holderAddress": _address(draw),
        "document": "deed.pdf",
    }


def _diploma(draw: Random, number: int) -> dict[str, str]:
    year = str(draw.randint(2010, 2025))
    degree, programme = draw.choice(WORDS["degrees"])
    return {
        "number": f"{year}-{number:07}",
        "institution": draw.choice(WORDS["universities"]),
        "year": year,
        "degree": degree,
        "programme": programme,
        "name": _name(draw),
        "birthDate": _day(draw, 1985, 2002),
        "graduated": f"{year}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
        "honours": draw.choice(("", "", "Dengan Pujian")),
        "document": "deed.pdf",
    }


KINDS: Mapping[str, Callable[[Random, int], dict[str, str]]] = {
    "transactions": _transaction,
    "land": _title,
    "identity": _identity,
    "diplomas": _diploma,
}


def write(path: Path, kind: str, count: int, form: str = "csv", seed: int = 1) -> None:
    """Write a registry, and the document that its rows name beside it. Raises BadInput."""
    made = rows(kind, count, seed)
    if form == "csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(KINDS[kind](Random(0), 0)))  # nosec B311
            writer.writeheader()
            writer.writerows(made)
    elif form == "jsonl":
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in made)
    else:
        raise BadInput(f"{form[:20]!r} is no format of this generator.", "Known: csv, jsonl.")
    if kind != "transactions":
        path.with_name("deed.pdf").write_bytes(DEED)


def main(
    kind: Annotated[str, typer.Option(help=f"one of {', '.join(KINDS)}")],
    output: Annotated[Path, typer.Option("--output", "-o", help="file to write")],
    rows: Annotated[int, typer.Option(help="how many")] = 100_000,
    form: Annotated[str, typer.Option("--format", help="csv or jsonl")] = "csv",
    seed: Annotated[int, typer.Option(help="the same seed gives the same rows")] = 1,
) -> None:
    """Write a made-up legacy registry."""
    write(output, kind, rows, form, seed)
    typer.echo(f"Wrote {rows:,} rows to {output}.")


if __name__ == "__main__":
    typer.run(main)
