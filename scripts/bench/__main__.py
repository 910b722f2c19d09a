"""`make bench`: what this machine does, as ratios against a limit measured in the same run, into build/bench.json.

`python -m scripts.bench NAME…` measures those parts only and writes no file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.bench.documents import documents_figures
from scripts.bench.figures import Figures, quiet
from scripts.bench.follower import follower_figures
from scripts.bench.gas import gas_figures
from scripts.bench.load import load_figures
from scripts.bench.pipeline import batch_figures, land_figures
from scripts.bench.sealing import sealing_figures
from scripts.bench.verification import verification_figures

OUT = Path("build/bench.json")
PARTS: Mapping[str, Callable[[], Figures]] = {
    "sealing": sealing_figures,
    "documents": documents_figures,
    "verification": verification_figures,
    "follower": follower_figures,
    "gas": gas_figures,
    "batches": batch_figures,
    "titles": land_figures,
    "load": load_figures,
}


def main(names: list[str]) -> None:
    quiet()
    figures: Figures = {}
    for name in names or PARTS:
        measured = PARTS[name]()
        for label, it in measured.items():
            print(f"{label:28} {it['value']:>12,.0f} {it['unit']:22} {it['ratio']:.2f} of {it['reference']}")
        figures |= measured
    if not names:
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
