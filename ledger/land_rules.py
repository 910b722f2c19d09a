"""The rules of land titles: which entries a change records, and when it is refused (docs/adr/0007)."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ledger import land_entry as land
from ledger.encoding import ZERO32, from_hex, parse_address, to_hex
from ledger.entries import approvals_hash
from ledger.land_entry import ACTIVE, FROZEN, PENDING, RETIRED, LandEntry, Lien, lien_root, parents_of
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

MAX_LIENS = 100
_STATES: Mapping[int, str] = {
    ACTIVE: "active",
    FROZEN: "frozen by a court",
    RETIRED: "retired for ever",
    PENDING: "waiting for a transfer or an assignment to take effect",
}

Recorded = dict[bytes, LandEntry]


@dataclass(frozen=True)
class _Change:
    """A change of the title `record_id`, whose newest entry is, it is said, `current`."""

    payload: Payload
    head_of: HeadOf
    time: int
    approvals: bytes
    record_id: bytes
    current: LandEntry
    cooling_off: int = 0

    @property
    def window_end(self) -> int:
        """The first second in which what waits may take effect, and in which nobody may object any more."""
        waits = self.cooling_off if self.current.action == land.TRANSFER else land.ASSIGNMENT_WINDOW
        return self.current.time + waits

    def require_status(self, *statuses: int, error: str = "NotActive") -> None:
        require_newest(self.head_of, self.record_id, self.current)
        message = f"Title {to_hex(self.record_id)} is {_STATES[self.current.status]}."
        hint = f"This can be done only to a title that is {alternatives(_STATES, statuses)}."
        require(self.current.status in statuses, error, message, hint)

    def record(self, action: int, **changes: Any) -> Recorded:
        changes = {"approvals": self.approvals, "parents": ZERO32, **changes}
        return {self.record_id: follow_entry(self.current, self.current.head, self.time, action, **changes)}


def follow(
    action: str, payload: Payload, head_of: HeadOf, time: int, approvers: Sequence[str] = (), *, cooling_off: int
) -> Recorded:
    """The new entries by record id, as the contract records them in a block of that time (seconds) when these
    approvers, ascending, have signed. `payload` is an application's (ledger/land_actions.py), `head_of` as
    ledger/rules.py says, `cooling_off` the contract's, in seconds. Raises ContractReverted with the name of the
    contract's error, BadInput."""
    approvals = approvals_hash(approvers)
    if action == "issue":
        return _issue(payload["records"], head_of, time, approvals)
    if action == "merge":
        return _merge(payload, head_of, time, approvals)
    if action == "split":
        (parent,) = payload["parents"]
        return _split(_change(parent, parent, payload, head_of, time, approvals))
    change = _change(payload["records"][0], payload, payload, head_of, time, approvals)
    return _CHANGES[action](replace(change, cooling_off=cooling_off))


def _change(record: Payload, owner: Payload, payload: Payload, head_of: HeadOf, time: int, approvals: bytes) -> _Change:
    current = LandEntry.from_json(owner["current"], "/current")
    return _Change(payload, head_of, time, approvals, from_hex(record["recordId"], 32), current)


def _issue(records: Sequence[Payload], head_of: HeadOf, time: int, approvals: bytes) -> Recorded:
    require(bool(records), "EmptyBatch", "There is no title to issue.")
    first = LandEntry(ZERO32, 1, time, land.ISSUE, ACTIVE, ZERO32, approvals, "", 0, 0, ZERO32, ZERO32)
    recorded: Recorded = {}
    for record in records:
        holder = parse_address(record["holder"], "/holder")
        recorded |= _first(record, replace(first, holder=holder), head_of, recorded)
    return recorded


def _first(record: Payload, template: LandEntry, head_of: HeadOf, others: Container[bytes]) -> Recorded:
    """The first entry of a new parcel; what the record does not say is as in the template."""
    record_id, digest, area = from_hex(record["recordId"], 32), from_hex(record["digest"], 32), int(record["area"])
    require_new(head_of, record_id, others)
    complete = digest != ZERO32 and area > 0 and template.holder != ZERO_ADDRESS
    require(complete, "InvalidTitle", f"Title {to_hex(record_id)} lacks a content, a holder or an area.")
    return {record_id: replace(template, digest=digest, area=area)}


