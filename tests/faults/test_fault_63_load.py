"""FAULTS row 63, in short: ten times as many people at once. Every request is answered, nothing is lost, the queue
drains and the memory is flat. How much slower the answers get is for the benchmark to say."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.api.conftest import Applicant
from tests.faults.served import Served
from tests.faults.test_fault_28_overloaded import wait_until
from tests.faults.test_fault_49_lengths import MEBIBYTES
from tests.office import TestOffice, record_of

CLIENTS, EACH = 10, 4


def go_through(house: Served, desk: TestOffice, client: str) -> list[str]:
    """The applications of one who applies, has it approved, and looks at other pages between."""
    accepted = []
    with httpx.Client(base_url=house.url, timeout=120) as http:
        guest = Applicant(http, desk)
        for number in range(EACH):
            answer = guest.apply(desk.request(), f"{client}-{number}")
            assert answer.status_code == 201
            links = answer.json()["links"]
            for registrar in desk.registrars[:2]:
                assert guest.approve(links["status"], registrar).status_code == 200
            for path in (links["status"], "/v1/registers", "/readyz", "/"):
                assert http.get(path).status_code == 200
            accepted.append(answer.json()["id"])
    return accepted


def test_fault_63_ten_times_the_load_is_answered_and_drains_with_flat_memory(
    house: Served, desk_of_the_house: TestOffice
) -> None:
    desk, store = desk_of_the_house, desk_of_the_house.office.store
    accepted = go_through(house, desk, "alone")
    before = house.memory()
    with ThreadPoolExecutor(CLIENTS) as pool:
        crowd = pool.map(lambda number: go_through(house, desk, f"crowd-{number}"), range(CLIENTS))
        accepted += [name for names in crowd for name in names]
    wait_until(lambda: {store.application(name).state for name in accepted} == {"certified"})
    name = str(desk.trusted().name)
    assert {len(store.history(name, record_of(store.application(item)))) for item in accepted} == {1}
    assert set(store.waiting()) <= {"submitted"}
    assert house.memory() - before < 60 * MEBIBYTES
    assert "failed" not in house.log.read_text() and "unexpected" not in house.log.read_text()
