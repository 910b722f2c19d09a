"""Every effect that the publisher has, killed before it, after it, or with its answer lost: recorded exactly once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ledger import bundler, publisher, sender
from ledger.errors import Unavailable
from ledger.model import Application
from ledger.publisher import Publisher
from tests.publishing import BUMP_SECONDS, LIMITS, Desk

PARTS = ("store", "chain", "signer")
# What changes nothing: to be killed there is to be killed before the next effect. All else that the code calls is one.
READS = {
    *(f"store.{name}" for name in ("applications", "approvals", "cursor", "highest_nonce", "open_senders")),
    *(f"store.{name}" for name in ("open_transactions", "reverted", "transactions", "transaction_with")),
    *(f"chain.{name}" for name in ("balance", "block", "call", "estimate_gas", "fees", "next_nonce", "receipt")),
    "chain.spent_nonces",
}
ENDED = ["final", "final", "failed"]
WAYS = ("before", "after", "lost")
ROUNDS = 16


def called() -> set[str]:
    """What the publisher's code calls of its ports, as store.move."""
    found = set()
    for module in (publisher, bundler, sender):
        assert module.__file__
        for node in ast.walk(ast.parse(Path(module.__file__).read_text())):
            match node:
                case ast.Attribute(value=ast.Attribute(value=ast.Name(id="self"), attr=part), attr=name):
                    if part in PARTS:
                        found.add(f"{part}.{name}")
    return found


EFFECTS = called() - READS


class Killed(BaseException):
    """Nothing that catches errors catches this: what runs is at its end."""


@dataclass
class Fault:
    """Strikes at the effect with this number, in one of WAYS. `trace` are the effects that there were."""

    at: int
    way: str
    trace: list[str] = field(default_factory=list)


class Wire:
    """A part of the publisher whose effects a fault may strike."""

    def __init__(self, part: str, real: Any, fault: Fault) -> None:
        self._part, self._real, self._fault = part, real, fault

    def __getattr__(self, name: str) -> Any:
        real, fault, effect = getattr(self._real, name), self._fault, f"{self._part}.{name}"
        if effect not in EFFECTS:
            return real

        def call(*arguments: Any) -> Any:
            fault.trace.append(effect)
            strikes = len(fault.trace) - 1 == fault.at
            if strikes and fault.way == "before":
                raise Killed
            result = real(*arguments)
            if strikes:
                raise Killed if fault.way == "after" else Unavailable("The answer was lost.")
            return result

        return call


def wired(desk: Desk, fault: Fault) -> Publisher:
    """A publisher that has just started."""
    parts = (Wire("store", desk.office.store, fault), Wire("chain", desk.office.chain, fault))
    signer: Any = Wire("signer", desk.relayer, fault)
    known = (LIMITS, desk.office.documents, desk.publisher.contract)
    return Publisher(desk.office.trust, *parts, desk.clock, [signer], "this test", *known)  # type: ignore[arg-type]


def applied(desk: Desk) -> list[Application]:
    """Two titles for one parcel, of which the contract takes the first, and one for another."""
    twice = desk.request()
    first = [desk.approve(desk.issue(request)) for request in (twice, desk.request())]
    return [*first, desk.approve(desk.issue(twice))]


def run(desk: Desk, fault: Fault, applications: list[Application]) -> list[str]:
    """Mining is stopped at first, so that fees rise; then there is a block after each step, and time passes. The answer
    are the states in the end."""
    office, follower = wired(desk, fault), next(it for it in desk.office.followers if it.trusted.kind == "land")
    for number in range(ROUNDS):
        try:
            office.run_once()
        except Killed:
            office = wired(desk, fault)
        except Unavailable:
            pass
        follower.run_once()
        states = [desk.state(application) for application in applications]
        if states == ENDED:
            break
        desk.clock.time += BUMP_SECONDS
        if number:
            desk.mine()
    return states


@pytest.fixture
def stopped(forkable: Desk) -> Iterator[Desk]:
    forkable.rpc("evm_setAutomine", False)
    yield forkable
    forkable.rpc("evm_setAutomine", True)


def test_killed_at_any_call_each_application_is_recorded_once(stopped: Desk) -> None:
    undisturbed = Fault(-1, "")
    assert run(stopped, undisturbed, applied(stopped)) == ENDED
    assert set(undisturbed.trace) == EFFECTS, "the story below must come by every effect"
    steps = [number for number, effect in enumerate(undisturbed.trace) if effect != "store.lease" or not number]
    for number in steps:
        # Killed before an effect is killed after the one before it, which comes by too, but for the first.
        for way in WAYS if not number or undisturbed.trace[number - 1] == "store.lease" else WAYS[1:]:
            since, fault = stopped.office.chain.block("latest").number, Fault(number, way)
            applications = applied(stopped)
            case = f"{way} {undisturbed.trace[number]}, effect {number}"
            assert run(stopped, fault, applications) == ENDED, case
            assert [stopped.recorded(application, since) for application in applications[:2]] == [1, 1], case
            spent = stopped.office.chain.next_nonce(stopped.relayer.address)
            assert stopped.office.store.highest_nonce(stopped.relayer.address) == spent - 1, case
            assert stopped.office.store.open_transactions(stopped.relayer.address) == [], case
