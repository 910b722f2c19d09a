"""Records from submission to certified, on SQLite and a real devnet."""

from __future__ import annotations

import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path

import orjson

from ledger.import_rows import Options
from ledger.importing import Import
from scripts.bench.desk import open_desk
from scripts.bench.figures import Figures, figure
from scripts.samples import registry

ROWS = 100_000
PART = 20_000
TITLES = 2_000


class Stopwatch:
    """Wall clock beside this process's own time, by step: other processes and the devnet's node take the rest."""

    def __init__(self) -> None:
        self.steps: dict[str, tuple[float, float]] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        wall, own = time.perf_counter(), time.process_time()
        yield
        self.steps[name] = (time.perf_counter() - wall, time.process_time() - own)

    def total(self, *names: str) -> tuple[float, float]:
        walls, owns = zip(*(self.steps[name] for name in names or self.steps), strict=True)
        return sum(walls), sum(owns)

    def show(self, what: str, rows: int) -> None:
        parts = (f"{name} {wall:.1f} s ({own:.1f} s here)" for name, (wall, own) in self.steps.items())
        print(f"{what}: {rows:,} in {', '.join(parts)}")


def batch_figures() -> Figures:
    """An import of public transactions, several agencies and months, so several series."""
    watch, peaks = Stopwatch(), list[int]()
    with open_desk() as desk:
        path = desk.folder / "transactions.csv"
        registry.write(path, "transactions", ROWS)

        def submitted(rows: int) -> None:
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

        job = Import(desk.office.applications, path, Options("transactions", "append", {}))
        with closing(job):
            with watch.step("read and checked"):
                found = job.check()
            with watch.step("submitted"):
                manifest = job.submit(submitted, verify=True)
            with watch.step("approved"):
                for signer in desk.registrars:
                    manifest = job.approve(manifest, signer)
        with watch.step("certified"):
            desk.certify()
        submitted(0)
        assert found.good == manifest["rows"] == ROWS
        limit = ROWS / _rows_alone(path)
    watch.show("public transactions", ROWS)
    wall, own = watch.total()
    after, _ = watch.total("approved", "certified")
    grown = (peaks[-1] - peaks[len(peaks) * PART // ROWS]) / 1024
    reference = "leaves of the same rows hashed and one row of SQLite each"
    return {
        "batch_records_per_s": figure(ROWS / wall, "records/s", limit, reference),
        "batch_records_per_cpu_s": figure(ROWS / own, "records/s of its time", limit, reference),
        "batch_after_submission_per_s": figure(ROWS / after, "records/s", limit, reference),
        "batch_memory_growth_mb": figure(grown, "MB after 20,000", 50, "what is flat, MB", lower_is_better=True),
    }


def _rows_alone(path: Path) -> float:
    """Seconds that no pipeline can do without: each field of each row hashed, each row durable."""
    started = time.process_time()
    database = sqlite3.connect(path.with_suffix(".db"))
    with closing(database), path.open("rb") as file:
        database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
        database.execute("CREATE TABLE t (digest BLOB PRIMARY KEY, fields TEXT)")
        while lines := list(islice(file, 1_000)):
            rows = []
            for line in lines:
                fields = line.decode().split(",")
                leaves = [sha256(orjson.dumps([field])).digest() for field in fields]
                rows.append((sha256(b"".join(leaves)).digest(), orjson.dumps(fields)))
            with database:
                database.executemany("INSERT INTO t VALUES (?, ?)", rows)
    return time.process_time() - started
