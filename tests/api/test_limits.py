"""Limits of requests, and what every answer has. tests/faults/ has the attacks (rows 49 and 50)."""

from __future__ import annotations

import httpx
import pytest

from api.limits import HEADERS
from tests.api.conftest import Problem


def test_an_approval_has_a_smaller_cap(http: httpx.Client, problem: Problem) -> None:
    answer = http.post(f"/v1/applications/{'0' * 32}/approvals", content=b" " * 20_000)
    problem(answer, 413, "too-large")


@pytest.mark.parametrize("path", ["/healthz", "/v1/trust", "/nowhere", "/v1/land/records/x"])
def test_every_answer_has_the_security_headers(http: httpx.Client, path: str) -> None:
    assert {name: http.get(path).headers[name] for name in HEADERS} == HEADERS
