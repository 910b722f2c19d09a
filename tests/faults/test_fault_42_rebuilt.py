"""FAULTS row 42: the database is deleted, and rebuilt from the chain, the documents and the key files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

import pytest

from ledger.bootstrap import open_office
from ledger.errors import ConfigurationError, Refused
from ledger.upkeep import rebuild
from tests.ledger.test_erasure import order
from tests.lively import STATES, Life, lively, remove

Answers = dict[str, tuple[int, bytes]]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with lively(tmp_path_factory.mktemp("rebuilt")) as life:
        yield life


def test_every_route_that_anyone_can_read_is_asked(life: Life) -> None:
    with life.serving() as http:
        routes = http.get("/openapi.json").json()["paths"]
    asked = [path.partition("?")[0] for path in life.paths()]
    for path in (path for path, methods in routes.items() if "get" in methods and path.startswith("/v1")):
        assert any(re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), one) for one in asked), path


def test_fault_42_a_deleted_database_is_rebuilt_and_answers_as_before(life: Life) -> None:
    before, holds = life.answers(), life.office.store.all_holds()
    assert {200, 303, 404, 410} <= {status for status, _ in before.values()} < {200, 303, 401, 403, 404, 410}
    life.office.close()
    remove(life.database)
    office, calls = open_office(life.office.settings, rebuilding=True), count()

    def killed() -> None:
        if next(calls) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(office, False, killed)
    office.close()
    with pytest.raises(ConfigurationError, match="rebuild of this database has not ended"):
        open_office(life.office.settings)

    office = open_office(life.office.settings, rebuilding=True)
    done, strange = rebuild(office, False, lambda: None)
    assert (done.restored, done.there, done.lost, list(strange)) == (len(STATES) - 5, 5, [], [])
    with pytest.raises(ConfigurationError, match="not empty"):
        rebuild(office, False, lambda: None)
    office.close()
    life = life.reopened()
    assert {name: life.state_of(name) for name in life.applications} == STATES
    after = life.answers()
    assert {path: answer for path, answer in after.items() if before[path] != answer} == {}

    assert life.office.store.all_holds() == holds and {hold.until is None for hold in holds} == {True, False}
    (held,) = (hold for hold in holds if hold.until is None and hold.register == str(life.parts.trusted().name))
    with pytest.raises(Refused, match="legal hold"):
        life.parts.submit("erasures", order(life.parts, "land", held.record_id))

    # The same request is answered as it was, and the office goes on.
    requests = {name: request for name, request in life.requests.items() if name != "erased"}  # its hash is erased too
    for name, (kind, change) in requests.items():
        again = life.office.applications.submit(kind, change, name)
        assert again.application.id == life.applications[name].id
        assert life.office.applications.may_read(again.application, again.access_token)
    life.parts.approve(life.applications["half approved"])
    for name in ("recorded", "approved", "half approved"):
        assert life.parts.certify(life.applications[name].id).state == "certified"
    assert life.office.publisher is not None
    for relayer in life.office.publisher.relayers:
        highest = life.office.store.highest_nonce(relayer)
        assert life.office.chain.next_nonce(relayer) == (0 if highest is None else highest + 1)
    life.office.close()
