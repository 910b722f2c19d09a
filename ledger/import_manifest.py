"""The manifest of an import: what a file became, for registrars who approve all of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from ledger.encoding import RegisterName, canonical_json, from_hex, to_hex
from ledger.errors import Refused
from ledger.registers import register_of_kind
from wallet.keys import recover
from wallet.signer import Signer
from wallet.typed_data import Domain, TypedData, build

SCHEMA = "khalayak/import-manifest@1"


def typed_data(manifest: Mapping[str, Any]) -> TypedData:
    """What a registrar signs over a whole manifest but its signatures. No contract takes this struct, so the signature
    changes nothing on the chain: the approvals of the applications it lists do."""
    name = RegisterName.parse(manifest["register"], "/register")
    digest = sha256(canonical_json({key: value for key, value in manifest.items() if key != "signatures"})).digest()
    message = {"digest": digest, "rows": manifest["rows"], "chunks": len(manifest["chunks"])}
    contract = register_of_kind(manifest["kind"]).contract
    return build(Domain(contract, name.chain_id, name.address), "ImportManifest", message)


def signed(manifest: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    """The manifest with one signature more."""
    signature = {"signer": signer.address, "signature": to_hex(signer.sign_typed(typed_data(manifest)))}
    others = [other for other in manifest["signatures"] if other["signer"] != signer.address]
    return {**manifest, "signatures": sorted([*others, signature], key=lambda item: str(item["signer"]).lower())}


def check_signatures(manifest: Mapping[str, Any]) -> list[str]:
    """Who signed this very manifest, as addresses. Raises Refused, BadSignature, BadInput."""
    digest = typed_data(manifest).digest()
    for i, item in enumerate(manifest["signatures"]):
        if recover(digest, from_hex(item["signature"], 65, f"/signatures/{i}")) != item["signer"]:
            raise Refused(f"Signature {i + 1} of the manifest is not by {item['signer']}.", "The manifest was changed.")
    return [item["signer"] for item in manifest["signatures"]]
