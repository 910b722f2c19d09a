"""Certificates as files: JSON, a PDF to print, signed if you like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ledger.bootstrap import Office

SignWith = Annotated[Path | None, typer.Option(help="PKCS #12 file with the key that signs the PDF (PAdES)")]
SignPassword = Annotated[str, typer.Option(envvar="KHALAYAK_SIGN_PASSWORD", help="of that file")]


def printed(office: Office, certificate: bytes) -> bytes:
    """The PDF of a certificate of this office."""
    # The compiler of PDFs is loaded for those who want one.
    from ledger.printing.pdf import render

    return render(certificate, office.trust, office.settings.site)


def signed(pdf: bytes, sign_with: Path | None, password: str) -> bytes:
    """The PDF with a PAdES signature, or as it is when there is nothing to sign it with."""
    if sign_with is None:
        return pdf
    from ledger.adapters.pdf_signature import sign

    return sign(pdf, sign_with, password)
