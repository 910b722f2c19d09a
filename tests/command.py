"""The `khalayak` command in this process, which starts in no time; that it can be started is tested elsewhere."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from scripts.cli import main


def khalayak(*arguments: str | Path, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Its exit code and what it prints."""
    out, code = io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(out):
        patch.setattr(sys, "argv", ["khalayak", *map(str, arguments)])
        for name, value in (environment or {}).items():
            patch.setenv(name, value)
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, out.getvalue()
