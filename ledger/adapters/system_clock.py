"""The machine's clock."""

from __future__ import annotations

import time


class SystemClock:
    """See ledger.ports.Clock."""

    def now(self) -> int:
        return int(time.time())
