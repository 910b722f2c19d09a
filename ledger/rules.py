"""What the rules of all registers share (contracts/Register.sol).

The rules are a model of the contracts: they tell, from what the chain holds, what a change would record or with which
error it would be refused, so that an office refuses early. They judge states only. Signatures, deadlines and roles are
left to the contract.

The state is `heads`: the newest head of each record that was ever recorded, as `headOf` of the contract. Who keeps
histories, oldest first, has it as the head of the last entry of each.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from ledger.encoding import to_hex
from ledger.entries import Entry
from ledger.errors import ContractReverted

Heads = Mapping[bytes, bytes]
Payload = Mapping[str, Any]
SomeEntry = TypeVar("SomeEntry", bound=Entry)

ZERO_ADDRESS = "0x" + 40 * "0"


def require(holds: bool, error: str, message: str, hint: str = "") -> None:
    """Raises ContractReverted with the name of the contract's custom error, unless the rule holds."""
    if not holds:
        raise ContractReverted(message, hint, error)


def require_newest(heads: Heads, record_id: bytes, entry: Entry) -> None:
    require(
        heads.get(record_id) == entry.head,
        "StaleHead",
        f"The entry shown is not the newest of record {to_hex(record_id)}.",
        "Read the record again: it has changed, or was never recorded.",
    )


def require_new(record_id: bytes, *known: Container[bytes]) -> None:
    message = f"Record {to_hex(record_id)} exists already."
    fresh = not any(record_id in records for records in known)
    require(fresh, "AlreadyRecorded", message, "A record is issued once, for ever.")


def follow_entry(entry: SomeEntry, head: bytes, time: int, action: int, **changes: Any) -> SomeEntry:
    """The entry that replaces the one with that head: `entry` with the changes."""
    sequence = entry.sequence + 1
    return replace(entry, previous=head, sequence=sequence, time=time, action=action, **changes)
