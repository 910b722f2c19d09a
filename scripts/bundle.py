"""Bundles the browser's verifier, api/static/verify/. `python -m scripts.bundle` writes what is committed there."""

from __future__ import annotations

import inspect
import json
import os
import subprocess  # nosec B404 - runs esbuild of the locked workspace only
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from ledger.errors import ConfigurationError
from ledger.registers import REGISTERS
from ledger.registers.base import Register
from ledger.registers.schema import Check, iso_date
from scripts.node import MODULES

FOLDER = Path(__file__).parent.parent / "api" / "static" / "verify"
DEFINITIONS = FOLDER / "src" / "definitions.js"
BUNDLE = FOLDER / "khalayak-verify.js"
ESBUILD = MODULES / "esbuild" / "bin" / "esbuild"
OPTIONS = ("--bundle", "--minify", "--format=esm", "--platform=browser", "--target=es2022", "--charset=utf8")


def definitions() -> str:
    """The JavaScript module with what the registers' definitions say as data, so that it is written once."""
    written = (_lines(_definition(REGISTERS[kind])) for kind in sorted(REGISTERS))
    note = "/** Written by `python -m scripts.bundle` from ledger/registers/. Do not edit. */"
    return f"{note}\nexport const DEFINITIONS = [\n{''.join(written)}];\n"


def bundle() -> bytes:
    """The minified bundle of the sources as they are. Raises ConfigurationError with esbuild's message."""
    command = [str(ESBUILD), "src/verifier.js", *OPTIONS]
    result = subprocess.run(  # nosec B603
        command, cwd=FOLDER, env={**os.environ, "NODE_PATH": str(MODULES)}, capture_output=True, check=False
    )
    if result.returncode:
        raise ConfigurationError(f"The verifier cannot be bundled: {result.stderr.decode().strip()[:400]}")
    return result.stdout


def write() -> None:
    DEFINITIONS.write_text(definitions())
    BUNDLE.write_bytes(bundle())


def _lines(definition: dict[str, Any]) -> str:
    """One line for each key, so that a change is seen in a diff."""
    lines = (f"    {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)},\n" for key, value in definition.items())
    return f"  {{\n{''.join(lines)}  }},\n"


def _definition(register: Register) -> dict[str, Any]:
    return {
        "kind": register.kind,
        "entry": [[field.name, field.metadata["abi"]] for field in fields(register.entry)],
        "subjectFields": list(register.subject_fields),
        "actions": dict(register.actions),
        "statuses": dict(register.statuses),
        "withoutRegistrars": sorted(register.without_registrars),
        "schema": register.schema.id,
        "mandatory": sorted(register.schema.mandatory),
        "fields": {field.name: _check(field.check) for field in register.schema.fields},
    }


def _check(check: Check) -> dict[str, Any]:
    """A field's check as data: what its closure holds. Raises ConfigurationError for one that schema.js lacks."""
    held = inspect.getclosurevars(check)
    if held.nonlocals.keys() == {"limit"}:
        return {"type": "text", **held.nonlocals}
    if held.nonlocals.keys() == {"compiled", "wanted"}:
        compiled, wanted = held.nonlocals["compiled"], held.nonlocals["wanted"]
        return {"type": "pattern", "regex": compiled.pattern, "wanted": wanted}
    if check is iso_date:
        return {"type": "date"}
    if held.globals == {"iso_date": iso_date} and check("unlimited") is None:
        return {"type": "unlimited or date"}
    raise ConfigurationError(f"{check!r} is a check that the browser's verifier does not know.", "Add it to schema.js.")


if __name__ == "__main__":
    try:
        write()
    except ConfigurationError as error:
        sys.exit(str(error))
