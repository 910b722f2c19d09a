"""Sealing and naming documents."""

from __future__ import annotations

import os
from hashlib import sha256
from itertools import count

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger import sealing
from ledger.cid import cid_of
from scripts.bench.figures import Figures, figure, rate

BYTES = 64 << 20
CHUNK = 16 << 10


def sealing_figures() -> Figures:
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
