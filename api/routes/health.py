"""Whether the API is alive and ready."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.problems import RETRY_SECONDS, problem
from api.schemas import Health
from api.worker import Worker
from ledger.status import Status

# Without these nothing can be answered, or what would be answered is not of this office's chain. All else can wait:
# a node that is away keeps applications waiting, and records and certificates are answered from the database.
NOT_READY = ("database-unreachable", "chain-mismatch", "stopped")

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Alive")
def healthz() -> Health:
    return Health(status="alive")


@router.get("/readyz", response_model=Health, summary="Ready, degraded, or not ready (503)")
def readyz(request: Request) -> Response | Health:
    """For each part `ok`, or the code of what is wrong. `degraded` answers requests and does not do all of its work;
    503 can answer nothing now."""
    status: Status = request.app.state.watch.newest()
    found = {part.name: [obstacle.name for obstacle in part.obstacles] for part in status.parts}
    found["worker"] = _of_worker(request.app.state.worker)
    parts = {name: codes[0] if codes else "ok" for name, codes in found.items()}
    if failing := [name for name, codes in found.items() if set(codes) & set(NOT_READY)]:
        headers = {"Retry-After": str(RETRY_SECONDS)}
        return problem(503, "not-ready", f"Not ready: {', '.join(failing)}.", headers=headers, parts=parts)
    return Health(status="degraded" if any(found.values()) else "ready", parts=parts)


def _of_worker(worker: Worker | None) -> list[str]:
    if worker is None:
        return []
    return [*worker.failing().values()] if worker.alive else ["stopped"]
