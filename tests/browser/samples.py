"""Makes api/samples/ again: `python -m tests.browser.samples`. They are of a chain and an office that do not exist."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from api.pages.samples import FOLDER
from ledger.certificate import Absence, Certificate
from ledger.land_entry import RETIRE, RETIRED
from ledger.trust import TrustRoot
from scripts.frauds import all_frauds
from tests.builders import DOCUMENT, World, entries_of, trust_root


def made() -> Mapping[str, Certificate | Absence | TrustRoot | Mapping[str, Any]]:
    """Each file of the folder, by its name without .json."""
    world, trust = World(), trust_root()
    sold = world.certificate()
    frauds = {fraud.name: fraud.certificate for fraud in all_frauds(sold, DOCUMENT, trust)}
    first, last = entries_of(world.record)
    ended = replace(last, action=RETIRE, status=RETIRED)
    return {
        "trust": trust,
        "valid": sold,
        "absent": world.absence(),
        "changed": frauds["changed field"],
        "outdated": frauds["stale history"],
        "retired": World(world.record, (first, ended)).certificate(),
        "unwitnessed": World(world.record).certificate(witnesses=["a"]),
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, value in made().items():
        content = value if isinstance(value, Mapping) else value.as_json()
        (FOLDER / f"{name}.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
