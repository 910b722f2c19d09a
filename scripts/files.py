"""Writing what a command makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from ledger.errors import BadInput


def write_new(path: Path, value: Any) -> None:
    """Write JSON to a file that is not there yet, and say so. Raises BadInput."""
    try:
        with path.open("x") as file:
            json.dump(value, file, indent=2, ensure_ascii=False)
            file.write("\n")
    except FileExistsError:
        raise BadInput(f"{path} exists; it is not overwritten.", "Name another file with --out.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from None
    typer.echo(f"Wrote {path}.")
