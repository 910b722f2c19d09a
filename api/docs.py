"""/docs: Swagger UI from an installed package, so that no other host is asked for anything."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

ASSETS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon-32x32.png": "image/png"}
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Khalayak API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="api"></div>
<noscript><p>The same description for programs: <a href="/openapi.json">openapi.json</a>.</p></noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
"""
START = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#api", validatorUrl: null, tryItOutEnabled: true});\n'

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def docs() -> HTMLResponse:
    return HTMLResponse(PAGE, headers={"Content-Security-Policy": CSP})


@router.get("/docs/start.js")
def start() -> Response:
    return Response(START, media_type="text/javascript")


def _serve(name: str, media_type: str) -> None:
    @router.get(f"/docs/{name}")
    def asset() -> Response:
        data = files("fastapi_swagger").joinpath("resources", name).read_bytes()
        return Response(data, media_type=media_type, headers={"Cache-Control": "max-age=86400"})


for _name, _media_type in ASSETS.items():
    _serve(_name, _media_type)
