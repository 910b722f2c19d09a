"""Whether the API is alive and ready."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from api.deps import OfficeDep
from api.problems import RETRY_SECONDS, problem
from api.schemas import Health
from ledger.bootstrap import check_chain
from ledger.errors import KhalayakError

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Alive")
def healthz() -> Health:
    return Health(status="alive")


@router.get("/readyz", response_model=Health, summary="Ready: chain, database and worker can be reached")
def readyz(office: OfficeDep, request: Request) -> Response | Health:
    """503 names the part that is not: `ok`, or the code of what is wrong, for each."""
    worker = request.app.state.worker
    parts = {
        "chain": _state(lambda: check_chain(office.chain, office.trust)),
        "database": _state(lambda: office.store.cursor(str(office.trust.registers[0].name))),
        "worker": "ok" if worker is None or worker.alive else "stopped",
    }
    if failing := [name for name, state in parts.items() if state != "ok"]:
        headers = {"Retry-After": str(RETRY_SECONDS)}
        return problem(503, "not-ready", f"Not ready: {', '.join(failing)}.", headers=headers, parts=parts)
    return Health(status="ready", parts=parts)


def _state(check: Callable[[], object]) -> str:
    try:
        check()
    except KhalayakError as error:
        return error.code
    return "ok"
