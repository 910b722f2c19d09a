"""Contract calls and events: the part of the codec that registers share (contracts/Register.sol)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from ledger.encoding import address_bytes, keccak256, parse_address
from ledger.entries import Entry, approvals_hash
from ledger.errors import InvalidProof
from ledger.model import Approval, Log, RecordedEntry

APPROVALS = "(address,bytes)[]"
APPROVED = keccak256(b"Approved(address[])")

# What makes an entry of a record event, given who approved it and the time of its block.
Build = Callable[[Log, tuple[str, ...], int], Entry]


def call(name: str, types: Sequence[str], arguments: Sequence[Any]) -> bytes:
    """The calldata of a function."""
    return keccak256(f"{name}({','.join(types)})".encode())[:4] + encode(types, arguments)


def approvals_of(approvals: Sequence[Approval], *roles: str) -> list[tuple[str, bytes]]:
    """Those that were given by these offices, as every contract takes them: ascending by signer."""
    given = ((approval.signer, approval.signature) for approval in approvals if approval.role in roles)
    return sorted(given, key=lambda pair: address_bytes(pair[0]))


def words(types: Sequence[str], log: Log) -> tuple[Any, ...]:
    """The data of an event. Raises InvalidProof when it is not of these types."""
    try:
        return decode(types, log.data)
    except DecodingError:
        raise InvalidProof(f"log {log.log_index} of block {log.block_number} does not have the data of one.") from None


def recorded_entries(
    logs: Sequence[Log], times: Mapping[int, int], events: Mapping[bytes, Build]
) -> list[RecordedEntry]:
    """The entries that the logs of one register record. `events`: topic of a record event → what makes its entry.
    Raises InvalidProof when an event is malformed, or a record event has no Approved event with the approvers it
    commits to before it in its transaction."""
    recorded: list[RecordedEntry] = []
    transaction, approvers = b"", ()  # type: bytes, tuple[str, ...]
    for log in logs:
        topic = log.topics[0] if log.topics else b""
        if topic == APPROVED:
            (addresses,) = words(["address[]"], log)
            transaction, approvers = log.transaction_hash, tuple(parse_address(a) for a in addresses)
            continue
        if topic not in events:
            continue
        if len(log.topics) != 2:
            raise InvalidProof(f"log {log.log_index} of block {log.block_number} names no record.")
        entry = events[topic](log, approvers, times[log.block_number])
        if log.transaction_hash != transaction or entry.approvals != approvals_hash(approvers):
            raise InvalidProof(f"log {log.log_index} of block {log.block_number} has no approvers before it.")
        recorded.append(
            RecordedEntry(
                log.topics[1], entry.as_json(), approvers, log.block_number, log.log_index, log.transaction_hash
            )
        )
    return recorded
