"""A real IPFS node for tests, or a skip that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.tools.kubo import find_ipfs, start_kubo

__all__ = ["ipfs_or_skip", "start_kubo"]


def ipfs_or_skip() -> Path:
    """The ipfs program. Skips the test where there is none."""
    ipfs = find_ipfs()
    if ipfs is None:
        pytest.skip("no IPFS node: run `make tools` (needs Go) or set KHALAYAK_IPFS_BIN")
    return ipfs
