"""Random histories of land titles: the contract and ledger/land_rules.py say the same after every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant

from ledger import land_rules
from ledger.encoding import ZERO32, address_bytes, to_hex
from ledger.entries import Entry
from ledger.land_entry import (
    ACTIVE,
    ASSIGNMENT_WINDOW,
    FROZEN,
    PENDING,
    RETIRED,
    TRANSFER,
    Lien,
    lien_lists,
)
from ledger.model import Log
from ledger.registers.land import REGISTER
from ledger.rules import ZERO_ADDRESS
from tests.contracts.conftest import COURT_ROLE
from tests.contracts.machine import COURT, NAMES, PLAIN, TEAMS, Machine, Step, pick, run
from tests.contracts.node import Node
from tests.contracts.offices import REGISTRAR_ROLE, Office, address_of

COOLING_OFF = 3 * 86400
COURT_ACTIONS = ("freeze", "unfreeze", "withdraw")
HOLDERS = ("anna", "anna", "anna", "budi", "citra")
CREDITORS = ("bank", "bank", "friend", "anna")


@pytest.fixture(scope="module")
def cooling_register(full_office: Office) -> str:
    """A register whose transfers wait, beside the office's own."""
    register = full_office.create("LandRegister", ("address", full_office.authority), ("uint256", COOLING_OFF))
    for policy, role in (("setPolicy", REGISTRAR_ROLE), ("setCourtPolicy", COURT_ROLE)):
        full_office.call(full_office.authority, policy, ["address", "uint64", "uint8"], register, role, 2)
    return register


