"""FAULTS row 42: a legal hold outlives its database, whatever is killed when, and no erasure comes before it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ledger.bootstrap import open_office
from ledger.errors import Refused
from ledger.holds import typed
from ledger.model import Hold
from ledger.settings import Settings
from ledger.upkeep import audit, rebuild
from tests.databases import url
from tests.fakes import FakeClock
from tests.ledger.test_erasure import order
from tests.ledger.test_retention import is_held, title
from tests.lively import remove
from tests.office import TestOffice, office_at
from wallet.keys import new_key
from wallet.signer import LocalSigner

__all__ = ["url"]


@pytest.fixture
def desk(at_hardhat: TestOffice, url: str, tmp_path: Path) -> Iterator[TestOffice]:
    node = at_hardhat.office.settings.rpc_url
    with office_at(node, tmp_path, database_url=url if "postgresql" in url else "") as desk:
        yield desk


def reopened(desk: TestOffice, *, rebuilding: bool = False) -> TestOffice:
    desk.office.close()
    return replace(desk, office=open_office(desk.office.settings, rebuilding=rebuilding))


def lose_database(settings: Settings) -> None:
    if "postgresql" in settings.database:
        with create_engine(settings.database.replace("://", "+psycopg://", 1)).begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    else:
        remove(Path(settings.database.removeprefix("sqlite:///")))


def rebuilt(desk: TestOffice) -> TestOffice:
    desk.office.close()
    lose_database(desk.office.settings)
    desk = reopened(desk, rebuilding=True)
    assert rebuild(desk.office, False, lambda: None)[0].lost == []
    return desk


def killed(desk: TestOffice, when: str, step: Callable[[TestOffice], object]) -> None:
    """A step in a process of its own, which is killed before or after its line is in the key ring."""
    child = os.fork()
    if not child:
        try:
            other = replace(desk, office=open_office(desk.office.settings))
            ring = other.office.retention.holds.ring
            append = ring.append

            def deadly(lines: list[dict[str, object]]) -> None:
                if when == "after":
                    append(lines)
                os.kill(os.getpid(), signal.SIGKILL)

            ring.append = deadly  # type: ignore[method-assign, assignment]
            step(other)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def found(desk: TestOffice) -> list[tuple[str, str]]:
    return [(item.table, item.column) for item in audit(desk.office, lambda: None)]


def until_of(desk: TestOffice) -> list[bool]:
    return [hold.until is not None for hold in desk.office.store.all_holds()]


def test_fault_42_a_hold_comes_back_with_its_signatures_and_a_lifted_one_lifted(desk: TestOffice) -> None:
    held, freed = title(desk), title(desk)
    retention, (first, second, _) = desk.office.retention, desk.registrars
    for record_id in (held, freed):
        retention.place_hold("land", record_id, first)
    retention.lift_hold("land", freed, second)
    before = desk.office.store.all_holds()
    desk = rebuilt(desk)
    assert desk.office.store.all_holds() == before
    assert found(desk) == []
    with pytest.raises(Refused, match="legal hold"):
        desk.submit("erasures", order(desk, "land", held))
    desk.done("erasures", order(desk, "land", freed))
    assert is_held(desk, held) and not is_held(desk, freed)
    desk.office.close()


def test_fault_42_an_order_that_waits_on_the_chain_still_waits_after_a_rebuild(desk: TestOffice) -> None:
    record_id = title(desk)
    application = desk.approve(desk.submit("erasures", order(desk, "land", record_id)))
    desk.publish_and_follow()
    desk.office.retention.place_hold("land", record_id, desk.registrars[0])
    desk = rebuilt(desk)
    desk.certify(application.id)
    desk.office.run_once()
    assert is_held(desk, record_id)
    desk.office.retention.lift_hold("land", record_id, desk.registrars[0])
    desk.office.run_once()
    assert not is_held(desk, record_id)
    desk.office.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_fault_42_killed_while_a_hold_is_placed_it_is_nowhere_or_comes_to_the_database(
    desk: TestOffice, when: str
) -> None:
    record_id, (first, second, _) = title(desk), desk.registrars
    killed(desk, when, lambda office: office.office.retention.place_hold("land", record_id, first))
    assert until_of(desk) == []
    assert found(desk) == ([] if when == "before" else [("holds", "")])
    desk = reopened(desk)
    desk.office.run_once()
    assert until_of(desk) == ([] if when == "before" else [False])
    if when == "before":
        desk.office.retention.place_hold("land", record_id, second)
    with pytest.raises(Refused, match="legal hold"):
        desk.submit("erasures", order(desk, "land", record_id))
    assert found(desk) == []
    desk.office.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_fault_42_killed_while_a_hold_is_lifted_it_stands_or_is_lifted_everywhere(desk: TestOffice, when: str) -> None:
    record_id, (first, second, _) = title(desk), desk.registrars
    desk.office.retention.place_hold("land", record_id, first)
    killed(desk, when, lambda office: office.office.retention.lift_hold("land", record_id, second))
    assert until_of(desk) == [False]
    desk = reopened(desk)
    desk.office.run_once()
    assert until_of(desk) == [when == "after"] and found(desk) == []
    desk.office.close()


def test_fault_42_one_placed_again_at_once_after_a_crash_is_lifted_with_the_first(desk: TestOffice) -> None:
    record_id, (first, second, _) = title(desk), desk.registrars
    killed(desk, "after", lambda office: office.office.retention.place_hold("land", record_id, first))
    retention = desk.office.retention
    retention.clock = FakeClock(retention.clock.now() + 60)
    retention.place_hold("land", record_id, second)
    desk = rebuilt(desk)
    assert until_of(desk) == [False, False]
    desk.office.retention.clock = FakeClock(retention.clock.now() + 60)
    desk.office.retention.lift_hold("land", record_id, second)
    assert until_of(desk) == [True, True] and found(desk) == []
    desk.office.close()


def test_fault_42_holds_that_the_ring_does_not_know_are_kept_if_registrars_signed_them(desk: TestOffice) -> None:
    """They are from before holds were kept there, or the ring was lost; whoever has SQL alone can add none."""
    mine, forged = title(desk), title(desk)
    retention, store, stranger = desk.office.retention, desk.office.store, LocalSigner(new_key())
    retention.place_hold("land", mine, desk.registrars[0])
    ring = retention.holds.ring.path
    ring.write_bytes(b"".join(line for line in ring.read_bytes().splitlines(True) if b'{"hold"' not in line))
    signature = stranger.sign_typed(typed(desk.trusted(), "PlaceHold", {"recordId": forged, "since": 7}))
    store.restore_hold(Hold(str(desk.trusted().name), forged, 7, stranger.address, signature))
    desk = reopened(desk)
    desk.office.run_once()
    (missed,) = audit(desk.office, lambda: None)
    assert (missed.table, missed.column) == ("holds", "") and "since=7" in missed.key
    kept, damaged = desk.office.retention.holds.all()
    assert ([hold.record_id for hold in kept.values()], damaged) == ([mine], [])
    desk.office.close()
