"""The sealed documents of an application, for its applicant."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import OfficeDep, Token
from api.routes.applications import ApplicationId
from api.schemas import SealedDocument
from ledger.content import cids_of
from ledger.encoding import from_hex, to_hex
from ledger.errors import Refused

router = APIRouter(prefix="/v1", tags=["applications"])


@router.get("/applications/{application_id}/documents", summary="The sealed documents with the wraps of their keys")
def documents(office: OfficeDep, application_id: ApplicationId, token: Token) -> list[SealedDocument]:
    """Needs the access token. With the sealed bytes of a CID and the wrap of the reader `holder`, whose public key came
    with the application, the document is opened without the office: `khalayak documents open-sealed`."""
    application = office.store.application(application_id)
    if token is None or not office.applications.may_read(application, token):
        raise Refused("This needs the access token of the application.", "It was answered when it was accepted.")
    found = []
    for record in application.payload["records"]:
        digest = from_hex(record.get("digest", "0x"), None)
        fields = office.certifier.content(digest) if digest else []
        found += [office.store.document(cid) for cid in cids_of(fields)]
    return [
        SealedDocument(
            cid=document.cid,
            sha256=to_hex(document.sha256),
            size=document.size,
            mediaType=document.media_type,
            wraps={reader: to_hex(wrap) for reader, wrap in document.wraps.items()},
        )
        for document in found
    ]