def _amend(change: _Change) -> Recorded:
    change.require_status(ACTIVE)
    return change.record(land.AMEND, digest=_digest(change))


def _transfer(change: _Change) -> Recorded:
    change.require_status(ACTIVE)
    if change.payload.get("liens"):
        _liens(change.payload, change.record_id, change.current)
    else:
        _require_unencumbered(change)
    return change.record(land.TRANSFER, status=PENDING if change.cooling_off else ACTIVE, **_received(change))


def _encumber(change: _Change) -> Recorded:
    change.require_status(ACTIVE)
    liens = _liens(change.payload, change.record_id, change.current)
    creditor, claim = parse_address(change.payload["creditor"]), from_hex(change.payload["claim"], 32)
    require(creditor != ZERO_ADDRESS and claim != ZERO32, "InvalidLien", "A lien has a creditor and a claim.")
    rank = 1 + max((lien.rank for lien in liens), default=0)
    return change.record(land.ENCUMBER, **_with_liens([*liens, Lien(rank, creditor, claim)]))


def _release(change: _Change) -> Recorded:
    change.require_status(ACTIVE, FROZEN)
    liens = list(_liens(change.payload, change.record_id, change.current))
    ended = Lien.from_json(change.payload["lien"], "/lien")
    require(ended in liens, "UnknownLien", "There is no such lien on the title.", "Take one of those that it has.")
    liens.remove(ended)
    return change.record(land.RELEASE, **_with_liens(liens))


def _freeze(change: _Change) -> Recorded:
    change.require_status(ACTIVE)
    return change.record(land.FREEZE, status=FROZEN)


def _unfreeze(change: _Change) -> Recorded:
    change.require_status(FROZEN, error="NotFrozen")
    return change.record(land.UNFREEZE, status=ACTIVE)


def _assign(change: _Change) -> Recorded:
    change.require_status(ACTIVE, FROZEN)
    return change.record(land.ASSIGN, status=PENDING, **_received(change))


def _complete(change: _Change) -> Recorded:
    change.require_status(PENDING, error="NotPending")
    end = change.window_end
    require(change.time >= end, "TooEarly", f"The title waits until {moment(end)}.", "Complete it then.")
    same = approvals_hash(change.payload["approvers"]) == change.current.approvals
    require(same, "WrongApprovers", "These are not the approvers of what waits.")
    return change.record(land.COMPLETE, status=ACTIVE, approvals=change.current.approvals)


def _withdraw(change: _Change) -> Recorded:
    change.require_status(PENDING, error="NotPending")
    return change.record(land.WITHDRAW, **_restored(change))


def _object(change: _Change) -> Recorded:
    change.require_status(PENDING, error="NotPending")
    message = f"What waits for title {to_hex(change.record_id)} is an assignment."
    require(change.current.action == land.TRANSFER, "NotTransfer", message, "Only the court can withdraw it.")
    end = change.window_end
    require(
        change.time < end, "TooLate", f"The holder could object until {moment(end)}.", "Ask the court to withdraw it."
    )
    return change.record(land.OBJECT, **_restored(change), approvals=approvals_hash(()))


def _retire(change: _Change) -> Recorded:
    change.require_status(ACTIVE)
    _require_unencumbered(change)
    return change.record(land.RETIRE, status=RETIRED)


def _split(change: _Change) -> Recorded:
    change.require_status(ACTIVE)
    children, parent = change.payload["records"], change.current
    _require_several(children)
    _require_area(sum(int(child["area"]) for child in children), parent.area)
    inherited = replace(parent, approvals=change.approvals, parents=parents_of([parent.head]))
    return change.record(land.SPLIT, status=RETIRED) | _bear(children, change, replace(inherited, action=land.SPLIT))


