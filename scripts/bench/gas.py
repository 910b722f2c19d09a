"""Gas, which never varies."""

from __future__ import annotations

import json
from pathlib import Path

from scripts.bench.figures import Figures, figure

GAS = Path(__file__).parent.parent.parent / "tests" / "contracts" / "gas.json"
SLOT_AND_EVENT_GAS = 24_025  # a new storage slot and a log of two topics and 100 bytes: the floor of one title


def gas_figures() -> Figures:
    measured = json.loads(GAS.read_text())["land/issue/400"]
    floor = "storage slot and event"
    return {"land_issue_gas": figure(measured, "gas a title", SLOT_AND_EVENT_GAS, floor, lower_is_better=True)}
