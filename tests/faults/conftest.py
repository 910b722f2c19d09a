from __future__ import annotations

from tests.databases import open_store, store, url

__all__ = ["open_store", "store", "url"]
