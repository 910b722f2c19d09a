"""Figures: what was measured, and its ratio to a limit or a peer measured in the same run."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import structlog

Figures = dict[str, Any]


def quiet() -> None:
    """Let this process log nothing but errors."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def figure(value: float, unit: str, limit: float, reference: str, *, lower_is_better: bool = False) -> dict[str, Any]:
    ratio = limit / value if lower_is_better else value / limit
    return {"value": round(value, 1), "unit": unit, "reference": f"{reference}: {limit:,.0f}", "ratio": round(ratio, 3)}


def rate(work: Callable[[], object]) -> float:
    """Runs a second of processor time: the best of three."""
    best = 0.0
    for _ in range(3):
        started = time.process_time()
        work()
        best = max(best, 1 / (time.process_time() - started))
    return best
