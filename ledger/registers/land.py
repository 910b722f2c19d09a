"""The land register: titles to parcels, one active title a parcel for ever (contracts/LandRegister.sol)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ledger import codec, land_rules
from ledger.encoding import ZERO32, RegisterName, exact_list, exact_object, from_hex, keccak256, to_hex
from ledger.entries import Entry, layout_of
from ledger.errors import BadInput, InvalidProof
from ledger.land_actions import action_of
from ledger.land_drafts import FORMS, draft, heads_of_parents, parcel_id, square_decimetres
from ledger.land_entry import (
    ACTIVE,
    AMEND,
    ASSIGN,
    ASSIGNMENT_WINDOW,
    COMPLETE,
    ENCUMBER,
    ENTRY,
    FREEZE,
    FROZEN,
    ISSUE,
    MERGE,
    OBJECT,
    PENDING,
    RELEASE,
    RETIRE,
    RETIRED,
    SPLIT,
    TRANSFER,
    UNFREEZE,
    WITHDRAW,
    LandEntry,
    Lien,
    lien_lists,
    lien_root,
    parents_of,
)
from ledger.model import Application, Approval, Log, RecordedEntry
from ledger.registers.base import Claim, Role, State, claim_of_history
from ledger.registers.evidence import NoEvidence
from ledger.registers.forms import Change, Form, Known
from ledger.registers.schema import ContentField, Schema, end_of_day, iso_date, pattern, text
from ledger.rules import HeadOf
from wallet.typed_data import Domain, TypedData, build

ISSUED = keccak256(b"Issued(bytes32,bytes32,address,uint64)")
RECORDED = keccak256(f"Recorded(bytes32,{ENTRY})".encode())
LAYOUT = layout_of(LandEntry)
_EVENTS = {
    ISSUED: codec.first_words(("bytes32", "address", "uint64"), ISSUE, ACTIVE, 3),
    RECORDED: codec.whole_words(LAYOUT),
}


_PARCEL_NUMBER = pattern(r"(?=.{5,24}$)[0-9]+(\.[0-9]+)*", "a parcel number (NIB) of 5 to 24 digits and single dots")

SCHEMA = Schema(
    "land-title@1",
    (
        ContentField("nib", _PARCEL_NUMBER, mandatory=True),
        ContentField("right", text(60), mandatory=True),
        ContentField(
            "area", pattern(r"(0|[1-9][0-9]{0,11})\.[0-9]{2}", "m² with two decimals, as 412.50"), mandatory=True
        ),
        ContentField("validity", lambda value: None if value == "unlimited" else iso_date(value), mandatory=True),
        ContentField("location", text(300)),
        ContentField("holder", text(200), identifying=True),
        ContentField("holderBirth", iso_date, optional=True, identifying=True),
    ),
    document=True,
)


MAX_LIENS = 100
MAX_PARENTS = 256


@dataclass(frozen=True)
class TitleEvidence(NoEvidence):
    """The liens on the title now, in the order of its `lienRoot`, and the heads that its parcel was made from."""

    liens: tuple[Lien, ...] = ()
    parents: tuple[bytes, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"liens": [lien.as_json() for lien in self.liens], "parents": [to_hex(head) for head in self.parents]}

    @classmethod
    def from_json(cls, value: object, pointer: str) -> TitleEvidence:
        """Raises BadInput."""
        value = exact_object(value, {"liens", "parents"}, pointer)
        liens = exact_list(value["liens"], MAX_LIENS, f"{pointer}/liens")
        parents = exact_list(value["parents"], MAX_PARENTS, f"{pointer}/parents")
        return cls(
            tuple(Lien.from_json(lien, f"{pointer}/liens/{i}") for i, lien in enumerate(liens)),
            tuple(from_hex(head, 32, f"{pointer}/parents/{i}") for i, head in enumerate(parents)),
        )

    def verify(self, entries: Sequence[Entry], heads: Mapping[str, bytes]) -> str:
        first, last = entries[0], entries[-1]
        assert isinstance(first, LandEntry) and isinstance(last, LandEntry)
        if len(self.liens) != last.liens or lien_root(self.liens) != last.lienRoot:
            raise InvalidProof("the liens are not those that the newest entry commits to")
        if (parents_of(self.parents) if self.parents else ZERO32) != first.parents:
            raise InvalidProof("the parents are not those that the first entry commits to")
        descent = f"made from {len(self.parents)} parcel(s)" if self.parents else "first registered as it is"
        return f"{len(self.liens)} lien(s) listed; {descent}"


class LandRegister:
    """See ledger.registers.base.Register."""

    kind = "land"
    contract = "LandRegister"
    schema = SCHEMA
    subject_fields = ("nib",)
    key_fields = ()
    entry = LandEntry
    forms: Mapping[str, Form] = FORMS
    actions: Mapping[int, str] = {
        ISSUE: "issue",
        AMEND: "amend",
        TRANSFER: "transfer",
        ENCUMBER: "encumber",
        RELEASE: "release",
        FREEZE: "freeze",
        UNFREEZE: "unfreeze",
        ASSIGN: "assign",
        SPLIT: "split",
        MERGE: "merge",
        RETIRE: "retire",
        COMPLETE: "complete",
        WITHDRAW: "withdraw",
        OBJECT: "object",
    }
    statuses: Mapping[int, str] = {ACTIVE: "active", FROZEN: "frozen", RETIRED: "retired", PENDING: "pending"}
    without_registrars = frozenset({FREEZE, UNFREEZE, WITHDRAW, OBJECT})
    window = "coolingOff"
    in_batches = False

    def record_id(self, values: Mapping[str, Any]) -> bytes:
        return parcel_id(values)

    def disagreement(self, values: Mapping[str, Any], record_id: bytes, entry: Entry) -> str | None:
        assert isinstance(entry, LandEntry)
        if "nib" in values and self.record_id(values) != record_id:
            return "the parcel number is not the one this record is about"
        if "area" in values and square_decimetres(values["area"]) != entry.area:
            return "the area is not the one in the entry"
        return None

    def status(self, values: Mapping[str, Any], entry: Entry, time: int) -> tuple[State, str]:
        assert isinstance(entry, LandEntry)
        if entry.status != ACTIVE:
            return "invalid", _not_active(entry)
        validity = values.get("validity")
        if validity is None:
            return "unknown", "the validity of the right is not disclosed"
        if validity != "unlimited" and time >= end_of_day(validity):
            return "invalid", f"the right ended on {validity}"
        liens = "no lien" if entry.liens == 0 else f"{entry.liens} lien(s)"
        return "valid", f"active, {liens}"

    def prepared(self, change: Change) -> Change:
        return change

    def draft(self, change: Change, known: Known) -> dict[str, Any]:
        return draft(change, known)

    def finish(self, action: str, payload: dict[str, Any]) -> Sequence[bytes]:
        return ()

    def follow(
        self, action: str, payload: Mapping[str, Any], head_of: HeadOf, time: int, window: int
    ) -> Mapping[bytes, Entry]:
        return land_rules.follow(action, payload, head_of, time, cooling_off=window)

    def typed_data(self, application: Application) -> TypedData:
        """Raises BadInput for an action that nobody signs: the end of a window."""
        action = action_of(application.action, application.payload)
        if not action.struct:
            raise BadInput(f"Nothing is signed to {application.action} what waits.", "Send it as it is.")
        name = RegisterName.parse(application.register)
        domain = Domain(self.contract, name.chain_id, name.address)
        return build(domain, action.struct, action.message(application.payload))

    def approver_roles(self, application: Application) -> Sequence[Role]:
        return action_of(application.action, application.payload).approvers

    def signers(self, application: Application) -> Mapping[Role, str]:
        return action_of(application.action, application.payload).signers(application.payload)

    def calldata(self, application: Application, approvals: Sequence[Approval]) -> bytes:
        return action_of(application.action, application.payload).calldata(application.payload, approvals)

    def decode(self, logs: Sequence[Log], times: Mapping[int, int]) -> list[RecordedEntry]:
        """Raises InvalidProof, as ledger.codec.recorded_entries."""
        return codec.recorded_entries(logs, times, LAYOUT, _EVENTS)

    def reveal(self, logs: Sequence[Log], recorded: Sequence[RecordedEntry]) -> Mapping[bytes, Any]:
        """The liens behind each `lienRoot`, and the heads behind each `parents`."""
        revealed: dict[bytes, Any] = {
            root: [lien.as_json() for lien in liens] for root, liens in lien_lists(logs).items()
        }
        retired: list[bytes] = []
        for item in recorded:
            parents = item.words[-32:]
            if item.words[159] == RETIRED:
                retired.append(item.words[:32])
            elif parents != ZERO32:
                heads = heads_of_parents(retired, parents)
                if heads is None:
                    raise InvalidProof(f"block {item.block_number} makes a parcel of titles that it does not retire.")
                revealed[parents] = [to_hex(head) for head in heads]
        return revealed

    def history(self, record_id: bytes, known: Known) -> list[RecordedEntry]:
        return known.history(record_id)

    def claim(self, record_id: bytes, known: Known) -> Claim:
        plain = claim_of_history(record_id, known, LandEntry, NoEvidence())
        first, last = plain.entries[0], plain.entries[-1]
        assert isinstance(first, LandEntry) and isinstance(last, LandEntry)
        liens = known.revealed(last.lienRoot) if last.liens else []
        parents = known.revealed(first.parents) if first.parents != ZERO32 else []
        evidence = self.parse_evidence({"liens": liens, "parents": parents}, "/evidence")
        return Claim(record_id, plain.entries, plain.approvers, evidence)

    def parse_evidence(self, value: object, pointer: str) -> TitleEvidence:
        return TitleEvidence.from_json(value, pointer)


def _not_active(entry: LandEntry) -> str:
    """What a title is that does not move, in words."""
    if entry.status == FROZEN:
        return "frozen by a court: the title does not move"
    if entry.status == PENDING and entry.action == TRANSFER:
        # How long, only the register's code says.
        wait = "when the register's cooling-off window is over, unless the holder before objects"
        return f"pending: the title passes to the holder named {wait}"
    if entry.status == PENDING:
        end = datetime.fromtimestamp(entry.time + ASSIGNMENT_WINDOW, UTC)
        return f"pending: a court assigns the title to the holder named; not before {end:%Y-%m-%d %H:%M} UTC"
    if entry.status == RETIRED:
        ends = {SPLIT: "the parcel was split", MERGE: "the parcel was merged with others"}
        return f"retired for ever: {ends.get(entry.action, 'the title has ended')}"
    return "the title is not active"


REGISTER = LandRegister()
