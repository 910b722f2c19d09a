"""Sealing documents and storing them: here, durably, and on an IPFS node, beside `ipfs add` of the same files."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ledger import sealing
from ledger.adapters.replicated_store import ReplicatedStore
from ledger.bootstrap import open_documents
from ledger.settings import Settings
from scripts.bench.figures import Figures, figure
from scripts.tools.kubo import find_ipfs, start_kubo

FILES, FILE_BYTES, AT_ONCE = 4000, 20_000, 1000
BIG_PIECES, PIECE = 512, 1 << 20
MAX_GROWTH_KIB = 64 << 10  # of this process, while a document of BIG_PIECES MiB passes through


def documents_figures() -> Figures:
    ipfs = find_ipfs()
    if ipfs is None:
        print("no IPFS node: the figures of documents are left out")
        return {}
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "office").mkdir()
        with start_kubo(ipfs, here / "node") as address:
            store = open_documents(Settings(data=here / "office", documents=address))
            files, cids = _store_files(store)
            megabytes, cid = _store_big(store)
        (here / "files").mkdir()
        for cid_, number in zip(cids, range(FILES), strict=True):
            (here / "files" / f"{number}").write_bytes(store.get(cid_, 2 * FILE_BYTES))
        (here / "big").write_bytes(b"")
        with (here / "big").open("wb") as big:
            big.writelines(store.read(cid, 2 * BIG_PIECES * PIECE))
        store.close()
        os.sync()
        with start_kubo(ipfs, here / "peer"):
            add_files = FILES / _add(ipfs, here / "peer", "-r", str(here / "files"))
            add_big = BIG_PIECES * PIECE / 1e6 / _add(ipfs, here / "peer", str(here / "big"))
    return {
        "documents_files_per_s": figure(files, "files/s", add_files, "ipfs add -r, unsealed"),
        "documents_mb_per_s": figure(megabytes, "MB/s", add_big, "ipfs add, unsealed"),
    }


def _store_files(store: ReplicatedStore) -> tuple[float, list[str]]:
    """Files a second, each sealed, its key wrapped for one reader, until all are on the node; while some are sealed
    and stored here, others go to the node, as in an office."""
    documents = [os.urandom(FILE_BYTES) for _ in range(FILES)]
    reader = X25519PrivateKey.generate().public_key().public_bytes_raw()
    cids, started = list[str](), time.monotonic()
    worker = Thread(target=_bring, args=(store, FILES))
    worker.start()
    for start in range(0, FILES, AT_ONCE):
        sealed = [sealing.seal(data) for data in documents[start : start + AT_ONCE]]
        cids += store.put_many([ciphertext for _, ciphertext in sealed])
        for (key, _), cid in zip(sealed, cids[-len(sealed) :], strict=True):
            sealing.wrap(key, reader, cid)
    worker.join()
    return FILES / (time.monotonic() - started), cids


def _store_big(store: ReplicatedStore) -> tuple[float, str]:
    """Megabytes a second of one big document, sealed and stored here and on the node."""

    def pieces() -> Iterator[bytes]:
        piece = os.urandom(PIECE)
        for _ in range(BIG_PIECES):
            yield piece

    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    cid = store.put_stream(sealing.seal_stream(os.urandom(sealing.KEY_SIZE), pieces()))
    _bring(store, 1)
    seconds = time.monotonic() - started
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if growth > MAX_GROWTH_KIB:
        raise SystemExit(f"A document of {BIG_PIECES} MiB took {growth:,} KiB of memory.")
    return BIG_PIECES * PIECE / 1e6 / seconds, cid


def _bring(store: ReplicatedStore, count: int) -> None:
    """Bring to the node until so many documents more are there."""
    wanted = count + sum(1 for _ in store.table.kept(store.nodes[0].address))
    while sum(1 for _ in store.table.kept(store.nodes[0].address)) < wanted:
        if not store.run_once():
            time.sleep(0.01)


def _add(ipfs: Path, repo: Path, *what: str) -> float:
    """Seconds that the program itself takes, with the parameters that this project uses."""
    profile = ("-Q", "--cid-version=1", "--raw-leaves", "--chunker=size-1048576", "--max-file-links=1024")
    environment = {**os.environ, "IPFS_PATH": str(repo), "IPFS_TELEMETRY": "off"}
    started = time.monotonic()
    subprocess.run([ipfs, "add", *profile, *what], env=environment, check=True, capture_output=True)
    return time.monotonic() - started
