"""Random histories of land titles: the contract and ledger/land_rules.py say the same after every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from ledger import land_rules
from ledger.encoding import ZERO32, address_bytes, to_hex
from ledger.entries import Entry
from ledger.land_entry import ACTIVE, ASSIGNMENT_WINDOW, FROZEN, PENDING, RETIRED, LandEntry, Lien, lien_lists
from ledger.model import Log
from ledger.registers.land import REGISTER
from ledger.rules import ZERO_ADDRESS
from tests.contracts.offices import Office
from tests.contracts.machine import COURT, TEAMS, Machine, Node, address_of, flaws, numbers, oddities, pick, run

COURT_ACTIONS = ("freeze", "unfreeze", "withdraw")
holders = st.sampled_from(("anna", "anna", "anna", "budi", "citra"))
creditors = st.sampled_from(("bank", "bank", "friend", "anna"))
plain = oddities("stale")


class LandMachine(Machine):
    register = REGISTER

    def __init__(self, node: Node, address: str) -> None:
        super().__init__(node, address)
        self.lists: dict[bytes, tuple[Lien, ...]] = {ZERO32: ()}
        # Kept apart from the rules: who is owed what on each title, the area of all that lives, who approved it last.
        self.claims: dict[bytes, Counter[tuple[str, bytes]]] = {}
        self.area = 0
        self.approvers: dict[bytes, list[str]] = {}

    def follow(self, action: str, payload: Mapping[str, Any], approvers: Sequence[str]) -> Mapping[bytes, Entry]:
        return land_rules.follow(action, payload, self.heads(), self.time, approvers)

    def officials(self, action: str) -> dict[str, Sequence[str]]:
        if action == "complete":
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

    def change(
        self, action: str, record_id: bytes, odd: str, flaw: str, number: int, **more: Any
    ) -> Mapping[bytes, Entry]:
        owner = self.owner(record_id, odd)
        digest = ZERO32 if odd == "no digest" else self.fresh()
        record = {"recordId": owner.pop("recordId"), "digest": to_hex(digest)}
        return self.attempt(action, {**owner, "records": [record], **more}, flaw, number)

    def title(self, holder: str, area: int, odd: str = "") -> dict[str, Any]:
        """The record of a new parcel."""
        record_id = next(iter(self.histories)) if odd == "again" else self.fresh()
        digest = ZERO32 if odd == "no digest" else self.fresh()
        area = 0 if odd == "no area" else area
        holder = ZERO_ADDRESS if odd == "no holder" else address_of("friend") if odd == "holder" else holder
        return {"recordId": to_hex(record_id), "digest": to_hex(digest), "holder": holder, "area": str(area)}

    @initialize(areas=st.lists(st.integers(2, 9), min_size=2, max_size=3))
    def begin(self, areas: list[int]) -> None:
        records = [self.title(address_of("anna"), area) for area in areas]
        self.born(self.attempt("issue", {"records": records}))

    def born(self, recorded: Mapping[bytes, Entry]) -> None:
        self.claims |= {record_id: Counter() for record_id in recorded}
        self.area += sum(self.newest(record_id).area for record_id in recorded)

    @rule(
        holder=holders,
        odd=oddities("again", "no digest", "no area", "no holder", "twice", "none"),
        flaw=flaws,
        number=numbers,
    )
    def issue(self, holder: str, odd: str, flaw: str, number: int) -> None:
        records = [self.title(address_of(holder), 1 + number, odd)] * {"twice": 2, "none": 0}.get(odd, 1)
        self.born(self.attempt("issue", {"records": records}, flaw, number))

    @precondition(lambda self: self.has(1, ACTIVE))
    @rule(at=numbers, odd=oddities("stale", "unknown", "no digest"), flaw=flaws, number=numbers)
    def amend(self, at: int, odd: str, flaw: str, number: int) -> None:
        self.change("amend", self.choose(at, ACTIVE), odd, flaw, number)

    @precondition(lambda self: self.has(1, ACTIVE))
    @rule(
        at=numbers, to=holders, odd=oddities("stale", "liens", "self", "nobody", "no digest"), flaw=flaws, number=numbers
    )  # fmt: skip
    def transfer(self, at: int, to: str, odd: str, flaw: str, number: int) -> None:
        self.move("transfer", self.choose(at, ACTIVE), to, odd, flaw, number)

    @precondition(lambda self: self.has(2, ACTIVE, FROZEN))
    @rule(at=numbers, to=holders, odd=oddities("stale", "self", "nobody", "no digest"), flaw=flaws, number=numbers)
    def assign(self, at: int, to: str, odd: str, flaw: str, number: int) -> None:
        record_id = self.choose(at, ACTIVE, FROZEN)
        if self.move("assign", record_id, to, odd, flaw, number):
            names = [name for team in self.officials("assign").values() for name in team]
            self.approvers[record_id] = sorted(map(address_of, names), key=address_bytes)

    def move(self, action: str, record_id: bytes, to: str, odd: str, flaw: str, number: int) -> Mapping[bytes, Entry]:
        others = {"self": self.newest(record_id).holder, "nobody": ZERO_ADDRESS}
        return self.change(action, record_id, odd, flaw, number, recipient=others.get(odd, address_of(to)))

    @precondition(lambda self: self.has(1, ACTIVE))
    @rule(at=numbers, to=creditors, odd=oddities("stale", "liens", "nobody", "no claim"), flaw=flaws, number=numbers)
    def encumber(self, at: int, to: str, odd: str, flaw: str, number: int) -> None:
        record_id, claim = self.choose(at, ACTIVE), ZERO32 if odd == "no claim" else self.fresh()
        creditor = ZERO_ADDRESS if odd == "nobody" else address_of(to)
        more = {"creditor": creditor, "claim": to_hex(claim)}
        if self.change("encumber", record_id, odd, flaw, number, **more):
            self.claims[record_id][creditor, claim] += 1

    @precondition(lambda self: len(self.accepted) % 8 == 7 or any(h[-1].liens for h in self.histories.values()))
    @rule(at=numbers, odd=oddities("stale", "liens", "lien", "rank"), flaw=flaws, number=numbers)
    def release(self, at: int, odd: str, flaw: str, number: int) -> None:
        owing = [record_id for record_id in self.living() if self.newest(record_id).liens]
        record_id = pick(owing or [*self.histories], at)
        lien = pick(self.lists[self.newest(record_id).lienRoot] or (Lien(1, address_of("bank"), ZERO32),), number)
        if odd in ("lien", "rank"):
            lien = replace(lien, rank=lien.rank + 1) if odd == "rank" else replace(lien, claim=self.fresh())
        if self.change("release", record_id, odd, flaw, number, lien=lien.as_json()):
            self.claims[record_id][lien.creditor, lien.claim] -= 1

    @precondition(lambda self: self.has(3, ACTIVE))
    @rule(at=numbers, odd=plain, flaw=flaws, number=numbers)
    def freeze(self, at: int, odd: str, flaw: str, number: int) -> None:
        self.change("freeze", self.choose(at, ACTIVE), odd, flaw, number)

    @precondition(lambda self: self.has(1, FROZEN))
    @rule(at=numbers, odd=plain, flaw=flaws, number=numbers)
    def unfreeze(self, at: int, odd: str, flaw: str, number: int) -> None:
        self.change("unfreeze", self.choose(at, FROZEN), odd, flaw, number)

    @precondition(lambda self: self.has(1, PENDING))
    @rule(at=numbers, odd=oddities("stale", "early", "team"), number=numbers)
    def complete(self, at: int, odd: str, number: int) -> None:
        record_id = self.choose(at, PENDING)
        self.wait_until(self.newest(record_id).time + ASSIGNMENT_WINDOW - (odd == "early"))
        team = [address_of(name) for name in (*pick(TEAMS, number), *COURT)] if odd == "team" else []
        approvers = sorted(team, key=address_bytes) or self.approvers.get(record_id, [])
        if approvers:
            self.change("complete", record_id, odd, "", number, approvers=approvers)

    @precondition(lambda self: self.has(1, PENDING))
    @rule(at=numbers, odd=oddities("stale", "previous"), flaw=flaws, number=numbers)
    def withdraw(self, at: int, odd: str, flaw: str, number: int) -> None:
        record_id = self.choose(at, PENDING)
        previous = self.histories[record_id][-1 if odd == "previous" else -2 :][0]
        self.change("withdraw", record_id, odd, flaw, number, previous=previous.as_json())

    @precondition(lambda self: self.has(3, ACTIVE))
    @rule(at=numbers, odd=plain, flaw=flaws, number=numbers)
    def retire(self, at: int, odd: str, flaw: str, number: int) -> None:
        free = [record_id for record_id in self.living() if not self.newest(record_id).liens]
        record_id = pick(free, at // 6) if free and at % 6 else self.choose(at, ACTIVE)
        if self.change("retire", record_id, odd, flaw, number):
            self.area -= self.newest(record_id).area

    @precondition(lambda self: self.has(1, ACTIVE))
    @rule(
        at=numbers, cut=st.integers(1, 3), flaw=flaws, number=numbers,
        odd=oddities("stale", "more", "less", "again", "holder", "no digest", "no area", "twice", "one"),
    )  # fmt: skip
    def split(self, at: int, cut: int, odd: str, flaw: str, number: int) -> None:
        record_id = self.choose(at, ACTIVE)
        parent, part = self.newest(record_id), 0 if odd == "no area" else cut
        whole = parent.area + (odd == "more") - (odd == "less")
        first, rest = self.title(parent.holder, part, odd), self.title(parent.holder, max(whole - part, 0))
        children = [first, {**rest, "recordId": first["recordId"]} if odd == "twice" else rest]
        if odd == "one":
            children = [{**rest, "area": str(parent.area)}]
        payload = {"parents": [self.owner(record_id, odd)], "records": children}
        for child in self.attempt("split", payload, flaw, number).keys() - {record_id}:
            self.claims[child] = self.claims[record_id].copy()

    @precondition(lambda self: self.has(2, ACTIVE))
    @rule(
        at=numbers, count=st.integers(2, 3), flaw=flaws, number=numbers,
        odd=oddities("stale", "liens", "more", "again", "holder", "no digest", "twice", "one", "mixed", "order"),
    )  # fmt: skip
    def merge(self, at: int, count: int, odd: str, flaw: str, number: int) -> None:
        first = self.choose(at, ACTIVE)
        holder = self.newest(first).holder
        same = [r for r, h in self.histories.items() if (h[-1].status, h[-1].holder) == (ACTIVE, holder)]
        others = [r for r in (self.living() if odd == "mixed" else same) if r != first]
        chosen = [first, *others[: 0 if odd == "one" else count - 1], *[first] * (odd == "twice")]
        parents = [self.owner(record_id, odd if record_id == first else "") for record_id in chosen]
        if odd == "order":
            parents[0]["head"], parents[-1]["head"] = parents[-1]["head"], parents[0]["head"]
        area = sum(self.newest(record_id).area for record_id in chosen) + (odd == "more")
        payload = {"parents": parents, "records": [self.title(holder, area, odd)]}
        for child in self.attempt("merge", payload, flaw, number).keys() - {*chosen}:
            self.claims[child] = sum((self.claims[record_id] for record_id in chosen), Counter())

    @precondition(lambda self: len(self.accepted) % 3 == 2)
    @rule(which=numbers, number=numbers)
    def again(self, which: int, number: int) -> None:
        self.replay(which, number)

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


def test_contract_and_rules_agree_on_every_history_of_titles(full_office: Office, node: Node) -> None:
    run(lambda: LandMachine(node, full_office.register))
