"""What every register definition offers. One file in this package, one definition; nothing else lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from ledger.encoding import address_bytes
from ledger.entries import Entry
from ledger.model import Application, Approval, Log, RecordedEntry
from ledger.registers.schema import Schema
from ledger.state_proof import mapping_slot
from wallet.typed_data import TypedData

State = Literal["valid", "invalid", "unknown"]
Role = str  # registrar, court, holder, recipient; creditor, creditor 2, ... in the order of the liens

# Storage positions that contracts/Register.sol and contracts/Authority.sol fix; tests/contracts holds them.
HEAD_SLOT = 0
SUSPECT_SINCE_SLOT = 4


def head_slot(record_id: bytes) -> bytes:
    """Where a register keeps a record's head."""
    return mapping_slot(record_id, HEAD_SLOT)


def suspect_since_slot(registrar: str) -> bytes:
    """Where an authority keeps the time since which a registrar's key is suspect."""
    return mapping_slot(bytes(12) + address_bytes(registrar), SUSPECT_SINCE_SLOT)


class Register(Protocol):
    """The rules and codecs of one kind of register. Pure: everything is computed from the arguments."""

    kind: str
    contract: str
    schema: Schema
    subject_fields: frozenset[str]  # the public fields that the record id is made of
    entry: type[Entry]
    actions: Mapping[int, str]
    statuses: Mapping[int, str]
    without_registrars: frozenset[int]  # actions that nobody approves, or a court alone
    in_batches: bool  # whether a record is a leaf of a batch rather than an entry of its own

    def record_id(self, values: Mapping[str, Any]) -> bytes:
        """The id of the record that this content is about."""

    def disagreement(self, values: Mapping[str, Any], record_id: bytes, entry: Entry) -> str | None:
        """Where the disclosed fields contradict the entry, or None."""

    def status(self, values: Mapping[str, Any], entry: Entry, time: int) -> tuple[State, str]:
        """The status axis at a block time in seconds, with the reason in words."""

    def signed_fields(self, values: Mapping[str, Any], holder: str) -> dict[str, Any]:
        """What a payload's record holds beside recordId, digest and content, because it is signed and recorded."""

    def typed_data(self, application: Application) -> TypedData:
        """What every approver of the application signs (EIP-712)."""

    def signers(self, application: Application) -> Mapping[Role, str]:
        """The addresses whose own signature the action needs beside the registrars'."""

    def calldata(self, application: Application, approvals: Sequence[Approval]) -> bytes:
        """The contract call. `approvals` hold one signature for each of `signers` and the registrars', ascending."""

    def decode(self, logs: Sequence[Log], times: Mapping[int, int]) -> list[RecordedEntry]:
        """The entries that the logs of one contract record, in order. `times`: block number → block time."""
