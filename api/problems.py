"""Every error as application/problem+json (RFC 9457), in one place. Nothing here repeats what a caller sent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from traceback import extract_tb
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger import errors
from ledger.errors import KhalayakError
from wallet import errors as wallet_errors

RETRY_SECONDS = 5

# The nearest class in an error's ancestry decides.
STATUS: Mapping[type[KhalayakError], int] = {
    errors.BadInput: 400,
    errors.TooLarge: 413,
    errors.NotFound: 404,
    errors.Erased: 410,
    errors.Conflict: 409,
    errors.IdempotencyMismatch: 422,
    errors.Refused: 403,
    errors.Unavailable: 503,
    errors.DocumentCorrupt: 500,
    errors.ConfigurationError: 500,
    # Verification answers with a verdict; a proof that fails elsewhere came from our own node.
    errors.InvalidProof: 502,
    errors.VerificationFailed: 500,
    wallet_errors.WalletError: 500,
    wallet_errors.BadSignature: 400,
}

_REGISTERS = {"registers": "/v1/registers"}  # they name the fields that an absence is proved for
_HTTP_CODES = {400: "bad-input", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}

log = structlog.get_logger()


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


def status_of(kind: type[KhalayakError]) -> int | None:
    """The HTTP status of an error class, None when no ancestor has one."""
    return next((STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in STATUS), None)


def problem(
    status: int,
    code: str,
    detail: str,
    hint: str = "",
    pointer: str = "",
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> ProblemResponse:
    """A problem document. `pointer` is a JSON pointer into the request, `members` are extensions."""
    body = {"type": f"urn:khalayak:problem:{code}", "title": code.replace("-", " ").capitalize(), "status": status}
    optional = {"detail": detail, "hint": hint, "pointer": pointer, **members}
    return ProblemResponse(body | {k: v for k, v in optional.items() if v}, status, headers)


def documented(model: type) -> dict[str, Any]:
    """How OpenAPI describes an error answer."""
    return {"model": model, "description": "What was wrong (RFC 9457).", "content": {ProblemResponse.media_type: {}}}


def of_error(error: KhalayakError) -> ProblemResponse:
    status = status_of(type(error)) or 500
    again = status == 503 or isinstance(error, errors.StillRunning)
    headers = {"Retry-After": str(RETRY_SECONDS)} if again else None
    if status >= 500 and type(error) is not errors.Unavailable:
        # Such a message is for the office's operators: it may name a file, or the address of a node.
        log.error("request failed", error=error.code, reason=error.message)
        return problem(status, error.code, "The office cannot answer this now.", "Try again later.", headers=headers)
    members: dict[str, Any] = {"links": _REGISTERS if isinstance(error, errors.NeverRecorded) else None}
    if isinstance(error, errors.Erased):
        receipt = f"/v1/erasures/records/{error.receipt}"
        members = {"ground": error.ground, "orderedAt": error.time, "links": {"receipt": f"{receipt}/certificate"}}
    pointer = error.pointer if isinstance(error, errors.BadInput) else ""
    return problem(status, error.code, error.message, error.hint, pointer, headers, **members)


def place_of(error: BaseException) -> str:
    """Where an error arose, as `file:line`. Its message may quote personal data, so it is never logged."""
    frames = extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"


def install(app: FastAPI) -> None:
    """Make `app` answer every error as a problem. Middleware that is added later is outside of it."""
    app.add_middleware(Unexpected)

    @app.exception_handler(KhalayakError)
    def _known(_request: Request, error: KhalayakError) -> ProblemResponse:
        return of_error(error)

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> ProblemResponse:
        first = error.errors()[0]
        source, *names = (str(part) for part in first["loc"])
        name = "/".join(names)
        pointer = f"/{name}" if source == "body" and names else ""
        return problem(400, "bad-input", f"{source} {name}: {first['msg']}.", "See /docs.", pointer)

    @app.exception_handler(HTTPException)
    def _http(_request: Request, error: HTTPException) -> ProblemResponse:
        code = _HTTP_CODES.get(error.status_code, "error")
        return problem(error.status_code, code, f"{error.detail}.", headers=error.headers)


class Unexpected:
    """Answers an error that nobody foresaw. Starlette's own handler would raise it again, and the server would log its
    message, which may quote personal data."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noting_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, noting_start)
        except Exception as error:
            log.error("unexpected error", error=type(error).__name__, place=place_of(error))
            if not started:
                hint = "Try again; tell the office if it stays so."
                await problem(500, "unexpected", "Something went wrong here.", hint)(scope, receive, send)
