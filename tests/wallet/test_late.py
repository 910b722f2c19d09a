"""What loading eth_account late may not bring with it."""

from __future__ import annotations

import subprocess
import sys


def test_the_recursion_limit_stays_as_it_was() -> None:
    code = """
import sys
from wallet.late import eth_account
before = sys.getrecursionlimit()
eth_account()
sys.exit("py_ecc" not in sys.modules or sys.getrecursionlimit() != before)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
