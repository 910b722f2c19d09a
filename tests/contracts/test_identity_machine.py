"""Random histories of identities: the contract and ledger/identity_rules.py say the same after every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar

from hypothesis.stateful import initialize, invariant

from ledger import identity_rules
from ledger.encoding import ZERO32, to_hex
from ledger.entries import Entry
from ledger.identity_entry import ACTIVE, RECOVERING, REVOKED, SUSPENDED
from ledger.registers.identity import REGISTER
from ledger.rules import ZERO_ADDRESS
from tests.contracts.identities import DELAY, Identities
from tests.contracts.machine import Machine, Step, pick, run
from tests.contracts.node import Node
from tests.contracts.offices import Office, address_of

CONTROLLERS = ("anna", "budi", "citra")
VALIDITIES = (1, 10, 10 * DELAY, 1000 * DELAY)


class IdentityMachine(Machine):
    register = REGISTER
    needs: ClassVar = {
        "issue": (),
        "again": (),
        "renew": (ACTIVE,),
        "rotate": (ACTIVE,),
        "recover": (ACTIVE, SUSPENDED),
        "confirm": (RECOVERING,),
        "veto": (RECOVERING,),
        "suspend": (ACTIVE,),
        "reinstate": (SUSPENDED,),
        "revoke": (ACTIVE, SUSPENDED, RECOVERING),
    }

    def follow(self, action: str, payload: Mapping[str, Any], approvers: Sequence[str]) -> Mapping[bytes, Entry]:
        return identity_rules.follow(action, payload, self.head_of, self.time, approvers, recovery_delay=DELAY)

    def officials(self, action: str) -> dict[str, Sequence[str]]:
        return {} if action in ("confirm", "veto") else super().officials(action)

    def identity(self, controller: str, validity: int, odd: str = "") -> dict[str, Any]:
        """The record of a new identity that ends `validity` seconds after the next block."""
        record_id = next(iter(self.histories)) if odd == "again" else self.fresh()
        digest = ZERO32 if odd == "no digest" else self.fresh()
        end = str(self.time + 1 + (0 if odd == "past" else validity))
        controller = ZERO_ADDRESS if odd == "nobody" else controller
        return {"recordId": to_hex(record_id), "digest": to_hex(digest), "controller": controller, "validUntil": end}

    def change(self, action: str, record_id: bytes, odd: str, step: Step, **more: Any) -> None:
        history = self.histories[record_id]
        current, before = history[-1], history[-2:][0]
        if odd == "stale":
            current = before if len(history) > 1 else replace(current, validUntil=current.validUntil + 1)
        if odd == "before":
            before = replace(before, status=SUSPENDED if before.status == ACTIVE else ACTIVE)
        record = {**self.identity(address_of("anna"), 1, odd), "recordId": to_hex(record_id), **more}
        shown = {"head": to_hex(current.head), "current": current.as_json(), "before": before.as_json()}
        self.attempt(action, {"records": [record], **shown}, step)

    @initialize()
    def begin(self) -> None:
        self.attempt("issue", {"records": [self.identity(address_of("anna"), validity) for validity in VALIDITIES]})

    def issue(self, step: Step) -> None:
        odd, validity = step.odd("again", "no digest", "past", "nobody", "twice", "none"), pick(VALIDITIES, step.at)
        record = self.identity(address_of(pick(CONTROLLERS, step.to)), validity, odd)
        self.attempt("issue", {"records": [record] * {"twice": 2, "none": 0}.get(odd, 1)}, step)

    def renew(self, step: Step) -> None:
        odd = step.odd("stale", "no digest", "past")
        end = str(self.time + 1 + (0 if odd == "past" else pick(VALIDITIES, step.to)))
        self.change("renew", self.choose(step.at, ACTIVE), odd, step, validUntil=end)

    def rotate(self, step: Step) -> None:
        odd, record_id = step.odd("stale", "self", "nobody", "last", "over"), self.choose(step.at, ACTIVE)
        if odd in ("last", "over"):
            self.wait_until(self.newest(record_id).validUntil - (odd == "last"))
        self.change("rotate", record_id, odd, step, controller=self.successor(record_id, odd, step))

    def recover(self, step: Step) -> None:
        odd, record_id = step.odd("stale", "self", "nobody"), self.choose(step.at, ACTIVE, SUSPENDED)
        self.change("recover", record_id, odd, step, controller=self.successor(record_id, odd, step))

    def successor(self, record_id: bytes, odd: str, step: Step) -> str:
        old = self.newest(record_id).controller
        other = pick([address_of(name) for name in CONTROLLERS if address_of(name) != old], step.to)
        return {"self": old, "nobody": ZERO_ADDRESS}.get(odd, other)

    def confirm(self, step: Step) -> None:
        record_id, odd = self.choose(step.at, RECOVERING), step.odd("stale", "before")
        # Tried in the last second in which the controller may veto, then in the first in which he may not.
        for early in (1, 0):
            self.wait_until(self.newest(record_id).time + DELAY - early)
            self.change("confirm", record_id, odd, step)

    def veto(self, step: Step) -> None:
        record_id, odd = self.choose(step.at, RECOVERING), step.odd("stale", "before")
        if step.to % 3:
            self.wait_until(self.newest(record_id).time + DELAY - step.to % 3 + 1)
        self.change("veto", record_id, odd, step)

    def suspend(self, step: Step) -> None:
        self.change("suspend", self.choose(step.at, ACTIVE), step.odd("stale"), step)

    def reinstate(self, step: Step) -> None:
        self.change("reinstate", self.choose(step.at, SUSPENDED), step.odd("stale"), step)

    def revoke(self, step: Step) -> None:
        self.change("revoke", self.choose(step.at, ACTIVE, SUSPENDED, RECOVERING), step.odd("stale"), step)

    @invariant()
    def a_revoked_identity_never_lives_again(self) -> None:
        for history in self.histories.values():
            assert all(entry.status != REVOKED for entry in history[:-1])

    @invariant()
    def only_a_renewal_changes_content_and_end(self) -> None:
        for history in self.histories.values():
            for old, new in pairwise(history):
                same = (old.digest, old.validUntil) == (new.digest, new.validUntil)
                assert same == (REGISTER.actions[new.action] != "renew")


def test_contract_and_rules_agree_on_every_history_of_identities(full_office: Office, node: Node) -> None:
    address = Identities(full_office).deploy().address
    run(lambda: IdentityMachine(node, address))
