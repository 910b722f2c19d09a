"""Opening a sealed document in the office, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

from ledger import sealing
from ledger.errors import DocumentCorrupt
from ledger.ports import DocumentStore, RecordStore
from ledger.readers import document_key


def opened(store: RecordStore, documents: DocumentStore, private: Sequence[bytes], cid: str) -> Iterator[bytes]:
    """The document of a CID in chunks; only after the last is it known to be the one that was sealed. Raises NotFound,
    Refused (the office is no reader), DocumentCorrupt, DocumentMissing, Unavailable."""
    document = store.document(cid)
    key, digest = document_key(document, private), sha256()
    sealed = documents.get(document.cid, sealing.sealed_size(document.size))
    for chunk in sealing.unseal_stream(key, [sealed]):
        digest.update(chunk)
        yield chunk
    if digest.digest() != document.sha256:
        raise DocumentCorrupt(f"Document {document.cid} is not the one that was sealed.", "Restore it from a backup.")
