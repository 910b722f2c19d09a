"""Certificates as files: JSON, a PDF to print, signed if you like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.certificate import Certificate, parse
from ledger.errors import BadInput

if TYPE_CHECKING:
    from ledger.bootstrap import Office

SignWith = Annotated[Path | None, typer.Option(help="PKCS #12 file with the key that signs the PDF (PAdES)")]
SignPassword = Annotated[str, typer.Option(envvar="KHALAYAK_SIGN_PASSWORD", help="of that file")]


def json_bytes(value: Any) -> bytes:
    """The file of a certificate or of a proof of absence."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def printed(office: Office, certificate: bytes) -> bytes:
    """The PDF of a certificate of this office."""
    # The compiler of PDFs is loaded for those who want one.
    from ledger.printing.pdf import render

    parsed = parse(certificate)
    paper = office.certifier.paper(parsed) if isinstance(parsed, Certificate) else ""
    return render(certificate, office.trust, office.settings.site, paper)


def signed(pdf: bytes, sign_with: Path | None, password: str) -> bytes:
    """The PDF with a PAdES signature, or as it is when there is nothing to sign it with."""
    if sign_with is None:
        return pdf
    from ledger.adapters.pdf_signature import sign

    return sign(pdf, sign_with, password)


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet. Raises BadInput."""
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise BadInput(f"{path} exists; it is not overwritten.", "Name another file with --out.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from None
    typer.echo(f"Wrote {path}.")
