"""What every register definition offers. One file in this package, one definition; nothing else lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ledger.encoding import address_bytes
from ledger.entries import Entry
from ledger.model import Application, Approval, Log, RecordedEntry
from ledger.registers.evidence import Evidence
from ledger.registers.forms import Change, Form, Known, existing
from ledger.registers.schema import Schema
from ledger.rules import HeadOf
from ledger.state_proof import mapping_slot
from wallet.typed_data import TypedData

State = Literal["valid", "invalid", "unknown"]
# registrar, court, holder, recipient; creditor, creditor 2, ... in the order of the liens
Role = str

# Storage positions that contracts/Register.sol and contracts/Authority.sol fix; tests/contracts holds them.
HEAD_SLOT = 0
SUSPECT_SINCE_SLOT = 4


def head_slot(record_id: bytes) -> bytes:
    """Where a register keeps a record's head."""
    return mapping_slot(record_id, HEAD_SLOT)


def suspect_since_slot(registrar: str) -> bytes:
    """Where an authority keeps the time since which a registrar's key is suspect."""
    return mapping_slot(bytes(12) + address_bytes(registrar), SUSPECT_SINCE_SLOT)


@dataclass(frozen=True)
class Claim:
    """What a certificate will say of a record: entries oldest first, who approved each, and what they commit to."""

    record_id: bytes
    entries: tuple[Entry, ...]
    approvers: tuple[tuple[str, ...], ...]
    evidence: Evidence

    @property
    def newest(self) -> Entry:
        return self.evidence.states(self.entries)[-1][0]

    @property
    def digest(self) -> bytes:
        """Of the content that counts now."""
        return self.evidence.states(self.entries)[-1][1]

    @property
    def sequence(self) -> int:
        """Grows with each change of the record."""
        return len(self.entries) + len(self.evidence.approved())


class Register(Protocol):
    """The rules and codecs of one kind of register. Pure: everything is computed from the arguments."""

    kind: str
    contract: str
    schema: Schema
    subject_fields: Sequence[str]  # the public fields that the record id is made of
    key_fields: Sequence[str]  # what tells records of one record id apart; none where each has an id of its own
    entry: type[Entry]
    actions: Mapping[int, str]
    statuses: Mapping[int, str]
    forms: Mapping[str, Form]  # by the name of the action
    without_registrars: frozenset[int]  # actions that nobody approves, or a court alone
    window: str  # the view of the contract that tells how long a change waits in it, in seconds; empty if none does
    in_batches: bool  # whether a record is a leaf of a batch rather than an entry of its own

    def record_id(self, values: Mapping[str, Any]) -> bytes:
        """The id of the record that this content is about."""

    def disagreement(self, values: Mapping[str, Any], record_id: bytes, entry: Entry) -> str | None:
        """Where the disclosed fields contradict the entry, or None."""

    def status(self, values: Mapping[str, Any], entry: Entry, time: int) -> tuple[State, str]:
        """The status axis at a block time in seconds, with the reason in words."""

    def prepared(self, change: Change) -> Change:
        """The change with what the office itself adds to its fields, such as a random id."""

    def draft(self, change: Change, known: Known) -> dict[str, Any]:
        """The payload of an application but for its deadline. Its `records` begin with those of the change, in order,
        still without `digest` and `content`. Raises NotFound, Conflict, AlreadyRecorded, BadInput."""

    def finish(self, action: str, payload: dict[str, Any]) -> Sequence[bytes]:
        """Add to the payload what is made of its records' digests. The answer are the files to store beside it."""

    def follow(
        self, action: str, payload: Mapping[str, Any], head_of: HeadOf, time: int, window: int
    ) -> Mapping[bytes, Entry]:
        """The new entries by record id that the contract would record in a block of that time (seconds), but for who
        approved them. Raises ContractReverted where it would refuse, BadInput."""

    def typed_data(self, application: Application) -> TypedData:
        """What every approver of the application signs (EIP-712). Raises BadInput for an action that nobody signs."""

    def approver_roles(self, application: Application) -> Sequence[Role]:
        """Who approves by office: registrars, the court, both, or nobody."""

    def signers(self, application: Application) -> Mapping[Role, str]:
        """The addresses whose own signature the action needs beside the approvers'."""

    def calldata(self, application: Application, approvals: Sequence[Approval]) -> bytes:
        """The contract call. `approvals` hold one signature for each of `signers` and the registrars', ascending."""

    def decode(self, logs: Sequence[Log], times: Mapping[int, int]) -> list[RecordedEntry]:
        """The entries that the logs of one contract record, in order. `times`: block number → block time."""

    def reveal(self, logs: Sequence[Log], recorded: Sequence[RecordedEntry]) -> Mapping[bytes, Any]:
        """What logs and the entries they record reveal of commitments in entries, as JSON. Raises InvalidProof."""

    def history(self, record_id: bytes, known: Known) -> list[RecordedEntry]:
        """All entries about a record, oldest first; of a leaf, that of its batch and its corrections."""

    def claim(self, record_id: bytes, known: Known) -> Claim:
        """What can be certified of a record; in a register of batches, of the leaf with this hash. Raises NotFound."""

    def parse_evidence(self, value: object, pointer: str) -> Evidence:
        """Raises BadInput."""


def claim_of_history(record_id: bytes, known: Known, entry: type[Entry], evidence: Evidence) -> Claim:
    """The claim of a record that has all its entries to itself. Raises NotFound."""
    history = existing(record_id, known)
    entries = tuple([entry.decode(item.words) for item in history])
    return Claim(record_id, entries, tuple(item.approvers for item in history), evidence)
