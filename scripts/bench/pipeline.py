"""Records from submission to certified, on SQLite and a real devnet."""

from __future__ import annotations

import os
import resource
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ledger import sealing
from ledger.cid import cid_of
from ledger.import_rows import Options
from ledger.importing import Import
from ledger.registers.forms import MAX_DOCUMENTS, Change, RecordRequest
from scripts.bench.desk import open_desk
from scripts.bench.figures import Figures, figure, rate
from scripts.samples import registry

ROWS = 100_000
PART = 20_000
TITLES, WARM = 2_000, 100
READER = X25519PrivateKey.generate().public_key().public_bytes_raw()


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
    """An import of public transactions, several agencies and months, so several series. What is wanted counts from when
    they were submitted."""
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
    wall, own = watch.total("approved", "certified")
    whole, _ = watch.total()
    early, peak = (kib / 1024 for kib in (peaks[len(peaks) * PART // ROWS], peaks[-1]))
    reference = "leaves of the same rows hashed and one row of SQLite each"
    return {
        "batch_records_per_s": figure(ROWS / wall, "records/s", limit, reference),
        "batch_records_per_cpu_s": figure(ROWS / own, "records/s of its time", limit, reference),
        "batch_with_submission_per_s": figure(ROWS / whole, "records/s", limit, reference),
        "batch_memory_mb": figure(peak, "MB at most", early, "after the first 20,000", lower_is_better=True),
    }


def land_figures() -> Figures:
    """Titles, each with a document of its own of 20 kB, as many an application as come with documents, in an office
    that has certified others before. What is wanted counts from when they were submitted."""
    watch = Stopwatch()
    with open_desk() as desk:
        requests = [title_request(row) for row in registry.rows("land", TITLES + WARM)]
        desk.approve(desk.office.applications.submit("land", Change("issue", requests[TITLES:]), "warm").application)
        desk.certify()
        with watch.step("submitted"):
            submit = desk.office.applications.submit
            parts = (requests[i : i + MAX_DOCUMENTS] for i in range(0, TITLES, MAX_DOCUMENTS))
            accepted = [submit("land", Change("issue", part), f"bench {n}").application for n, part in enumerate(parts)]
        with watch.step("approved"):
            for application in accepted:
                desk.approve(application)
        with watch.step("certified"):
            desk.certify()
    watch.show("titles", TITLES)
    wall, own = watch.total("approved", "certified")
    whole, _ = watch.total()
    sealing_alone = TITLES * rate(lambda: [_sealed_alone(request) for request in requests])
    reference = "sealing, naming and wrapping of the same documents alone"
    return {
        "land_titles_per_s": figure(TITLES / wall, "titles/s", sealing_alone, reference),
        "land_titles_per_cpu_s": figure(TITLES / own, "titles/s of its time", sealing_alone, reference),
        "land_titles_with_submission_per_s": figure(TITLES / whole, "titles/s", sealing_alone, reference),
    }


def title_request(row: Mapping[str, str]) -> RecordRequest:
    """A title of the made-up registry, with a document that no other has."""
    fields = {name: value for name, value in row.items() if name not in ("holderAddress", "document")}
    document = registry.DEED.removesuffix(b"%%EOF\n") + b"%" + os.urandom(10_000).hex().encode() + b"\n%%EOF\n"
    return RecordRequest(fields, row["holderAddress"], document)


def _sealed_alone(request: RecordRequest) -> None:
    key, ciphertext = sealing.seal(request.document)
    sealing.wrap(key, READER, cid_of(ciphertext))


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
