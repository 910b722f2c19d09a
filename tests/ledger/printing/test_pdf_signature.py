"""A signed PDF: pyhanko's own validator finds the signature good, and the certificate in it still verifies."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from ledger.adapters.pdf_signature import sign
from ledger.errors import BadInput
from ledger.printing.attachment import attached_certificate
from ledger.printing.pdf import render
from ledger.verifier import verify
from tests.builders import World, as_bytes, trust_root

PASSWORD = "correct horse"
CERTIFICATE = as_bytes(World().certificate())
PDF = render(CERTIFICATE, trust_root(), "https://kantor.example")


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A PKCS #12 file and its certificate in DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Kantor Contoh")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(True, True, False, False, False, False, False, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(usage, critical=True)
        .sign(key, SHA256())
    )
    path = tmp_path_factory.mktemp("pades") / "office.p12"
    encryption = BestAvailableEncryption(PASSWORD.encode())
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"office", key, certificate, None, encryption))
    return path, certificate.public_bytes(Encoding.DER)


def is_good(pdf: bytes, certificate: bytes) -> bool:
    (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    roots = list(load_certs_from_pemder_data(certificate))
    status = validate_pdf_signature(signature, ValidationContext(trust_roots=roots))
    return bool(status.bottom_line)


def test_the_signature_is_good_and_the_certificate_still_verifies(issuer: tuple[Path, bytes]) -> None:
    signed = sign(PDF, issuer[0], PASSWORD)
    assert signed.startswith(PDF) and is_good(signed, issuer[1])
    assert attached_certificate(signed, ("khalayak-certificate@1",), 1 << 20) == CERTIFICATE
    assert verify(signed, trust_root()).valid


def test_a_changed_page_spoils_the_signature(issuer: tuple[Path, bytes]) -> None:
    signed = sign(PDF, issuer[0], PASSWORD)
    assert not is_good(signed.replace(b"/Lang(id)", b"/Lang(en)"), issuer[1])


def test_a_wrong_password_and_no_key_file_are_refused(issuer: tuple[Path, bytes], tmp_path: Path) -> None:
    (tmp_path / "no.p12").write_bytes(b"no key")
    for path, password in ((issuer[0], "wrong"), (tmp_path / "no.p12", ""), (tmp_path / "missing.p12", "")):
        with pytest.raises(BadInput):
            sign(PDF, path, password)