class LandMachine(Machine):
    register = REGISTER
    needs: ClassVar = {
        "issue": (),
        "again": (),
        "amend": (ACTIVE,),
        "transfer": (ACTIVE,),
        "encumber": (ACTIVE,),
        "release": (ACTIVE, FROZEN),
        "freeze": (ACTIVE,),
        "unfreeze": (FROZEN,),
        "assign": (ACTIVE, FROZEN),
        "complete": (PENDING,),
        "withdraw": (PENDING,),
        "object": (PENDING,),
        "split": (ACTIVE,),
        "merge": (ACTIVE,),
        "retire": (ACTIVE,),
    }

    def __init__(self, node: Node, address: str, cooling: str) -> None:
        """`cooling` is the register whose transfers wait; each example is of one of the two."""
        super().__init__(node, address)
        self.cooling, self.window = cooling, 0
        self.lists: dict[bytes, tuple[Lien, ...]] = {ZERO32: ()}
        # Kept apart from the rules: who is owed what on each title, the area of all that lives, who approved it last.
        self.claims: dict[bytes, Counter[tuple[str, bytes]]] = {}
        self.area = 0
        self.approvers: dict[bytes, list[str]] = {}

    def follow(self, action: str, payload: Mapping[str, Any], approvers: Sequence[str]) -> Mapping[bytes, Entry]:
        return land_rules.follow(action, payload, self.head_of, self.time, approvers, cooling_off=self.window)

    def officials(self, action: str) -> dict[str, Sequence[str]]:
        if action in ("complete", "object"):
            return {}
        registrars = {} if action in COURT_ACTIONS else super().officials(action)
        return registrars | ({"court": COURT} if action in (*COURT_ACTIONS, "assign") else {})

    def compare(self, expected: Mapping[bytes, Entry], logs: Sequence[Log]) -> None:
        self.lists.update(lien_lists(logs))
        super().compare(expected, logs)

    def living(self) -> list[bytes]:
        return [record_id for record_id in self.histories if self.newest(record_id).status != RETIRED]

    def owner(self, record_id: bytes, odd: str = "") -> dict[str, Any]:
        history = self.histories[record_id]
        entry, liens = history[-1], [lien.as_json() for lien in self.lists[history[-1].lienRoot]]
        if odd == "stale":
            entry = history[-2] if len(history) > 1 else replace(entry, area=entry.area + 1)
        if odd == "liens":
            liens = liens[1:] or [Lien(1, address_of("friend"), ZERO32).as_json()]
        names = {"recordId": to_hex(self.fresh() if odd == "unknown" else record_id), "head": to_hex(entry.head)}
        return {**names, "current": entry.as_json(), "liens": liens}

    def change(self, action: str, record_id: bytes, odd: str, step: Step, **more: Any) -> Mapping[bytes, Entry]:
        owner = self.owner(record_id, odd)
        digest = ZERO32 if odd == "no digest" else self.fresh()
        record = {"recordId": owner.pop("recordId"), "digest": to_hex(digest)}
        return self.attempt(action, {**owner, "records": [record], **more}, step)

    def title(self, holder: str, area: int, odd: str = "") -> dict[str, Any]:
        """The record of a new parcel."""
        record_id = next(iter(self.histories)) if odd == "again" else self.fresh()
        digest = ZERO32 if odd == "no digest" else self.fresh()
        area = 0 if odd == "no area" else area
        holder = ZERO_ADDRESS if odd == "no holder" else address_of("friend") if odd == "holder" else holder
        return {"recordId": to_hex(record_id), "digest": to_hex(digest), "holder": holder, "area": str(area)}

    @initialize(areas=st.lists(st.integers(2, 9), min_size=2, max_size=3), waits=st.booleans())
    def begin(self, areas: list[int], waits: bool = False) -> None:
        if waits:
            self.address, self.window = self.cooling, COOLING_OFF
        records = [self.title(address_of("anna"), area) for area in areas]
        self.born(self.attempt("issue", {"records": records}))
        self.encumber(PLAIN)
        self.encumber(PLAIN)

    def born(self, recorded: Mapping[bytes, Entry]) -> None:
        self.claims |= {record_id: Counter() for record_id in recorded}
        self.area += sum(self.newest(record_id).area for record_id in recorded)

    def issue(self, step: Step) -> None:
        odd = step.odd("again", "no digest", "no area", "no holder", "twice", "none")
        record = self.title(address_of(pick(HOLDERS, step.to)), 1 + step.at % 50, odd)
        self.born(self.attempt("issue", {"records": [record] * {"twice": 2, "none": 0}.get(odd, 1)}, step))

    def amend(self, step: Step) -> None:
        self.change("amend", self.choose(step.at, ACTIVE), step.odd("stale", "unknown", "no digest"), step)

    def transfer(self, step: Step) -> None:
        self.move("transfer", self.choose(step.at, ACTIVE), step)

    def assign(self, step: Step) -> None:
        self.move("assign", self.choose(step.at, ACTIVE, FROZEN), step)

    def move(self, action: str, record_id: bytes, step: Step) -> None:
        holder, odd = self.newest(record_id).holder, step.odd("stale", "liens", "self", "nobody", "no digest")
        recipient = pick([address_of(name) for name in HOLDERS if address_of(name) != holder], step.to)
        recipient = {"self": holder, "nobody": ZERO_ADDRESS}.get(odd, recipient)
        if self.change(action, record_id, odd, step, recipient=recipient):
            names = [name for team in self.officials(action).values() for name in team]
            self.approvers[record_id] = sorted(map(address_of, names), key=address_bytes)

    def encumber(self, step: Step) -> None:
        self.lend(self.choose(step.at, ACTIVE), step.odd("stale", "liens", "nobody", "no claim"), step)

    def lend(self, record_id: bytes, odd: str, step: Step) -> None:
        creditor = ZERO_ADDRESS if odd == "nobody" else address_of(pick(CREDITORS, step.to))
        claim = ZERO32 if odd == "no claim" else self.fresh()
        if self.change("encumber", record_id, odd, step, creditor=creditor, claim=to_hex(claim)):
            self.claims[record_id][creditor, claim] += 1

    def release(self, step: Step) -> None:
        odd, owing = step.odd("stale", "liens", "claim", "rank"), [r for r in self.living() if self.newest(r).liens]
        if not owing:
            return self.encumber(step)
        record_id = pick(owing, step.at)
        lien = pick(self.lists[self.newest(record_id).lienRoot], step.to)
        if odd in ("claim", "rank"):
            lien = replace(lien, rank=lien.rank + 1) if odd == "rank" else replace(lien, claim=self.fresh())
        if self.change("release", record_id, odd, step, lien=lien.as_json()):
            self.claims[record_id][lien.creditor, lien.claim] -= 1
            if step.number % 2:  # a lien taken now ranks behind all that are left
                self.lend(record_id, "", PLAIN)

    def freeze(self, step: Step) -> None:
        self.change("freeze", self.choose(step.at, ACTIVE), step.odd("stale"), step)

    def unfreeze(self, step: Step) -> None:
        self.change("unfreeze", self.choose(step.at, FROZEN), step.odd("stale"), step)

    def complete(self, step: Step) -> None:
        record_id, odd = self.choose(step.at, PENDING), step.odd("stale", "team")
        court = () if self.newest(record_id).action == TRANSFER else COURT
        team = [address_of(name) for name in (*pick(TEAMS, step.to), *court)] if odd == "team" else []
        approvers = sorted(team, key=address_bytes) or self.approvers.get(record_id, [])
        # Tried in the last second of the window, then in the first after it.
        for early in (1, 0) if approvers else ():
            self.wait_until(self.window_end(record_id) - early)
            self.change("complete", record_id, odd, step, approvers=approvers)

    def window_end(self, record_id: bytes) -> int:
        entry = self.newest(record_id)
        return int(entry.time) + (self.window if entry.action == TRANSFER else ASSIGNMENT_WINDOW)

    def withdraw(self, step: Step) -> None:
        record_id, odd = self.choose(step.at, PENDING), step.odd("stale", "previous")
        previous = self.histories[record_id][-1 if odd == "previous" else -2 :][0]
        self.change("withdraw", record_id, odd, step, previous=previous.as_json())

    def object(self, step: Step) -> None:
        if self.window and step.at % 4:  # windows are over soon, because time passes for all titles
            self.transfer(replace(step, wrong=0, flaw=""))
        waiting = [r for r in self.histories if self.newest(r).status == PENDING and self.time < self.window_end(r)]
        waiting = [r for r in waiting if self.newest(r).action == TRANSFER]
        record_id = pick(waiting, step.to) if waiting and step.at % 4 else self.choose(step.at // 4, PENDING)
        odd, newest = step.odd("stale", "previous"), self.newest(record_id)
        # Sometimes in the last second of the window, sometimes in the first after it; tried by the new holder first.
        if step.to % 3:
            self.wait_until(self.window_end(record_id) - step.to % 3)
        previous = self.histories[record_id][-1 if odd == "previous" else -2 :][0]
        for tried in (replace(step, flaw="last party", forger=NAMES[newest.holder]), step):
            self.change("object", record_id, odd, tried, previous=previous.as_json())

    def retire(self, step: Step) -> None:
        record_id = self.choose(step.at, ACTIVE)
        if self.change("retire", record_id, step.odd("stale"), step):
            self.area -= self.newest(record_id).area

    def split(self, step: Step) -> None:
        odd = step.odd("stale", "more", "less", "again", "holder", "no digest", "no area", "twice", "one")
        record_id = self.choose(step.at, ACTIVE)
        parent, part = self.newest(record_id), 0 if odd == "no area" else 1 + step.to % 3
        whole = parent.area + (odd == "more") - (odd == "less")
        first, rest = self.title(parent.holder, part, odd), self.title(parent.holder, max(whole - part, 0))
        children = [first, {**rest, "recordId": first["recordId"]} if odd == "twice" else rest]
        if odd == "one":
            children = [{**rest, "area": str(parent.area)}]
        payload = {"parents": [self.owner(record_id, odd)], "records": children}
        for child in self.attempt("split", payload, step).keys() - {record_id}:
            self.claims[child] = self.claims[record_id].copy()

    def merge(self, step: Step) -> None:
        odd = step.odd("stale", "liens", "more", "again", "holder", "no digest", "twice", "one", "mixed", "order")
        first = self.choose(step.at, ACTIVE)
        holder = self.newest(first).holder
        others = [r for r, history in self.histories.items() if history[-1].status == ACTIVE and r != first]
        same = [r for r in others if self.newest(r).holder == holder]
        others = same if same and odd != "mixed" else [r for r in others if r not in same]
        chosen = [first, *others[: 0 if odd == "one" else 1 + step.to % 2], *[first] * (odd == "twice")]
        parents = [self.owner(record_id, odd if record_id == first else "") for record_id in chosen]
        if odd == "order":
            parents[0]["head"], parents[-1]["head"] = parents[-1]["head"], parents[0]["head"]
        area = sum(self.newest(record_id).area for record_id in chosen) + (odd == "more")
        payload = {"parents": parents, "records": [self.title(holder, area, odd)]}
        for child in self.attempt("merge", payload, step).keys() - {*chosen}:
            self.claims[child] = sum((self.claims[record_id] for record_id in chosen), Counter())

    @invariant()
    def the_area_of_what_lives_is_conserved(self) -> None:
        assert sum(self.newest(record_id).area for record_id in self.living()) == self.area

    @invariant()
    def no_lien_is_lost(self) -> None:
        for record_id in self.living():
            liens = self.lists[self.newest(record_id).lienRoot]
            assert Counter((lien.creditor, lien.claim) for lien in liens) == +self.claims[record_id]
            assert len(liens) == self.newest(record_id).liens

    @invariant()
    def a_retired_title_never_lives_again(self) -> None:
        for history in self.histories.values():
            assert all(entry.status != RETIRED for entry in history[:-1])


def test_contract_and_rules_agree_on_every_history_of_titles(
    full_office: Office, cooling_register: str, node: Node
) -> None:
    run(lambda: LandMachine(node, full_office.register, cooling_register))


def test_contract_and_rules_take_a_hundred_liens_and_no_more(full_office: Office, node: Node) -> None:
    machine = LandMachine(node, full_office.register, "")
    machine.begin([2])
    (parcel,) = machine.histories
    for _ in range(2, land_rules.MAX_LIENS + 1):
        machine.encumber(PLAIN)
    assert machine.newest(parcel).liens == land_rules.MAX_LIENS == len(machine.histories[parcel]) - 1
    machine.no_lien_is_lost()
    first = machine.lists[machine.newest(parcel).lienRoot][0]
    machine.change("release", parcel, "", PLAIN, lien=first.as_json())
    machine.encumber(PLAIN)
    assert machine.lists[machine.newest(parcel).lienRoot][-1].rank == land_rules.MAX_LIENS + 1
    machine.teardown()
