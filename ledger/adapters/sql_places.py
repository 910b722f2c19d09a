"""Where an entry stands in the order of the logs, as one number: that of its register, block, log of the block."""

from __future__ import annotations

from ledger.errors import StoreUnavailable
from ledger.model import MAX_LOG_INDEX, Place

_LOG_BITS = MAX_LOG_INDEX.bit_length()
_BLOCK_BITS = 33
_REGISTER_BITS = 10  # 63 in all: what a signed integer of a database holds


def numbered(register: int, place: Place) -> int:
    """Raises StoreUnavailable for what no chain reaches that is in use."""
    if place.log_index >> _LOG_BITS or place.block_number >> _BLOCK_BITS or register >> _REGISTER_BITS:
        raise StoreUnavailable(f"Log {place.log_index} of block {place.block_number} has no place in the database.")
    return (register << _BLOCK_BITS | place.block_number) << _LOG_BITS | place.log_index


def all_of(register: int) -> tuple[int, int]:
    """The first and the last number of a register."""
    first = numbered(register, Place(0, 0))
    return first, first + (1 << _BLOCK_BITS + _LOG_BITS) - 1


def place_in(number: int) -> Place:
    return Place(number >> _LOG_BITS & (1 << _BLOCK_BITS) - 1, number & MAX_LOG_INDEX)
