"""FAULTS row 46: SIGTERM under load. Requests under way are answered, the step is finished, the leases are let go, and
nothing that was accepted is lost."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from shutil import copytree
from threading import Event
from urllib.parse import urlsplit

import httpx
import pytest

from ledger.bootstrap import open_office
from ledger.registers.forms import RecordRequest
from tests.api.conftest import Applicant
from tests.faults.served import Served, served
from tests.faults.test_fault_28_overloaded import wait_until
from tests.office import TestOffice, record_of, running_office

CLIENTS = 4


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[TestOffice]:
    with running_office(tmp_path) as office:
        yield office


def apply_until(stopped: Event, house: Served, desk: TestOffice, client: int) -> dict[str, RecordRequest]:
    """Every request that was sent, by its key; the last ones may have got no answer."""
    sent: dict[str, RecordRequest] = {}
    with httpx.Client(base_url=house.url, timeout=60) as http:
        guest = Applicant(http, desk)
        while not stopped.is_set():
            key, request = f"client-{client}-{len(sent)}", desk.request()
            sent[key] = request
            try:
                assert guest.apply(request, key).status_code == 201
            except httpx.TransportError:
                break
    return sent


def half_sent(house: Served, desk: TestOffice) -> tuple[socket.socket, bytes]:
    """A connection on which half an application has been sent, and the other half."""
    asked = desk.request()
    value = json.dumps({"records": [{"fields": dict(asked.fields), "holder": asked.holder}]})
    files = [("request", ("r.json", value)), ("documents", ("deed.pdf", asked.document))]
    url = f"{house.url}/v1/land/issue"
    request = httpx.Request("POST", url, files=files, headers={"Idempotency-Key": "half"})
    head, body = b"".join(b"%s: %s\r\n" % pair for pair in request.headers.raw), request.read()
    connection = socket.create_connection((request.url.host, request.url.port or 80), timeout=60)
    connection.sendall(b"POST /v1/land/issue HTTP/1.1\r\n%s\r\n" % head + body[: len(body) // 2])
    return connection, body[len(body) // 2 :]


def test_fault_46_sigterm_under_load_answers_what_is_under_way_and_loses_nothing(
    desk: TestOffice, tmp_path: Path
) -> None:
    store, stopped = desk.office.store, Event()
    approved = [desk.approve(desk.issue(desk.request())) for _ in range(6)]
    with served(desk.office.settings) as house, ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(apply_until, stopped, house, desk, number) for number in range(CLIENTS)]
        connection, rest = half_sent(house, desk)
        wait_until(lambda: len(store.applications("submitted")) > CLIENTS)
        wait_until(lambda: len(store.applications("approved")) < len(approved))
        house.process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_closed(house))
        connection.sendall(rest)
        answer = connection.recv(65536)
        connection.close()
        assert answer.startswith(b"HTTP/1.1 201 ")
        assert house.process.wait(60) == 0
        stopped.set()
        sent = {key: request for client in clients for key, request in client.result().items()}
    assert {lease.name.split()[0]: lease.seconds <= 0 for lease in store.leases()} == {
        "follower": True,
        "relayer": True,
    }

    copytree(desk.office.settings.data, tmp_path / "elsewhere", ignore=lambda _, names: set(names) & {"office.db"})
    settings = desk.office.settings.model_copy(
        update={"data": tmp_path / "elsewhere", "database_url": desk.office.settings.database}
    )
    with closing(open_office(settings)) as other:
        other.run_once()  # at once: nobody has the leases
        again = TestOffice(other, desk.registrars, desk.judges, desk.numbers)
        ids = [again.issue(request, key=key).id for key, request in sent.items()]
        assert len(store.applications("submitted", 1000)) == len(ids) + 1  # and the one that was sent in halves
        for application in [*approved, *(again.approve(other.store.application(name)) for name in ids[:2])]:
            assert again.certify(application.id).state == "certified"
            assert len(other.store.history(application.register, record_of(application))) == 1


def is_closed(house: Served) -> bool:
    """Whether nobody new is let in."""
    try:
        socket.create_connection((urlsplit(house.url).hostname, urlsplit(house.url).port), timeout=5).close()
    except OSError:
        return True
    return False
