"""The first page: verify a file, look up a code, try a sample."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import RedirectResponse

from api.deps import OfficeDep
from api.pages.advice import ADVICE
from api.pages.lookup import Hit, Mistake, look_up
from api.pages.page import PageRoute, Reader, error_page, get_language, page
from api.pages.samples import SAMPLES, sample
from api.pages.view import result, words_for_scripts
from ledger.printing.attachment import MAX_PDF_BYTES
from ledger.verifier import verify

# With and without a language before the path, and only with one.
anywhere = APIRouter(route_class=PageRoute)
router = APIRouter(route_class=PageRoute)


@anywhere.get("/")
@anywhere.get("/v")
def first(request: Request) -> Response:
    """/v is where a QR code leads: what it holds is in the fragment, which browsers do not send."""
    return _first(request)


@router.get("")
@router.get("/verify")
@router.get("/find")
def to_first(to: Reader) -> RedirectResponse:
    return RedirectResponse(f"/{to.code}/", 303)


@router.post("/verify")
def verify_file(
    request: Request,
    office: OfficeDep,
    to: Reader,
    certificate: Annotated[UploadFile | str, File()] = "",
    document: Annotated[UploadFile | str, File()] = "",
) -> Response:
    """Nothing is kept. `certificate` and `document` are files of a form; an empty one, or text, counts as none."""
    data = _bytes(certificate, MAX_PDF_BYTES + 1)
    if not data:
        return _first(request, 400, mistakes=[Mistake.NO_FILE])
    shown = result(verify(data, office.trust, document=_bytes(document) or None), data, to)
    return page(request, "result.html", result=shown, sample=None, path="verify")


@router.get("/sample/{name}")
def try_sample(request: Request, to: Reader, name: str) -> Response:
    if name not in SAMPLES:
        return error_page(request, 404)
    data, verdict = sample(name)
    # The office's register knows nothing of it, so there is nothing newer to look up.
    shown = replace(result(verdict, data, to), record="")
    return page(request, "result.html", result=shown, sample=SAMPLES[name])


@router.post("/find")
def find(request: Request, office: OfficeDep, to: Reader, typed: Annotated[str, Form()] = "") -> Response:
    """By POST, so that whatever was typed is in no address and no log."""
    found = look_up(office, typed)
    if isinstance(found, Mistake):
        return _first(request, 400, mistakes=[found], typed=typed[:200])
    if isinstance(found, Hit):
        return RedirectResponse(f"/{to.code}/r/{found.kind}/{found.record_id}", 303)
    return page(request, "missing.html", 404, missing=found, path="find")


@router.get("/{rest:path}")
def nothing_here(request: Request) -> Response:
    return error_page(request, 404)


def _bytes(given: UploadFile | str, limit: int = -1) -> bytes:
    return b"" if isinstance(given, str) else given.file.read(limit)


def _first(request: Request, status: int = 200, **values: object) -> Response:
    to = {"mistakes": [], "typed": "", "samples": SAMPLES, "advice": ADVICE} | values
    return page(request, "verify.html", status, strings=words_for_scripts(get_language(request)), **to)
