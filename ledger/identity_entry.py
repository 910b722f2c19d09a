"""An identity's entry: the struct and the numbers of contracts/IdentityHistory.sol."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.entries import Entry, abi

ISSUE, RENEW, ROTATE, RECOVER, CONFIRM, VETO, SUSPEND, REINSTATE, REVOKE = range(1, 10)
ACTIVE, SUSPENDED, REVOKED, RECOVERING = range(1, 5)

ENTRY = "(bytes32,uint32,uint40,uint8,uint8,bytes32,bytes32,address,uint40)"


@dataclass(frozen=True)
class IdentityEntry(Entry):
    """`controller` is the proposed one while the status is RECOVERING: the entry before names who may veto.
    `validUntil` is the first second in which the identity is expired."""

    controller: str = abi("address")
    validUntil: int = abi("uint40")  # noqa: N815 - the name of the Solidity struct's member
