"""What the rules of all registers share (contracts/Register.sol).

The rules are a model of the contracts: they tell, from what the chain holds, what a change would record or with which
error it would be refused, so that an office refuses early. They judge states only. Signatures, deadlines and roles are
left to the contract.

The state is `head_of`, as `headOf` of the contract: the newest head of a record, zero if it was never recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from ledger.encoding import ZERO32, to_hex
from ledger.entries import Entry
from ledger.errors import ContractReverted

HeadOf = Callable[[bytes], bytes]
Payload = Mapping[str, Any]
SomeEntry = TypeVar("SomeEntry", bound=Entry)

ZERO_ADDRESS = "0x" + 40 * "0"
_LAST_SECOND = 253402300799  # of the year 9999, which is the last that has a name


def require(holds: bool, error: str, message: str, hint: str = "") -> None:
    """Raises ContractReverted with the name of the contract's custom error, unless the rule holds."""
    if not holds:
        raise ContractReverted(message, hint, error)


def require_newest(head_of: HeadOf, record_id: bytes, entry: Entry) -> None:
    require(
        head_of(record_id) == entry.head,
        "StaleHead",
        f"The entry shown is not the newest of record {to_hex(record_id)}.",
        "Read the record again: it has changed, or was never recorded.",
    )


def require_new(head_of: HeadOf, record_id: bytes, others: Container[bytes] = ()) -> None:
    """That nothing was recorded under this id, and that none of the others, which come with it, has it."""
    message = f"Record {to_hex(record_id)} exists already."
    fresh = head_of(record_id) == ZERO32 and record_id not in others
    require(fresh, "AlreadyRecorded", message, "A record is issued once, for ever.")


def follow_entry(entry: SomeEntry, head: bytes, time: int, action: int, **changes: Any) -> SomeEntry:
    """The entry that replaces the one with that head: `entry` with the changes."""
    sequence = entry.sequence + 1
    return replace(entry, previous=head, sequence=sequence, time=time, action=action, **changes)


def moment(time: int) -> str:
    """A block time in words."""
    return f"{datetime.fromtimestamp(min(time, _LAST_SECOND), UTC):%Y-%m-%d %H:%M:%S} UTC"


def alternatives(statuses: Mapping[int, str], wanted: tuple[int, ...]) -> str:
    return " or ".join(statuses[status] for status in wanted)
