"""Random histories of identities: the contract and ledger/identity_rules.py say the same after every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from ledger import identity_rules
from ledger.encoding import ZERO32, to_hex
from ledger.entries import Entry
from ledger.identity_entry import ACTIVE, RECOVERING, REVOKED, SUSPENDED, IdentityEntry
from ledger.registers.identity import REGISTER
from ledger.rules import ZERO_ADDRESS
from tests.contracts.identities import DELAY, Identities
from tests.contracts.machine import Machine, Node, flaws, numbers, oddities, pick, run
from tests.contracts.offices import Office, address_of

controllers = st.sampled_from(("anna", "budi", "citra"))
changed = oddities("stale", "self", "nobody")


class IdentityMachine(Machine):
    register = REGISTER

    def follow(self, action: str, payload: Mapping[str, Any], approvers: Sequence[str]) -> Mapping[bytes, Entry]:
        return identity_rules.follow(action, payload, self.heads(), self.time, approvers, recovery_delay=DELAY)

    def officials(self, action: str) -> dict[str, Sequence[str]]:
        return {} if action in ("confirm", "veto") else super().officials(action)

    def identity(self, controller: str, validity: int, odd: str = "") -> dict[str, Any]:
        """The record of a new identity that ends `validity` seconds after the next block."""
        record_id = next(iter(self.histories)) if odd == "again" else self.fresh()
        digest = ZERO32 if odd == "no digest" else self.fresh()
        end = str(self.time + 1 + (0 if odd == "past" else validity))
        controller = ZERO_ADDRESS if odd == "nobody" else controller
        return {"recordId": to_hex(record_id), "digest": to_hex(digest), "controller": controller, "validUntil": end}

    def change(self, action: str, record_id: bytes, odd: str, flaw: str, number: int, **more: Any) -> None:
        history = self.histories[record_id]
        current, before = history[-1], history[-2:][0]
        if odd == "stale":
            current = before if len(history) > 1 else replace(current, validUntil=current.validUntil + 1)
        if odd == "before":
            before = replace(before, status=SUSPENDED if before.status == ACTIVE else ACTIVE)
        record = {**self.identity(address_of("anna"), 1, odd), "recordId": to_hex(record_id), **more}
        shown = {"head": to_hex(current.head), "current": current.as_json(), "before": before.as_json()}
        self.attempt(action, {"records": [record], **shown}, flaw, number)

    @initialize()
    def begin(self) -> None:
        validities = (10, 10 * DELAY, 1000 * DELAY)
        self.attempt("issue", {"records": [self.identity(address_of("anna"), validity) for validity in validities]})

    @rule(
        to=controllers, odd=oddities("again", "no digest", "past", "nobody", "twice", "none"), flaw=flaws, number=numbers
    )  # fmt: skip
    def issue(self, to: str, odd: str, flaw: str, number: int) -> None:
        records = [self.identity(address_of(to), 1 + number, odd)] * {"twice": 2, "none": 0}.get(odd, 1)
        self.attempt("issue", {"records": records}, flaw, number)

    @precondition(lambda self: self.has(1, ACTIVE))
    @rule(at=numbers, odd=oddities("stale", "no digest", "past"), flaw=flaws, number=numbers)
    def renew(self, at: int, odd: str, flaw: str, number: int) -> None:
        end = str(self.time + 1 + (0 if odd == "past" else pick((1, DELAY, 1000 * DELAY), number)))
        self.change("renew", self.choose(at, ACTIVE), odd, flaw, number, validUntil=end)

    @precondition(lambda self: self.has(1, ACTIVE))
    @rule(at=numbers, to=controllers, odd=changed, end=st.sampled_from(("", "", "last", "over")), number=numbers, flaw=flaws)
    def rotate(self, at: int, to: str, odd: str, end: str, flaw: str, number: int) -> None:
        record_id = self.choose(at, ACTIVE)
        if end:
            self.wait_until(self.newest(record_id).validUntil - (end == "last"))
        self.change("rotate", record_id, odd, flaw, number, controller=self.successor(record_id, to, odd))

    @precondition(lambda self: self.has(3, ACTIVE))
    @rule(at=numbers, to=controllers, odd=changed, number=numbers, flaw=flaws)
    def recover(self, at: int, to: str, odd: str, flaw: str, number: int) -> None:
        record_id = self.choose(at, ACTIVE, SUSPENDED)
        self.change("recover", record_id, odd, flaw, number, controller=self.successor(record_id, to, odd))

    def successor(self, record_id: bytes, name: str, odd: str) -> str:
        return {"self": self.newest(record_id).controller, "nobody": ZERO_ADDRESS}.get(odd, address_of(name))

    @precondition(lambda self: self.has(1, RECOVERING))
    @rule(at=numbers, odd=oddities("stale", "before", "early"), number=numbers)
    def confirm(self, at: int, odd: str, number: int) -> None:
        record_id = self.choose(at, RECOVERING)
        self.wait_until(self.newest(record_id).time + DELAY - (odd == "early"))
        self.change("confirm", record_id, odd, "", number)

    @precondition(lambda self: self.has(1, RECOVERING))
    @rule(at=numbers, odd=oddities("stale", "before", "late", "last"), flaw=flaws, number=numbers)
    def veto(self, at: int, odd: str, flaw: str, number: int) -> None:
        record_id = self.choose(at, RECOVERING)
        if odd in ("late", "last"):
            self.wait_until(self.newest(record_id).time + DELAY - (odd == "last"))
        self.change("veto", record_id, odd, flaw, number)

    @precondition(lambda self: self.has(3, ACTIVE))
    @rule(at=numbers, odd=oddities("stale"), flaw=flaws, number=numbers)
    def suspend(self, at: int, odd: str, flaw: str, number: int) -> None:
        self.change("suspend", self.choose(at, ACTIVE), odd, flaw, number)

    @precondition(lambda self: self.has(1, SUSPENDED))
    @rule(at=numbers, odd=oddities("stale"), flaw=flaws, number=numbers)
    def reinstate(self, at: int, odd: str, flaw: str, number: int) -> None:
        self.change("reinstate", self.choose(at, SUSPENDED), odd, flaw, number)

    @precondition(lambda self: self.has(3, ACTIVE))
    @rule(at=numbers, odd=oddities("stale"), flaw=flaws, number=numbers)
    def revoke(self, at: int, odd: str, flaw: str, number: int) -> None:
        self.change("revoke", self.choose(at, ACTIVE, SUSPENDED, RECOVERING), odd, flaw, number)

    @precondition(lambda self: len(self.accepted) % 3 == 2)
    @rule(which=numbers, number=numbers)
    def again(self, which: int, number: int) -> None:
        self.replay(which, number)

    @invariant()
    def a_revoked_identity_never_lives_again(self) -> None:
        for history in self.histories.values():
            assert all(entry.status != REVOKED for entry in history[:-1])

    @invariant()
    def only_a_renewal_changes_content_and_end(self) -> None:
        for history in self.histories.values():
            for old, new in zip(history, history[1:], strict=False):
                same = (old.digest, old.validUntil) == (new.digest, new.validUntil)
                assert same == (REGISTER.actions[new.action] != "renew")


def test_contract_and_rules_agree_on_every_history_of_identities(full_office: Office, node: Node) -> None:
    address = Identities(full_office).deploy().address
    run(lambda: IdentityMachine(node, address))
