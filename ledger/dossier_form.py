"""A dossier as JSON: dataclasses as objects, bytes in hex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import orjson

from ledger.encoding import canonical_json
from ledger.model import Application, Approval, Dossier, StoredCertificate, StoredContent, StoredDocument
from ledger.transaction import Attempt, Transaction

FORMAT = "khalayak-dossier@1"

T = TypeVar("T")


def write_dossier(dossier: Dossier) -> bytes:
    return orjson.dumps({"format": FORMAT, **plain(dossier)})


def read_dossier(text: bytes) -> Dossier:
    """Raises TypeError, ValueError, LookupError for what `write_dossier` has not written."""
    value = orjson.loads(text)

    def each(kind: type[T], name: str) -> Sequence[T]:
        return tuple(read(kind, item) for item in value[name])

    if value["format"] != FORMAT:
        raise ValueError
    return Dossier(
        read(Application, value["application"]),
        value["idempotency_key"],
        bytes.fromhex(value["body_digest"]),
        each(StoredContent, "contents"),
        tuple(_document(item) for item in value["documents"]),
        each(Approval, "approvals"),
        tuple(_transaction(item) for item in value["transactions"]),
        tuple(_certificate(item) for item in value["certificates"]),
    )


def plain(value: Any) -> Any:
    """What `orjson.dumps` takes."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, StoredContent):  # its fields are JSON, and many
        return {"digest": value.digest.hex(), "record_id": value.record_id.hex(), "fields": value.fields}
    if isinstance(value, StoredCertificate):
        return {**_members(value, "file"), "certificate": orjson.Fragment(value.file)}
    if isinstance(value, Application):
        return {**_members(value, "payload"), "payload": value.payload}
    if hasattr(value, "__dataclass_fields__"):
        return _members(value)
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def _members(value: Any, *but: str) -> dict[str, Any]:
    return {name: plain(item) for name, item in vars(value).items() if name not in but}


def read(kind: type[T], value: Mapping[str, Any]) -> T:
    """A dataclass out of `plain`. Raises TypeError, ValueError, LookupError."""
    in_hex = {f.name for f in fields(kind) if str(f.type).startswith("bytes")}  # type: ignore[arg-type]
    return kind(**{n: bytes.fromhex(v) if n in in_hex and v is not None else v for n, v in value.items()})


def _document(value: Mapping[str, Any]) -> StoredDocument:
    wraps = {reader: bytes.fromhex(wrap) for reader, wrap in value["wraps"].items()}
    return replace(read(StoredDocument, value), wraps=wraps)


def _certificate(value: Mapping[str, Any]) -> StoredCertificate:
    key = {name: item for name, item in value.items() if name != "certificate"}
    return read(StoredCertificate, {**key, "file": canonical_json(value["certificate"]).hex()})


def _transaction(value: Mapping[str, Any]) -> Transaction:
    attempts = tuple(read(Attempt, item) for item in value["attempts"])
    return Transaction(value["sender"], value["nonce"], tuple(value["applications"]), attempts)
