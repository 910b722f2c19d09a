"""What a transaction offers for its gas (EIP-1559), and how one that waits offers more. Amounts are in wei a gas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import rlp

from ledger.encoding import checksum_address
from ledger.model import Fees
from ledger.transaction import Attempt

GWEI = 10**9
ETHER = 10**18


@dataclass(frozen=True)
class Limits:
    """What the operator allows: the most that is ever offered, after how many seconds an unmined transaction offers
    more, and how many seconds an application may wait for others to travel with."""

    max_fee: int
    bump_seconds: int
    bundle_seconds: int


def offered(today: Fees, cap: int) -> Fees | None:
    """What is offered today, or None while the chain asks for more than the cap: it would be spent on nothing."""
    if today.base_fee > cap:
        return None
    return Fees(min(today.max_fee, cap), min(today.priority_fee, cap), today.base_fee)


def raised(before: Attempt, today: Fees, cap: int) -> Fees | None:
    """Both fees an eighth higher, which is the least that every node takes in place of another, and no less than what
    is offered today. None where the cap does not allow that."""
    wanted = offered(today, cap)
    if wanted is None:
        return None
    least_max, least_priority = _eighth_more(before.max_fee), _eighth_more(before.priority_fee)
    max_fee = min(max(least_max, wanted.max_fee), cap)
    priority_fee = min(max(least_priority, wanted.priority_fee), max_fee)
    if max_fee < least_max or priority_fee < least_priority:
        return None
    return Fees(max_fee, priority_fee, today.base_fee)


def unsigned(raw: bytes) -> dict[str, Any]:
    """The fields of a signed EIP-1559 transaction under their JSON-RPC names, as wallet.signer takes them."""
    chain_id, nonce, priority_fee, max_fee, gas, to, value, data, *_ = rlp.decode(raw[1:])
    numbers = {
        "chainId": chain_id,
        "nonce": nonce,
        "maxPriorityFeePerGas": priority_fee,
        "maxFeePerGas": max_fee,
        "gas": gas,
        "value": value,
    }
    return {
        "type": 2,
        "to": checksum_address(to),
        "data": data,
        **{name: int.from_bytes(number, "big") for name, number in numbers.items()},
    }


def dearest(raw: bytes) -> int:
    """What a signed transaction costs at most, in wei."""
    fields = unsigned(raw)
    return int(fields["gas"] * fields["maxFeePerGas"] + fields["value"])


def ether(wei: int) -> str:
    return f"{wei / ETHER:.6f} ETH"


def _eighth_more(fee: int) -> int:
    return fee + max(1, -(-fee // 8))
