"""Writing what a command makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from ledger.errors import BadInput


def json_bytes(value: Any) -> bytes:
    """The file of a certificate or of a proof of absence."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, and say so. Raises BadInput."""
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise BadInput(f"{path} exists; it is not overwritten.", "Name another file with --out.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from None
    typer.echo(f"Wrote {path}.")
