"""All pages, below /id and /en. Those that a link or a QR code leads to are found without a language too."""

from __future__ import annotations

from fastapi import APIRouter

from api.pages import records, verify
from api.pages.i18n import LANGUAGES

router = APIRouter(include_in_schema=False)
for _prefix in ("", *(f"/{code}" for code in LANGUAGES)):
    router.include_router(records.router, prefix=_prefix)
    router.include_router(verify.anywhere, prefix=_prefix)
    if _prefix:
        router.include_router(verify.router, prefix=_prefix)
