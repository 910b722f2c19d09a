"""A certificate as an SD-JWT VC (RFC 9901, draft-ietf-oauth-sd-jwt-vc), for wallets that know no chain.

It is the word of whoever signs it, as of the certificate's block; the claim `khalayak` says where the proof is. The
salts are those of the content, so that a disclosure is also the leaf that the register commits to.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ledger.certificate import Certificate, parse
from ledger.encoding import to_hex
from ledger.errors import BadInput
from ledger.registers import register_of_kind
from ledger.trust import TrustRoot
from ledger.verifier import verify

IssuerKey = EllipticCurvePrivateKey | Ed25519PrivateKey


def load_issuer_key(pem: bytes) -> IssuerKey:
    """A private key for ES256 (P-256) or EdDSA (Ed25519), unencrypted PEM. Raises BadInput."""
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        raise BadInput("The issuer's key is no PEM private key without a password.", "Check the file.") from None
    if isinstance(key, Ed25519PrivateKey) or (
        isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1)
    ):
        return key
    raise BadInput("The issuer's key is neither P-256 nor Ed25519.", "Make one with `openssl genpkey`.")


def export(data: bytes, trust: TrustRoot, key: IssuerKey, issuer: str = "") -> str:
    """The credential of a certificate's file, each disclosed field a disclosure of its own; `issuer` is the URI that
    signs. Raises BadInput for what is no certificate, or one that this trust root does not find valid in all axes."""
    verdict = verify(data, trust)
    if refusal := verdict.refusal:
        raise BadInput(f"The certificate is not valid: check {refusal.number}, {refusal.detail}.", "Get a new one.")
    certificate = parse(data)
    if not isinstance(certificate, Certificate):
        raise BadInput("A proof of absence is no credential.", "Pass the file on as it is.")
    newest, _ = certificate.newest
    proof = {
        "register": str(certificate.register),
        "kind": certificate.kind,
        "recordId": to_hex(certificate.record_id),
        "sequence": newest.sequence,
        "head": to_hex(newest.head),
        "asOf": {"block": verdict.block_number, "time": verdict.block_time},
    }
    fields = [shown.field for shown in certificate.content.fields]
    disclosures = [_encoded([field.salt, field.name, field.value]) for field in fields]
    claims = {
        **({"iss": issuer} if issuer else {}),
        "iat": verdict.block_time,
        "vct": f"urn:khalayak:{register_of_kind(certificate.kind).schema.id}",
        "khalayak": proof,
        "_sd_alg": "sha-256",
        # Sorted, so that their order says nothing about which fields are withheld (RFC 9901 section 4.2.4.1).
        "_sd": sorted(_base64url(sha256(disclosure.encode()).digest()) for disclosure in disclosures),
    }
    algorithm = "EdDSA" if isinstance(key, Ed25519PrivateKey) else "ES256"
    signed = f"{_encoded({'alg': algorithm, 'typ': 'dc+sd-jwt'})}.{_encoded(claims)}"
    return "~".join([f"{signed}.{_base64url(_signature(key, signed.encode()))}", *disclosures, ""])


def _signature(key: IssuerKey, data: bytes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(data)
    r, s = decode_dss_signature(key.sign(data, ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _encoded(value: Any) -> str:
    return _base64url(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
