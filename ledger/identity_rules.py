"""The rules of identities: which entries a change records, and when it is refused (docs/protocol.md section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger import identity_entry as identity
from ledger.encoding import ZERO32, from_hex, parse_address, to_hex
from ledger.entries import approvals_hash
from ledger.identity_entry import ACTIVE, RECOVERING, REVOKED, SUSPENDED, IdentityEntry
from ledger.rules import (
    ZERO_ADDRESS,
    HeadOf,
    Payload,
    alternatives,
    follow_entry,
    moment,
    require,
    require_new,
    require_newest,
)

Recorded = dict[bytes, IdentityEntry]

_STATES: Mapping[int, str] = {
    ACTIVE: "active",
    SUSPENDED: "suspended",
    REVOKED: "revoked for ever",
    RECOVERING: "waiting for a recovery to be confirmed or vetoed",
}


@dataclass(frozen=True)
class _Change:
    """A change of an identity whose newest entry is, it is said, `current`."""

    payload: Payload
    record_id: bytes
    current: IdentityEntry
    time: int
    approvals: bytes
    recovery_delay: int

    def require_status(self, *statuses: int) -> None:
        message = f"Identity {to_hex(self.record_id)} is {_STATES[self.current.status]}."
        allowed = f"This can be done only to one that is {alternatives(_STATES, statuses)}."
        require(self.current.status in statuses, "WrongStatus", message, allowed)

    def record(self, action: int, **changes: Any) -> Recorded:
        changes = {"approvals": self.approvals, **changes}
        return {self.record_id: follow_entry(self.current, self.current.head, self.time, action, **changes)}


def follow(
    action: str, payload: Payload, head_of: HeadOf, time: int, approvers: Sequence[str] = (), *, recovery_delay: int
) -> Recorded:
    """The new entries by record id, as the contract records them in a block of that time (seconds) when these
    approvers, ascending, have signed. `payload` is an application's (ledger/registers/identity.py), `head_of` as
    ledger/rules.py says, `recovery_delay` the contract's, in seconds. Raises ContractReverted with the name of the
    contract's error, BadInput."""
    approvals = approvals_hash(approvers)
    if action == "issue":
        return _issue(payload["records"], head_of, time, approvals)
    record_id = from_hex(payload["records"][0]["recordId"], 32)
    current = IdentityEntry.from_json(payload["current"], "/current")
    require_newest(head_of, record_id, current)
    return _CHANGES[action](_Change(payload, record_id, current, time, approvals, recovery_delay))


def _issue(records: Sequence[Payload], head_of: HeadOf, time: int, approvals: bytes) -> Recorded:
    require(bool(records), "EmptyBatch", "There is no identity to issue.")
    recorded: Recorded = {}
    for record in records:
        record_id = from_hex(record["recordId"], 32)
        require_new(head_of, record_id, recorded)
        digest, until = _content(record, time)
        controller = _controller(record, ZERO_ADDRESS)
        first = (ZERO32, 1, time, identity.ISSUE, ACTIVE, digest, approvals, controller, until)
        recorded[record_id] = IdentityEntry(*first)
    return recorded


def _renew(change: _Change) -> Recorded:
    change.require_status(ACTIVE)
    digest, until = _content(change.payload["records"][0], change.time)
    return change.record(identity.RENEW, digest=digest, validUntil=until)


def _rotate(change: _Change) -> Recorded:
    change.require_status(ACTIVE)
    until = change.current.validUntil
    message = f"The identity expired at {moment(until)}."
    require(change.time < until, "PastValidity", message, "Renew it first.")
    return change.record(identity.ROTATE, controller=_other_controller(change))


def _recover(change: _Change) -> Recorded:
    change.require_status(ACTIVE, SUSPENDED)
    return change.record(identity.RECOVER, status=RECOVERING, controller=_other_controller(change))


def _confirm(change: _Change) -> Recorded:
    before, end = _recovery(change)
    require(change.time >= end, "VetoOpen", f"The controller may veto until {moment(end)}.", "Confirm it then.")
    return change.record(identity.CONFIRM, status=before.status, approvals=approvals_hash(()))


def _veto(change: _Change) -> Recorded:
    before, end = _recovery(change)
    require(change.time < end, "VetoEnded", f"The controller could veto until {moment(end)}.")
    restored = {"status": before.status, "controller": before.controller}
    return change.record(identity.VETO, **restored, approvals=approvals_hash(()))


def _suspend(change: _Change) -> Recorded:
    change.require_status(ACTIVE)
    return change.record(identity.SUSPEND, status=SUSPENDED)


def _reinstate(change: _Change) -> Recorded:
    change.require_status(SUSPENDED)
    return change.record(identity.REINSTATE, status=ACTIVE)


def _revoke(change: _Change) -> Recorded:
    change.require_status(ACTIVE, SUSPENDED, RECOVERING)
    return change.record(identity.REVOKE, status=REVOKED)


def _recovery(change: _Change) -> tuple[IdentityEntry, int]:
    """The entry that the recovery replaced, and the first second in which it can be confirmed and not be vetoed."""
    change.require_status(RECOVERING)
    before = IdentityEntry.from_json(change.payload["before"], "/before")
    same = before.head == change.current.previous
    require(same, "WrongEntryBefore", "This is not the entry that the recovery replaced.")
    return before, change.current.time + change.recovery_delay


def _content(record: Payload, time: int) -> tuple[bytes, int]:
    digest, until = from_hex(record["digest"], 32), int(record["validUntil"])
    require(digest != ZERO32, "InvalidDigest", "The content of the identity is missing.")
    message = f"The validity would end at {moment(until)}, and it is {moment(time)}."
    require(until > time, "InvalidValidity", message, "Let it end later.")
    return digest, until


def _controller(record: Payload, old: str) -> str:
    controller = parse_address(record["controller"], "/controller")
    other = controller not in (ZERO_ADDRESS, old)
    require(other, "InvalidController", f"{controller} cannot become the controller.", "Name another address.")
    return controller


def _other_controller(change: _Change) -> str:
    return _controller(change.payload["records"][0], change.current.controller)


_CHANGES: Mapping[str, Callable[[_Change], Recorded]] = {
    "renew": _renew,
    "rotate": _rotate,
    "recover": _recover,
    "confirm": _confirm,
    "veto": _veto,
    "suspend": _suspend,
    "reinstate": _reinstate,
    "revoke": _revoke,
}
