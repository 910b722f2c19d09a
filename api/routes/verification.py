"""Verifying a file for somebody who has no verifier at hand, and the trust root to verify with elsewhere."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, UploadFile

from api.deps import OfficeDep
from api.schemas import VerdictAnswer
from ledger.verifier import verify

router = APIRouter(prefix="/v1", tags=["verification"])


@router.post("/verify", summary="Verify a certificate or a proof of absence")
def verify_file(
    office: OfficeDep,
    certificate: Annotated[UploadFile, File(description="certificate.json or absence.json")],
    document: Annotated[UploadFile | None, File(description="the PDF that it is about")] = None,
) -> VerdictAnswer:
    """Nothing is kept. A file that is not valid is no error: the verdict says what is wrong with it."""
    given = document.file.read() if document else None
    verdict = verify(certificate.file.read(), office.trust, document=given)
    return VerdictAnswer(**verdict.as_json(), trustRoot=office.trust.name)


@router.get("/trust", summary="The trust root of this office")
def trust(office: OfficeDep) -> dict[str, Any]:
    """Whoever verifies should have this file from elsewhere than the office that issues the certificates."""
    return office.trust.as_json()
