"""How long an applicant waits for `khalayak serve` to accept, and then for the chain to include, when few and when ten
times as many people apply. The registrars sign at once: what they take to decide is not the office's time."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from ledger.model import ApplicationState
from ledger.ports import RecordStore
from scripts.bench.desk import Desk, open_desk
from scripts.bench.figures import Figures, figure
from scripts.cli_witness import listening
from scripts.tools.process import running, wait_for
from wallet.keys import new_key
from wallet.signer import LocalSigner

SAMPLES = Path(__file__).parent.parent / "samples"
A_SECOND, TIMES, SECONDS = 2, 10, 8
LOOK_SECONDS = 0.05
ON_CHAIN: Sequence[ApplicationState] = ("included", "final", "certified")


def load_figures() -> Figures:
    with open_desk() as desk, _served(desk) as url:
        _waits(desk, url, A_SECOND, "warm")
        calm = _waits(desk, url, A_SECOND, "calm")
        loaded = _waits(desk, url, A_SECOND * TIMES, "loaded")
    figures = {}
    for number, name in enumerate(("accept", "include")):
        few, many = (_p95([waited[number] for waited in waits]) for waits in (calm, loaded))
        unit = f"ms p95 to {name} at {A_SECOND * TIMES}/s"
        figures[f"{name}_p95_under_load"] = figure(many, unit, few, "ms at a tenth of it", lower_is_better=True)
    return figures


def _p95(waits: list[float]) -> float:
    return 1000 * statistics.quantiles(waits, n=20)[-1]


def _waits(desk: Desk, url: str, a_second: int, name: str) -> list[tuple[float, float]]:
    """Seconds from the moment when each was to be sent until it was accepted, and from then until it was included: a
    server that is late does not slow those who come."""
    began, count = time.monotonic() + 0.1, a_second * SECONDS
    accepted: dict[str, float] = {}

    def apply(number: int) -> tuple[str, float]:
        due = began + number / a_second
        request = _request(url, f"{name}-{number}")
        time.sleep(max(0.0, due - time.monotonic()))
        application_id = client.send(request).raise_for_status().json()["id"]
        accepted[application_id] = time.monotonic()
        desk.approve(desk.office.store.application(application_id))
        return application_id, accepted[application_id] - due

    with httpx.Client(timeout=60) as client, ThreadPoolExecutor(min(count, 64)) as people:
        watched = ThreadPoolExecutor(1).submit(_included, desk, count)
        waits = list(people.map(apply, range(count)))
        included = watched.result()
    return [(waited, included[application_id] - accepted[application_id]) for application_id, waited in waits]


def _included(desk: Desk, count: int) -> dict[str, float]:
    """When each of so many new applications was included, to a twentieth of a second."""
    store = desk.office.store
    known, found = {*_on_chain(store)}, dict[str, float]()
    while len(found) < count:
        time.sleep(LOOK_SECONDS)
        now = time.monotonic()
        found |= {application_id: now for application_id in _on_chain(store) if application_id not in {*known, *found}}
        if failed := store.applications("failed", 1):
            raise SystemExit(f"An application of the benchmark failed: {failed[0].reason}")
    return found


def _on_chain(store: RecordStore) -> Iterator[str]:
    for state in ON_CHAIN:
        yield from store.application_ids(state, 10_000)


def _request(url: str, key: str) -> httpx.Request:
    """A first title of a parcel that the key names."""
    fields = json.loads((SAMPLES / "deed.json").read_text()) | {"nib": f"10.15.22.{_number(key)}"}
    del fields["schema"]
    value = json.dumps({"records": [{"fields": fields, "holder": LocalSigner(new_key()).address}]})
    files = [("request", ("r.json", value)), ("documents", ("deed.pdf", (SAMPLES / "deed.pdf").read_bytes()))]
    return httpx.Request("POST", f"{url}/v1/land/issue", files=files, headers={"Idempotency-Key": key})


def _number(key: str) -> str:
    name, number = key.split("-")
    return f"{('warm', 'calm', 'loaded').index(name):02}.{int(number):05}"


@contextmanager
def _served(desk: Desk) -> Iterator[str]:
    with listening("127.0.0.1:0") as door:
        port = door.getsockname()[1]
    environment = {f"KHALAYAK_{name}": str(getattr(desk.office.settings, name.lower())) for name in ("DATA", "RPC_URL")}
    command = [sys.executable, "-m", "scripts.cli", "serve", "--listen", f"127.0.0.1:{port}"]
    with running(command, desk.folder / "log", environment) as process:
        wait_for(process, desk.folder / "log", lambda: _answers(f"http://127.0.0.1:{port}"))
        yield f"http://127.0.0.1:{port}"


def _answers(url: str) -> bool | None:
    try:
        return httpx.get(f"{url}/healthz").is_success or None
    except httpx.TransportError:
        return None
