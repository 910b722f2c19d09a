"""Certificates as files: JSON, a PDF to print, signed if you like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.certificate import Certificate, parse
from ledger.printing.attachment import MAX_PDF_BYTES
from ledger.trust import TrustRoot
from scripts.cli_verify import read
from scripts.files import write_new

if TYPE_CHECKING:
    from ledger.bootstrap import Office

SignWith = Annotated[Path | None, typer.Option(help="PKCS #12 file with the key that signs the PDF (PAdES)")]
SignPassword = Annotated[str, typer.Option(envvar="KHALAYAK_SIGN_PASSWORD", help="of that file")]


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


def sd_jwt(
    file: Annotated[Path, typer.Argument(help="the certificate")],
    issuer_key: Annotated[Path, typer.Option(help="PEM private key of the issuer, P-256 or Ed25519")],
    out: Annotated[Path, typer.Option("--out", "-o", help="file to write; never overwritten")],
    issuer: Annotated[str, typer.Option(help="URI of the issuer, where its public key is found")] = "",
    trust: Annotated[Path | None, typer.Option(help="trust root; trust.json beside the file if not given")] = None,
) -> None:
    """Write a valid certificate as an SD-JWT VC for wallets: the issuer's word, as of the certificate's block."""
    from ledger.sd_jwt import export, load_issuer_key

    root = TrustRoot.parse(read(trust or file.with_name("trust.json")))
    credential = export(read(file, MAX_PDF_BYTES + 1), root, load_issuer_key(read(issuer_key, 1 << 16)), issuer)
    write_new(out, credential.encode())


def exports() -> typer.Typer:
    """`khalayak export`: certificates in the forms of others."""
    app = typer.Typer(help="Write a certificate in a form of others.", no_args_is_help=True)
    app.command("sd-jwt")(sd_jwt)
    # With one command only, typer would drop its name.
    app.callback()(lambda: None)
    return app
