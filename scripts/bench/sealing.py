"""Sealing and naming documents."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from itertools import count
from resource import RUSAGE_SELF, getrusage

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger import sealing
from ledger.cid import cid_of
from scripts.bench.figures import Figures, figure, rate

BYTES = 64 << 20
STREAM_BYTES = 2 << 30
CHUNK = 16 << 10


def sealing_figures() -> Figures:
    return {**_streamed(), **_whole()}


def _streamed() -> Figures:
    """Two gigabytes, generated, into SHA-256, the sealed form and its CID, as a big document is added."""
    piece, pieces, before = os.urandom(CHUNK * 64), STREAM_BYTES // (CHUNK * 64), getrusage(RUSAGE_SELF).ru_maxrss
    started, sealer = time.process_time(), sealing.Sealer()
    cid_of(sealer.pieces(piece for _ in range(pieces)))
    megabytes_a_second = sealer.size / 1e6 / (time.process_time() - started)
    grown = max(1, getrusage(RUSAGE_SELF).ru_maxrss - before) / 1000
    memory = figure(grown, "MB more memory", 64, "flat", lower_is_better=True)
    speed = figure(megabytes_a_second, "MB/s", 100, "the least that is wanted")
    return {"seal_stream_mb_per_s": speed, "seal_stream_memory": memory}


def _whole() -> Figures:
    data, key = os.urandom(BYTES), AESGCM(bytes(32))
    nonces, view, megabytes = count(), memoryview(data), BYTES / 1e6
    chunks = [view[i : i + CHUNK] for i in range(0, BYTES, CHUNK)]
    encrypting = rate(lambda: [key.encrypt(next(nonces).to_bytes(12, "big"), chunk, None) for chunk in chunks])
    hashing = rate(lambda: sha256(data).digest())
    sealed, named = rate(lambda: sealing.seal(data)), rate(lambda: cid_of(data))
    return {
        "seal_mb_per_s": figure(sealed * megabytes, "MB/s", encrypting * megabytes, "AES-256-GCM alone"),
        "cid_mb_per_s": figure(named * megabytes, "MB/s", hashing * megabytes, "SHA-256 alone"),
    }
