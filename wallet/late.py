"""eth_account, loaded when a key is used: it takes most of a second, and who only reads has no use for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eth_account import Account

LIMIT = sys.getrecursionlimit()  # before anybody has raised it: of two threads one may come here when another has


@contextmanager
def recursion_limit_kept() -> Iterator[None]:
    """py_ecc, which eth_account and so web3 import, raises it to 100,000 for the whole process: deeply nested JSON from
    a node or a visitor would then overflow the C stack and kill the server instead of raising RecursionError."""
    try:
        yield
    finally:
        sys.setrecursionlimit(LIMIT)


@cache
def eth_account() -> type[Account]:
    with recursion_limit_kept():
        from eth_account import Account
    return Account
