"""Writing what a command makes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import typer

from ledger.errors import BadInput


def json_bytes(value: Any) -> bytes:
    """The file of a certificate or of a proof of absence."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, and say so. Raises BadInput."""
    with open_new(path) as file:
        file.write(data)


@contextmanager
def open_new(path: Path) -> Iterator[BinaryIO]:
    """A file that is not there yet, to write: there, and whole, once the block has ended well, and then said. For its
    owner's eyes only. Raises BadInput."""
    new = path.with_name(f".{path.name}.new")
    try:
        if path.exists():
            raise FileExistsError
        with os.fdopen(os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(new, path)
    except FileExistsError:
        raise BadInput(f"{path} exists; it is not overwritten.", "Name another file with --out.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        new.unlink(missing_ok=True)
    typer.echo(f"Wrote {path}.")
