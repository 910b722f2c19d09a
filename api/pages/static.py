"""Stylesheet, scripts and icon, served from here so that no other host is asked for anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi.staticfiles import StaticFiles
from starlette.responses import Response

STATIC = Path(__file__).parent.parent / "static"


class Static(StaticFiles):
    """Files that a browser keeps, and asks each time whether they changed: a new version is used at once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        answer = super().file_response(*args, **kwargs)
        answer.headers["Cache-Control"] = "no-cache"
        return answer
