"""The order of the files of tests. `make test` runs them in several processes, where what is long must not begin last.

Each process takes the next file, whole, so that what a file shares is made once. Files share nothing with each other:
no folder, no port, no server, no office.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from wallet.late import eth_account

eth_account()  # here, since a file of tests that loads it first would leave the recursion limit as py_ecc wants it

TESTS = Path(__file__).parent
LONGEST = (
    "contracts/test_symbolic.py",
    "contracts/test_forge.py",
    "test_readme.py",
    "e2e/test_witness.py",
    "browser/test_pages_browser.py",
    "contracts/test_slither.py",
    "scripts/test_import_submit.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    name = item.path.relative_to(TESTS).as_posix()
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)
