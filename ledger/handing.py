"""Giving a sealed document to somebody: opening it in the office a chunk at a time, and sharing its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from ledger import sealing
from ledger.dossiers import Dossiers
from ledger.errors import BadInput, Conflict, DocumentCorrupt
from ledger.model import StoredDocument
from ledger.ports import DocumentStore, RecordStore
from ledger.readers import OFFICE, document_key

MAX_NAME = 40


def opened(store: RecordStore, documents: DocumentStore, private: Sequence[bytes], cid: str) -> Iterator[bytes]:
    """The document of a CID in chunks; only after the last is it known to be the one that was sealed. Raises NotFound,
    Refused (the office is no reader), DocumentCorrupt, DocumentMissing, Unavailable."""
    document = store.document(cid)
    key, digest = document_key(document, private), sha256()
    for chunk in sealing.unseal_stream(key, documents.read(document.cid, sealing.sealed_size(document.size))):
        digest.update(chunk)
        yield chunk
    if digest.digest() != document.sha256:
        raise DocumentCorrupt(f"Document {document.cid} is not the one that was sealed.", "Restore it from a backup.")


def share(store: RecordStore, dossiers: Dossiers, cid: str, reader: str, public: bytes) -> None:
    """Let a reader open a document, with this key from now on. Its CID stays. Raises BadInput, NotFound, Conflict."""
    _check_name(reader)
    document = store.document(cid)
    wrapped = sealing.wrap(document_key(document, dossiers.readers.private()), public, document.cid)
    _save(store, dossiers, document, {**document.wraps, reader: wrapped})


def unshare(store: RecordStore, dossiers: Dossiers, cid: str, reader: str) -> None:
    """Take a reader's wrap away; what he has read or copied he keeps. Raises BadInput, NotFound, Conflict."""
    _check_name(reader)
    document = store.document(cid)
    if reader not in document.wraps:
        raise BadInput(f"{reader} is no reader of this document.", f"Its readers: {', '.join(document.wraps)}.")
    _save(store, dossiers, document, {name: wrap for name, wrap in document.wraps.items() if name != reader})


def _save(store: RecordStore, dossiers: Dossiers, document: StoredDocument, wraps: Mapping[str, bytes]) -> None:
    if not store.rewrap([(document, wraps)]):
        raise Conflict(f"Document {document.cid} was changed meanwhile.", "Look at it and try again.")
    # A database that is rebuilt from the dossiers must have the same readers.
    dossiers.replace(store.dossier(store.application_of_document(document.cid)))


def _check_name(reader: str) -> None:
    # The others' wraps are made from the office's own: without it nobody could be added any more.
    if reader == OFFICE or not reader.strip() or len(reader) > MAX_NAME or not reader.isprintable():
        raise BadInput(f"A reader has a name of 1 to {MAX_NAME} characters other than {OFFICE}.", "", "/reader")
