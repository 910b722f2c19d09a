"""Calls to contracts/Authority.sol and the head view of every register, as bytes."""

from __future__ import annotations

from dataclasses import dataclass

from eth_abi.abi import decode, encode

from ledger.encoding import keccak256


@dataclass(frozen=True)
class Policy:
    """`threshold` different holders of `role` must approve every change of a register."""

    role: int
    threshold: int


def policy_call(register: str, role: str) -> bytes:
    """The rule by which registrars or the court act on a register."""
    name = {"registrar": "policyOf", "court": "courtPolicyOf"}[role]
    return _selector(f"{name}(address)") + encode(["address"], [register])


def parse_policy(result: bytes) -> Policy:
    role, threshold = decode(["uint64", "uint8"], result)
    return Policy(role, threshold)


def has_role_call(role: int, account: str) -> bytes:
    return _selector("hasRole(uint64,address)") + encode(["uint64", "address"], [role, account])


def parse_has_role(result: bytes) -> bool:
    """Whether the account has the role now (AccessManager.hasRole: the second value is the execution delay)."""
    member, _delay = decode(["bool", "uint32"], result)
    return bool(member)


def head_call(record_id: bytes) -> bytes:
    return _selector("headOf(bytes32)") + record_id


def window_call(view: str) -> bytes:
    """How long a change waits in a register, in seconds, by the name of its view."""
    return _selector(f"{view}()")


def parse_window(result: bytes) -> int:
    (seconds,) = decode(["uint256"], result)
    return int(seconds)


def _selector(signature: str) -> bytes:
    return keccak256(signature.encode())[:4]
