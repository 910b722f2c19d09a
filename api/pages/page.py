"""How a page is made: templates, headers, and errors as pages instead of problem documents."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

from api.pages import words
from api.pages.i18n import LANGUAGES, Language, language, negotiate
from api.problems import RETRY_SECONDS, status_of
from ledger.errors import KhalayakError

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TEMPLATES = Path(__file__).parent.parent / "templates"


def _environment(to: Language) -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(to.messages, newstyle=True)  # type: ignore[attr-defined]
    made.globals |= {"to": to, "languages": LANGUAGES, "words": words}
    return made


_ENVIRONMENTS = {code: _environment(language(code)) for code in LANGUAGES}


def get_language(request: Request) -> Language:
    """That of the path, else the one the reader's browser asks for."""
    code = request.url.path.split("/")[1]
    return language(code if code in LANGUAGES else negotiate(request.headers.get("accept-language", "")))


Reader = Annotated[Language, Depends(get_language)]


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page in the reader's language. `path` is where the switch to the other language leads, below the language."""
    to = get_language(request)
    path = request.url.path.lstrip("/")
    below = path.partition("/")[2] if path.split("/")[0] in LANGUAGES else path
    office = request.app.state.office
    values = {"path": below, "authority": office.trust.registers[0].authority_name, "trust": office.trust, **values}
    html = _ENVIRONMENTS[to.code].get_template(template).render(values)
    headers = {"Content-Security-Policy": CSP, "Content-Language": to.code, "Vary": "Accept-Language"}
    return HTMLResponse(html, status, headers)


def error_page(request: Request, status: int) -> HTMLResponse:
    """What is shown in place of a page that cannot be made. It never repeats what was sent."""
    shown = {404: "not-found", 405: "not-found", 413: "too-large", 503: "unavailable"}.get(
        status, "unavailable" if status >= 500 else "bad-input"
    )
    answer = page(request, "error.html", status, shown=shown, path="")
    if status == 503:
        answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


class PageRoute(APIRoute):
    """A route whose errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_as_page(request: Request) -> Response:
            try:
                return await handle(request)
            except KhalayakError as error:
                return error_page(request, status_of(type(error)) or 500)
            except RequestValidationError:
                return error_page(request, 400)
            except HTTPException as error:
                return error_page(request, error.status_code)

        return handle_as_page
