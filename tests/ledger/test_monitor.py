"""The monitor at a real devnet, whose office issues and transfers titles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import BadInput, ChainMismatch, ConfigurationError, InvalidProof, SplitView, Unavailable
from ledger.model import Log
from ledger.monitor import Monitor, Watches
from ledger.registers.forms import Change, RecordRequest
from ledger.watching import open_monitor
from tests.forks import SHARED, Anvil, anvil
from tests.office import TestOffice, record_of, running_office
from wallet.keys import new_key
from wallet.signer import LocalSigner


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("office")) as office:
        yield office


@dataclass
class Hiding:
    """A real node that keeps some logs to itself."""

    real: Any
    hides: Callable[[Log], bool]

    def logs(self, address: str, first: int, last: int) -> list[Log]:
        return [log for log in self.real.logs(address, first, last) if not self.hides(log)]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@dataclass(frozen=True)
class Subscriber:
    """Somebody with a folder, who starts a monitor anew for each look."""

    desk: TestOffice
    folder: Path

    @contextmanager
    def monitor(self, *watches: str, kind: str = "") -> Iterator[tuple[Monitor, list[dict[str, Any]]]]:
        said: list[dict[str, Any]] = []
        settings = self.desk.office.settings
        watched = Watches.parse(watches, kind)
        with open_monitor(
            settings.rpc_url, settings.trust_file, self.folder / "state", watched, said.append
        ) as monitor:
            yield monitor, said

    def look(self, *watches: str, kind: str = "") -> list[dict[str, Any]]:
        with self.monitor(*watches, kind=kind) as (monitor, said):
            monitor.run_once()
        return said


@pytest.fixture
def subscriber(desk: TestOffice, tmp_path: Path) -> Subscriber:
    return Subscriber(desk, tmp_path)


def transfer(desk: TestOffice, request: RecordRequest, seller: LocalSigner, buyer: LocalSigner) -> None:
    sold = replace(request, holder="")
    change = Change("transfer", (sold,), details={"recipient": buyer.address})
    desk.done("land", change, ("holder", seller), ("recipient", buyer))


def actions(said: list[dict[str, Any]]) -> list[str]:
    return [line["action"] for line in said]


def test_an_alert_says_what_changed_where_and_when(desk: TestOffice, subscriber: Subscriber) -> None:
    request = desk.request()
    application = desk.done("land", Change("issue", (request,)))
    watch = f"nib:{request.fields['nib']}"
    (said,) = subscriber.look(watch)
    newest = desk.newest("land", record_of(application))
    transaction = desk.office.store.transaction_of(application.id)
    assert transaction is not None
    assert said.pop("head").startswith("0x")
    assert said == {
        "alert": "recorded",
        "watched": [watch],
        "register": str(desk.trusted().name),
        "kind": "land",
        "recordId": "0x" + record_of(application).hex(),
        "sequence": 1,
        "action": "issue",
        "status": "active",
        "block": transaction.block_number,
        "time": newest["time"],
        "transaction": "0x" + transaction.hash.hex(),
    }


def test_an_alert_is_said_once_over_restarts(desk: TestOffice, subscriber: Subscriber) -> None:
    seller, buyer = LocalSigner(new_key()), LocalSigner(new_key())
    request = desk.request(seller)
    watch = f"nib:{request.fields['nib']}"
    assert subscriber.look(watch) == []
    desk.done("land", Change("issue", (request,)))
    assert actions(subscriber.look(watch)) == ["issue"]
    assert subscriber.look(watch) == []
    transfer(desk, request, seller, buyer)
    assert actions(subscriber.look(watch)) == ["transfer"]
    assert subscriber.look(watch) == []


def test_who_held_a_title_hears_that_it_went(desk: TestOffice, tmp_path: Path) -> None:
    seller, buyer = LocalSigner(new_key()), LocalSigner(new_key())
    request = desk.request(seller)
    desk.done("land", Change("issue", (request,)))
    late = Subscriber(desk, tmp_path / "late")
    assert late.look(f"holder:{buyer.address}") == []
    transfer(desk, request, seller, buyer)
    before, after = f"holder:{seller.address}", f"holder:{buyer.address.lower()}"
    assert actions(Subscriber(desk, tmp_path / "before").look(before)) == ["issue", "transfer"]
    assert actions(Subscriber(desk, tmp_path / "after").look(after)) == ["transfer"]
    (both,) = late.look(before, after)
    assert sorted(both["watched"]) == sorted([before, after])


def test_what_a_registrar_approved_is_heard_by_who_watches_him(desk: TestOffice, subscriber: Subscriber) -> None:
    watches = [f"approver:{registrar.address}" for registrar in desk.registrars]
    subscriber.look(*watches)
    desk.done("land", Change("issue", (desk.request(),)))
    (said,) = subscriber.look(*watches)
    assert sorted(said["watched"]) == sorted(watches[:2])


def test_only_the_registers_that_were_named_are_followed(desk: TestOffice, tmp_path: Path) -> None:
    holder = LocalSigner(new_key())
    desk.done("land", Change("issue", (desk.request(holder),)))
    watch = f"holder:{holder.address}"
    assert Subscriber(desk, tmp_path / "a").look(watch, kind="identity") == []
    assert actions(Subscriber(desk, tmp_path / "b").look(watch, kind="land")) == ["issue"]


def test_a_kill_between_saying_and_remembering_loses_no_alert(desk: TestOffice, subscriber: Subscriber) -> None:
    request = desk.request()
    desk.done("land", Change("issue", (request,)))
    watch = f"nib:{request.fields['nib']}"
    with subscriber.monitor(watch) as (monitor, said):

        def say_and_die(line: dict[str, Any]) -> None:
            said.append(line)
            raise SystemExit

        monitor.say = say_and_die
        with pytest.raises(SystemExit):
            monitor.run_once()
    assert said == subscriber.look(watch) and len(said) == 1
    assert subscriber.look(watch) == []


def test_an_entry_that_the_node_left_out_is_an_alarm_when_the_next_comes(
    desk: TestOffice, subscriber: Subscriber
) -> None:
    seller, buyer = LocalSigner(new_key()), LocalSigner(new_key())
    request = desk.request(seller)
    application = desk.done("land", Change("issue", (request,)))
    record, issued = record_of(application), desk.office.store.transaction_of(application.id)
    assert issued is not None
    transfer(desk, request, seller, buyer)
    with subscriber.monitor(f"holder:{buyer.address}") as (monitor, said):
        monitor.chain = Hiding(monitor.chain, lambda log: log.transaction_hash == issued.hash)
        for _ in range(2):
            with pytest.raises(InvalidProof, match="left out"):
                monitor.run_once()
    assert [line["alarm"] for line in said] == ["entry-missing"] * 2 and record
    assert actions(subscriber.look(f"holder:{buyer.address}")) == ["transfer"]


def test_the_newest_entry_left_out_of_what_is_watched_is_an_alarm(desk: TestOffice, subscriber: Subscriber) -> None:
    seller, buyer = LocalSigner(new_key()), LocalSigner(new_key())
    request = desk.request(seller)
    first = desk.office.chain.block("latest").number
    desk.done("land", Change("issue", (request,)))
    transfer(desk, request, seller, buyer)
    for hidden in (first + 1, first + 2):
        folder = Subscriber(desk, subscriber.folder / str(hidden))
        with folder.monitor(f"nib:{request.fields['nib']}") as (monitor, said):
            monitor.chain = Hiding(monitor.chain, lambda log, hidden=hidden: log.block_number >= hidden)
            with pytest.raises(InvalidProof, match="head of record"):
                monitor.run_once()
        assert said[-1]["alarm"] == "invalid-proof" and len(said) <= hidden - first


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *(("nib", ""), ("nib:x", ""), ("owner:0x00", ""), ("holder:0x00", ""), ("record:0x00", ""), ("", "")),
        *(("nib:10.15.22.04.01234", "identity"), ("approver:", ""), ("nib:10.15.22.04.01234", "cars")),
    ],
)
def test_what_cannot_be_watched_is_refused(text: str, kind: str) -> None:
    with pytest.raises(BadInput):
        Watches.parse([text], kind)


def at(node: Anvil, folder: Path, trust: Path) -> Any:
    return open_monitor(node.url, trust, folder / "state", Watches.parse([]), lambda line: None)


def test_a_chain_that_changed_under_it_is_an_alarm(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    trust = tmp_path / "trust.json"
    with anvil(1) as one, anvil(2) as fork, anvil(1, genesis_time=1_770_000_000) as stranger:
        trust.write_text(json.dumps(one.trust().as_json()))
        with at(one, tmp_path, trust) as monitor:
            monitor.run_once()
        monitor.say = said.append
        assert json.loads(monitor.block_file.read_text())["number"] > SHARED
        for node, error in ((fork, SplitView), (stranger, ChainMismatch)):
            monitor.chain = node.chain
            with pytest.raises(error):
                monitor.run_once()
        with pytest.raises(ChainMismatch), at(stranger, tmp_path, trust):
            pass
        monitor.chain = one.chain
        last = json.loads(monitor.block_file.read_text())
        monitor.block_file.write_text(json.dumps(last | {"number": last["number"] + 1}))
        with pytest.raises(Unavailable, match="behind"):
            monitor.run_once()
        monitor.block_file.write_text("{}")
        with pytest.raises(ConfigurationError, match="cannot be read"):
            monitor.run_once()
    assert [line["alarm"] for line in said] == ["split-view", "chain-mismatch", "configuration"]
