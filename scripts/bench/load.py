"""How much longer an applicant waits for `khalayak serve` to answer when ten times as many people apply."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from scripts.bench.desk import Desk, open_desk
from scripts.bench.figures import Figures, figure
from scripts.cli_witness import listening
from scripts.tools.process import running, wait_for
from wallet.keys import new_key
from wallet.signer import LocalSigner

SAMPLES = Path(__file__).parent.parent / "samples"
A_SECOND, TIMES, SECONDS = 2, 10, 8


def load_figures() -> Figures:
    with open_desk() as desk, _served(desk) as url:
        _waits(url, A_SECOND, "warm")
        calm = _waits(url, A_SECOND, "calm")
        loaded = _waits(url, A_SECOND * TIMES, "loaded")
    p95 = figure(_p95(loaded), "ms p95 to accept", _p95(calm), "ms at a tenth of the load", lower_is_better=True)
    return {"accept_p95_under_load": p95}


def _p95(waits: list[float]) -> float:
    return 1000 * statistics.quantiles(waits, n=20)[-1]


def _waits(url: str, a_second: int, name: str) -> list[float]:
    """Seconds from the moment when each was to be sent: a server that is late does not slow those who come."""
    began = time.monotonic() + 0.1

    def apply(number: int) -> float:
        due = began + number / a_second
        request = _request(url, f"{name}-{number}")
        time.sleep(max(0.0, due - time.monotonic()))
        client.send(request).raise_for_status()
        return time.monotonic() - due

    count = a_second * SECONDS
    with httpx.Client(timeout=60) as client, ThreadPoolExecutor(min(count, 64)) as people:
        return list(people.map(apply, range(count)))


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
