"""Kubo and geth: built once from pinned sources, found, started and stopped."""

from __future__ import annotations

from pathlib import Path

TOOL_DIRECTORY = Path(__file__).parents[2] / ".tools" / "bin"
