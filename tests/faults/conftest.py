from __future__ import annotations

from tests.api.conftest import applicant, base_url, http, parts, problem
from tests.databases import open_store, store, url

__all__ = ["applicant", "base_url", "http", "open_store", "parts", "problem", "store", "url"]