def _merge(payload: Payload, head_of: HeadOf, time: int, approvals: bytes) -> Recorded:
    # As the call lists them: by the heads that were signed.
    parents = sorted(payload["parents"], key=lambda parent: from_hex(parent["head"], 32))
    _require_several(parents)
    changes = [_change(parent, parent, payload, head_of, time, approvals) for parent in parents]
    holder, liens, previous = changes[0].current.holder, [], b""  # type: str, list[Lien], bytes
    for parent, change in zip(parents, changes, strict=True):
        change.require_status(ACTIVE)
        head = change.current.head
        require(head > previous, "HeadsNotAscending", "A parcel is merged once, in the order of the heads.")
        _require_holder(change.record_id, change.current.holder, holder)
        liens += _liens(parent, change.record_id, change.current)
        previous = head
    (child,) = payload["records"]
    _require_area(int(child["area"]), sum(change.current.area for change in changes))
    recorded = {k: v for change in changes for k, v in change.record(land.MERGE, status=RETIRED).items()}
    parents_root = parents_of(change.current.head for change in changes)
    born = LandEntry(ZERO32, 1, time, land.MERGE, ACTIVE, ZERO32, approvals, holder, 0, 0, ZERO32, parents_root)
    return recorded | _bear([child], changes[0], replace(born, **_with_liens(liens)))


def _bear(children: Sequence[Payload], change: _Change, template: LandEntry) -> Recorded:
    """The first entries of parcels that come of others."""
    template = replace(template, previous=ZERO32, sequence=1, time=change.time, status=ACTIVE)
    born: Recorded = {}
    for child in children:
        born |= _first(child, template, change.head_of, born)
        _require_holder(from_hex(child["recordId"], 32), parse_address(child["holder"]), template.holder)
    return born


def _digest(change: _Change) -> bytes:
    digest = from_hex(change.payload["records"][0]["digest"], 32)
    require(digest != ZERO32, "InvalidTitle", f"The new content of title {to_hex(change.record_id)} is missing.")
    return digest


def _received(change: _Change) -> dict[str, Any]:
    recipient = parse_address(change.payload["recipient"], "/recipient")
    other = recipient not in (ZERO_ADDRESS, change.current.holder)
    require(other, "InvalidRecipient", f"A title cannot pass to {recipient}.", "Name somebody who does not hold it.")
    return {"digest": _digest(change), "holder": recipient}


def _restored(change: _Change) -> dict[str, Any]:
    """What a title has back when what waits is undone."""
    before = LandEntry.from_json(change.payload["previous"], "/previous")
    same = before.head == change.current.previous
    require(same, "WrongPrevious", "This is not the entry before the one that waits.")
    return {"status": before.status, "digest": before.digest, "holder": before.holder}


def _liens(owner: Payload, record_id: bytes, current: LandEntry) -> list[Lien]:
    liens = [Lien.from_json(lien, f"/liens/{i}") for i, lien in enumerate(owner.get("liens", []))]
    wrong = f"These are not the liens on title {to_hex(record_id)}."
    require(lien_root(liens) == current.lienRoot, "WrongLiens", wrong, "Show all of them, in their order.")
    return liens


def _with_liens(liens: Sequence[Lien]) -> dict[str, Any]:
    require(len(liens) <= MAX_LIENS, "TooManyLiens", f"A title has {MAX_LIENS} liens at most, not {len(liens)}.")
    return {"liens": len(liens), "lienRoot": lien_root(liens)}


def _require_unencumbered(change: _Change) -> None:
    message = f"There are {change.current.liens} liens on title {to_hex(change.record_id)}."
    require(not change.current.liens, "Encumbered", message, "Release them, or show them where their creditors sign.")


def _require_several(parcels: Sequence[Payload]) -> None:
    require(
        len(parcels) > 1, "TooFewParcels", f"A parcel is split into two or more, or made of them, not {len(parcels)}."
    )


def _require_area(given: int, needed: int) -> None:
    require(given == needed, "AreaNotConserved", f"The new parcels have {given} dm², the old {needed} dm².")


def _require_holder(record_id: bytes, holder: str, wanted: str) -> None:
    message = f"The holder of {to_hex(record_id)} is {holder}, not {wanted}."
    require(holder == wanted, "WrongHolder", message, "Parcels that are split or merged keep one holder.")


_CHANGES: Mapping[str, Callable[[_Change], Recorded]] = {
    "amend": _amend,
    "transfer": _transfer,
    "encumber": _encumber,
    "release": _release,
    "freeze": _freeze,
    "unfreeze": _unfreeze,
    "assign": _assign,
    "complete": _complete,
    "withdraw": _withdraw,
    "object": _object,
    "retire": _retire,
}
