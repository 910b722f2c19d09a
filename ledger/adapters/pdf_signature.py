"""PAdES signatures of PDFs (ETSI EN 319 142-1, baseline B), with pyhanko: the optional extra "pades"."""

from __future__ import annotations

import io
from pathlib import Path

from ledger.errors import BadInput, ConfigurationError


def sign(pdf: bytes, key_file: Path, password: str) -> bytes:
    """The PDF with one signature added behind it, so that what it carries stays as it is. `key_file` is PKCS #12 with a
    key and its certificate. Raises BadInput, ConfigurationError when pyhanko is not installed."""
    try:
        from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
        from pyhanko.sign.fields import SigSeedSubFilter
        from pyhanko.sign.signers import PdfSignatureMetadata, SimpleSigner, sign_pdf
    except ImportError:
        raise ConfigurationError("Signing a PDF needs pyhanko.", "Install khalayak[pades].") from None
    signer = SimpleSigner.load_pkcs12(str(key_file), passphrase=password.encode() or None)  # type: ignore[no-untyped-call]
    if signer is None:
        raise BadInput(f"{key_file} cannot be opened.", "It must be PKCS #12, with the right password.")
    metadata = PdfSignatureMetadata(field_name="Signature1", subfilter=SigSeedSubFilter.PADES)
    out = io.BytesIO()
    sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), metadata, signer=signer, output=out)
    return out.getvalue()
