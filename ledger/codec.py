"""Contract calls and events: the part of the codec that registers share (contracts/Register.sol)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from ledger.encoding import ZERO32, address_bytes, keccak256, parse_address
from ledger.entries import Layout, approvals_hash, check_words
from ledger.errors import InvalidProof
from ledger.model import Approval, Log, RecordedEntry

APPROVALS = "(address,bytes)[]"
APPROVED = keccak256(b"Approved(address[])")

# What makes the words of an entry from the data of its event, the hash of its approvers and the time of its block.
Build = Callable[[bytes, bytes, int], bytes]


def call(name: str, types: Sequence[str], arguments: Sequence[Any]) -> bytes:
    """The calldata of a function."""
    return keccak256(f"{name}({','.join(types)})".encode())[:4] + encode(types, arguments)


def approvals_of(approvals: Sequence[Approval], *roles: str) -> list[tuple[str, bytes]]:
    """Those that were given by these offices, as every contract takes them: ascending by signer."""
    given = ((approval.signer, approval.signature) for approval in approvals if approval.role in roles)
    return sorted(given, key=lambda pair: address_bytes(pair[0]))


def first_words(types: Sequence[str], action: int, status: int, implied: int) -> Build:
    """Of an event that tells a first registration in words of these types, the first of them the digest. What it leaves
    out is previous 0, sequence 1, and at the end `implied` words of zero. Raises InvalidProof, as check_words."""
    told, end = ",".join([f"{kind} _" for kind in types]), bytes(32 * implied)

    @lru_cache(maxsize=16)
    def start(time: int) -> bytes:
        return ZERO32 + b"".join([number.to_bytes(32, "big") for number in (1, time, action, status)])

    def build(data: bytes, approvals: bytes, time: int) -> bytes:
        check_words(told, data)
        return b"".join((start(time), data[:32], approvals, data[32:], end))

    return build


def whole_words(layout: Layout) -> Build:
    """Of an event that tells the whole entry. Raises InvalidProof, as check_words."""

    def build(data: bytes, approvals: bytes, time: int) -> bytes:
        check_words(layout, data)
        return data

    return build


def recorded_entries(
    logs: Sequence[Log], times: Mapping[int, int], layout: Layout, events: Mapping[bytes, Build]
) -> list[RecordedEntry]:
    """The entries that the logs of one register record. `events`: topic of a record event → what makes the words of its
    entry, which has this layout. Raises InvalidProof when an event is malformed, or a record event has no Approved
    event with the approvers it commits to before it in its transaction."""
    recorded: list[RecordedEntry] = []
    transaction, approvals, approvers = b"", b"", ()  # type: bytes, bytes, tuple[str, ...]
    new = tuple.__new__
    for _, topics, data, block_number, _, transaction_hash, log_index in logs:
        topic = topics[0] if topics else b""
        build = events.get(topic)
        try:
            if topic == APPROVED:
                approvers = _addresses(data)
                transaction, approvals = transaction_hash, approvals_hash(approvers)
            if build is None:
                continue
            words = build(data, approvals, times[block_number])
        except InvalidProof:
            raise InvalidProof(f"log {log_index} of block {block_number} does not have the data of one.") from None
        if len(topics) != 2:
            raise InvalidProof(f"log {log_index} of block {block_number} names no record.")
        if transaction_hash != transaction or words[192:224] != approvals:
            raise InvalidProof(f"log {log_index} of block {block_number} has no approvers before it.")
        item = (topics[1], layout, words, approvers, block_number, log_index, transaction_hash)
        recorded.append(new(RecordedEntry, item))
    return recorded


def _addresses(data: bytes) -> tuple[str, ...]:
    try:
        (addresses,) = decode(["address[]"], data)
    except DecodingError:
        raise InvalidProof("no list of addresses") from None
    return tuple(parse_address(address) for address in addresses)
