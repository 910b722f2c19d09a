"""The API keeps what its OpenAPI description says, and the page that shows it asks no other host for anything."""

from __future__ import annotations

import re

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def test_every_answer_is_as_described(base_url: str) -> None:
    for found in schemathesis.openapi.from_url(f"{base_url}/openapi.json").get_all_operations():

        @settings(
            max_examples=15,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=found.ok().as_strategy())
        def check(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=CHECKS)

        check()


def test_every_operation_is_explained(http: httpx.Client) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    operations = [operation for path in paths.values() for operation in path.values()]
    assert all(operation["summary"] and operation["tags"] for operation in operations)
    assert len(operations) == 17


def test_the_documentation_is_served_whole_from_here(http: httpx.Client) -> None:
    page = http.get("/docs")
    assert "unsafe-inline" not in page.headers["content-security-policy"].split("style-src")[0]
    references = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(references) == 5
    for reference in references:
        assert reference.startswith("/")
        assert http.get(reference).status_code == 200
