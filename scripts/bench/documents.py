"""Sealing documents and storing them: here, durably, and on an IPFS node, beside `ipfs add` of the same files."""

from __future__ import annotations

import multiprocessing
import os
import resource
import secrets
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ledger import sealing
from ledger.adapters.replicated_store import ReplicatedStore
from ledger.bootstrap import open_documents
from ledger.registers.forms import MAX_DOCUMENTS
from ledger.settings import Settings
from scripts.bench.figures import Figures, figure, quiet
from scripts.tools.kubo import find_ipfs, start_kubo

FILES, FILE_BYTES = 4000, 20_000
POLL_SECONDS = 0.01
ROUNDS = 3  # of small documents, ours and theirs in turn: how long it takes to make a file varies
BIG_PIECES, PIECE = 512, 1 << 20
MAX_GROWTH_KIB = 64 << 10  # of this process, while a document of BIG_PIECES MiB passes through


def documents_figures() -> Figures:
    ipfs = find_ipfs()
    if ipfs is None:
        print("no IPFS node: the figures of documents are left out")
        return {}
    with _own_place() as here, start_kubo(ipfs, here / "node") as address, start_kubo(ipfs, here / "peer"):
        (here / "office").mkdir()
        settings = Settings(data=here / "office", documents=address)
        store = open_documents(settings)
        megabytes, cid = _store_big(store)
        with (here / "big").open("wb") as big:
            big.writelines(store.read(cid, 2 * BIG_PIECES * PIECE))
        os.sync()
        add_big = BIG_PIECES * PIECE / 1e6 / _add(ipfs, here / "peer", str(here / "big"))
        with _worker(settings) as worker:
            rounds = [_round(store, worker, ipfs, here, number) for number in range(ROUNDS)]
        store.close()
    files, add_files = (statistics.median(rates) for rates in zip(*rounds, strict=True))
    return {
        "documents_files_per_s": figure(files, "files/s", add_files, "ipfs add -r, unsealed"),
        "documents_mb_per_s": figure(megabytes, "MB/s", add_big, "ipfs add, unsealed"),
    }


@contextmanager
def _own_place() -> Iterator[Path]:
    """A folder on the disk, apart from other temporary files: an ext4 without a journal looks over each inode that was
    deleted in the last minutes before it makes a new one (`recently_deleted`), which an office's data never meets and
    which makes both programs up to three times slower. Below a folder with the flag T each lies in a place of its own.
    """
    with tempfile.TemporaryDirectory() as above:
        # On a file system without this flag nothing is gained or lost.
        subprocess.run(["chattr", "+T", above], check=False, capture_output=True)  # nosec B607
        (Path(above) / secrets.token_hex(8)).mkdir()
        os.sync()
        yield next(Path(above).iterdir())


@contextmanager
def _worker(settings: Settings) -> Iterator[BaseProcess]:
    """A process that brings documents to the node, as an office's worker does for what its API and imports take in."""
    context = multiprocessing.get_context("spawn")
    ready, stopping = context.Event(), context.Event()
    process = context.Process(target=_bring, args=(settings, ready, stopping))
    process.start()
    try:
        ready.wait(60)
        yield process
    finally:
        stopping.set()
        process.join()


def _bring(settings: Settings, ready: Event, stopping: Event) -> None:
    quiet()
    store = open_documents(settings)
    ready.set()
    while not stopping.is_set():
        if not store.run_once():
            stopping.wait(POLL_SECONDS)
    store.close()


def _round(store: ReplicatedStore, worker: BaseProcess, ipfs: Path, here: Path, number: int) -> tuple[float, float]:
    """Files a second: ours, and the program's own of the same sealed files, on a node with the same settings."""
    os.sync()
    ours, cids = _store_files(store, worker)
    files = here / f"files-{number}"
    files.mkdir()
    for cid in cids:
        (files / cid).write_bytes(store.get(cid, 2 * FILE_BYTES))
    os.sync()
    return ours, FILES / _add(ipfs, here / "peer", "-r", str(files))


def _store_files(store: ReplicatedStore, worker: BaseProcess) -> tuple[float, list[str]]:
    """Files a second, each sealed, its key wrapped for one reader, until all are on the node; while some are sealed
    and stored here, others go to the node."""
    documents = [os.urandom(FILE_BYTES) for _ in range(FILES)]
    reader = X25519PrivateKey.generate().public_key().public_bytes_raw()
    cids, started = list[str](), time.monotonic()
    for start in range(0, FILES, MAX_DOCUMENTS):
        sealed = [sealing.seal(data) for data in documents[start : start + MAX_DOCUMENTS]]
        cids += store.put_many([ciphertext for _, ciphertext in sealed])
        for (key, _), cid in zip(sealed, cids[-len(sealed) :], strict=True):
            sealing.wrap(key, reader, cid)
    while store.waiting() and worker.is_alive():
        time.sleep(POLL_SECONDS)
    rate = FILES / (time.monotonic() - started)
    if store.below_quorum(cids):
        raise SystemExit("Not all documents came to the node.")
    return rate, cids


def _store_big(store: ReplicatedStore) -> tuple[float, str]:
    """Megabytes a second of one big document, sealed and stored here and on the node."""

    def pieces() -> Iterator[bytes]:
        piece = os.urandom(PIECE)
        for _ in range(BIG_PIECES):
            yield piece

    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    cid = store.put_stream(sealing.seal_stream(os.urandom(sealing.KEY_SIZE), pieces()))
    while store.waiting():
        store.run_once()
    seconds = time.monotonic() - started
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if growth > MAX_GROWTH_KIB:
        raise SystemExit(f"A document of {BIG_PIECES} MiB took {growth:,} KiB of memory.")
    return BIG_PIECES * PIECE / 1e6 / seconds, cid


def _add(ipfs: Path, repo: Path, *what: str) -> float:
    """Seconds that the program itself takes, with the parameters that this project uses."""
    profile = ("-Q", "--cid-version=1", "--raw-leaves", "--chunker=size-1048576", "--max-file-links=1024")
    environment = {**os.environ, "IPFS_PATH": str(repo), "IPFS_TELEMETRY": "off"}
    started = time.monotonic()
    subprocess.run([ipfs, "add", *profile, *what], env=environment, check=True, capture_output=True)
    return time.monotonic() - started
