"""FAULTS row 28: the node answers 429 or 5xx, too late, or never. The worker backs off, the API is degraded and says by
what, and when the node is back all that waited goes through, each once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event
from time import sleep
from typing import Any

import httpx
import pytest

from api import watch, worker
from api.app import create_app
from ledger import bootstrap
from ledger.adapters.evm_chain import EvmChain
from tests.api.conftest import Applicant, Problem, serving
from tests.faults.proxy import Proxy, proxied
from tests.office import TestOffice, record_of, running_office

PATIENCE = 0.3


@dataclass
class Node:
    """A node that is `whole` or in a trouble."""

    trouble: Any = None
    whole: Event = field(default_factory=Event)

    def __call__(self, _request: dict[str, Any], forward: Callable[[], Any]) -> Any:
        if self.whole.is_set():
            return forward()
        if isinstance(self.trouble, int):
            return self.trouble
        self.whole.wait(None if self.trouble == "half-open" else 2 * PATIENCE)
        return forward()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("overloaded")) as office:
        yield office


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EvmChain.__init__, "__defaults__", (PATIENCE, 0))
    monkeypatch.setattr(bootstrap, "HEALTH_SECONDS", PATIENCE)
    monkeypatch.setattr(worker, "STEP_SECONDS", 0.02)
    monkeypatch.setattr(worker, "MAX_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.05)


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(1500):
        if condition():
            return
        sleep(0.02)
    raise AssertionError("it never came")


@pytest.mark.parametrize("trouble", [429, 503, "slow", "half-open"])
@pytest.mark.usefixtures("impatient")
def test_fault_28_the_office_waits_says_so_and_drains_when_the_node_is_back(
    desk: TestOffice, problem: Problem, trouble: Any
) -> None:
    node = Node(trouble)
    node.whole.set()
    applications = [desk.approve(desk.issue(desk.request())) for _ in range(3)]
    with proxied(desk.office.settings.rpc_url, node) as proxy:
        settings = desk.office.settings.model_copy(update={"rpc_url": proxy.url})
        office = bootstrap.open_office(settings)
        app = create_app(office)
        node.whole.clear()
        with serving(app) as url, httpx.Client(base_url=url, timeout=30) as http:
            guest = Applicant(http, desk)
            wait_until(lambda: http.get("/readyz").json()["parts"]["worker"] == "chain-unreachable")
            ready = http.get("/readyz").json()
            assert (ready["status"], ready["parts"]["chain"]) == ("degraded", "node-unreachable")
            assert ready["parts"]["publisher"] == "node-unreachable"
            assert set(app.state.worker.failing().values()) == {"chain-unreachable"}
            refused = guest.apply(desk.request(), f"during-{trouble}")
            problem(refused, 503, "chain-unreachable")
            assert int(refused.headers["retry-after"]) > 0
            states = {http.get(f"/v1/applications/{item.id}").json()["state"] for item in applications}
            assert states <= {"approved", "signed", "sent"}

            node.whole.set()
            for item in applications:
                wait_until(lambda item=item: http.get(f"/v1/applications/{item.id}").json()["state"] == "certified")
            wait_until(lambda: http.get("/readyz").json()["status"] == "ready")
        office.close()
    check_each_is_recorded_once(desk, applications, proxy)


def check_each_is_recorded_once(desk: TestOffice, applications: list[Any], proxy: Proxy) -> None:
    name = str(desk.trusted().name)
    assert [len(desk.office.store.history(name, record_of(item))) for item in applications] == [1] * len(applications)
    sent = {str(asked["params"]) for asked in proxy.requests if asked["method"] == "eth_sendRawTransaction"}
    assert 0 < len(sent) <= len(applications)
