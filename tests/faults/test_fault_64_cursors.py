"""FAULTS row 64, of the log of a register: a malformed cursor is refused, and one of elsewhere shows nothing else."""

from __future__ import annotations

import httpx
import pytest

from ledger.model import Place
from ledger.paging import cursor_of


@pytest.mark.parametrize("cursor", ["", "x", "A" * 23, "%00", "A" * 21 + "B", "_" * 22, "1' OR '1'='1"])
def test_fault_64_a_malformed_cursor_is_bad_input(http: httpx.Client, cursor: str) -> None:
    answer = http.get("/v1/land/entries", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["pointer"]) == (400, "/cursor")


def test_fault_64_a_cursor_of_another_register_shows_entries_of_this_one_only(http: httpx.Client) -> None:
    answer = http.get("/v1/diplomas/entries", params={"cursor": cursor_of(Place(1, 0))})
    assert (answer.status_code, answer.json()["entries"]) == (200, [])
