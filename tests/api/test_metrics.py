"""What Prometheus is told, where, and that it is told nothing of a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from time import sleep

import httpx
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from scripts.devnet import free_port
from scripts.serving import _metrics
from tests.api.conftest import Applicant, serving
from tests.api.test_health import without_node
from tests.office import TestOffice

COUNT = "khalayak_http_request_seconds_count"


@pytest.fixture(scope="module")
def measured(parts: TestOffice) -> Iterator[tuple[Applicant, str]]:
    """An office over HTTP, and what its metrics were after a visitor had been there."""
    parts.office.run_once()
    app = create_app(parts.office, worker=False)
    with serving(app) as url, httpx.Client(base_url=url) as http:
        applicant = Applicant(http, parts)
        accepted = applicant.apply(parts.request(), "measured").json()
        for path in (accepted["links"]["status"], "/nowhere/Siti", "/v1/land/records/0xSiti", "/static/page.css"):
            http.get(path)
        http.request("SITI", "/healthz")
        for _ in range(500):
            # An answer is noted when it has been sent, so its reader may be here first.
            text = generate_latest(app.state.metrics.registry).decode()
            if sum(requests(text).values()) == 6:
                break
            sleep(0.01)
        yield applicant, text


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Values by name and the values of the labels, in the order of the labels' names."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created", "_sum"))
    }


def requests(text: str) -> dict[tuple[str, ...], float]:
    return {labels: value for (name, labels), value in samples(text).items() if name == COUNT}


def test_the_state_of_the_office_is_told(measured: tuple[Applicant, str]) -> None:
    applicant, text = measured
    found, office = samples(text), applicant.parts.office
    relayer = next(iter(office.publisher.relayers))
    assert found[("khalayak_queue_applications", ("submitted",))] >= 1
    assert ("khalayak_queue_oldest_seconds", ("submitted",)) in found
    assert found[("khalayak_relayer_nonce", (relayer,))] == office.chain.next_nonce(relayer)
    assert found[("khalayak_relayer_balance_wei", (relayer,))] == float(office.chain.balance(relayer))
    assert found[("khalayak_chain_block", ("final",))] == office.chain.block("finalized").number
    assert found[("khalayak_register_lag_blocks", ("land",))] == 0
    assert found[("khalayak_part", ("chain", "fine"))] == 1
    assert found[("khalayak_part", ("chain", "unknown"))] == 0
    assert ("khalayak_chain_finality_seconds", ()) in found
    assert not [name for name, _ in found if name in ("khalayak_documents_waiting", "khalayak_obstacle")]


def test_requests_are_told_by_route_and_status_and_name_nobody(measured: tuple[Applicant, str]) -> None:
    assert requests(measured[1]) == {
        ("POST", "/v1/{kind}/{action}", "201"): 1,
        ("GET", "/v1/applications/{application_id}", "200"): 1,
        ("GET", "none", "404"): 1,
        ("GET", "/v1/{kind}/records/{record_id}", "400"): 1,
        ("GET", "none", "200"): 1,
        ("other", "/healthz", "405"): 1,
    }
    assert not re.search("siti|0x(?!.{40}[^0-9a-f])", measured[1], re.IGNORECASE)


def test_what_is_not_known_has_no_value(parts: TestOffice) -> None:
    app = create_app(without_node(parts.office), worker=False)
    found = samples(generate_latest(app.state.metrics.registry).decode())
    assert found[("khalayak_obstacle", ("node-unreachable", "chain"))] == 1
    assert found[("khalayak_part", ("chain", "unknown"))] == 1
    assert not [name for name, _ in found if re.search("chain_block|finality|lag|balance|relayer_nonce", name)]


def test_metrics_are_served_on_their_own_port_of_this_machine_and_not_by_the_api(parts: TestOffice) -> None:
    app, port = create_app(parts.office, worker=False), free_port()
    with serving(app) as url, _metrics(app.state.metrics, port):
        assert httpx.get(f"{url}/metrics").status_code == 404
        assert "khalayak_part" in httpx.get(f"http://127.0.0.1:{port}/metrics").text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics")
    with _metrics(app.state.metrics, 0), pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics")
