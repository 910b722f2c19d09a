"""Fault 66: a checkpoint that too few witnesses signed, or that says nothing of this chain's block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.checkpoint import Checkpoint, note
from ledger.encoding import to_hex
from ledger.state_proof import parse_header
from ledger.verifier import verify
from tests.builders import WITNESSES, World, as_bytes, trust_root

FILE = World().certificate().as_json()
TRUST = replace(trust_root(), threshold=2)
HEADER = parse_header(bytes.fromhex(FILE["state"]["header"][2:]))
BLOCK = Checkpoint(TRUST.origin, HEADER.number, HEADER.hash)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)


def signed(checkpoint: Checkpoint, names: Sequence[str], times: Sequence[int] = (100, 200, 300)) -> str:
    lines = [checkpoint.sign(n, WITNESSES[n], time) for n, time in zip(names, times, strict=False)]
    return note(checkpoint, lines)


def states(text: str) -> tuple[list[str], int]:
    """The three axes of the certificate under this checkpoint, and the check that refused it."""
    verdict = verify(as_bytes({**FILE, "state": {**FILE["state"], "checkpoint": text}}), TRUST)
    assert not verdict.valid and verdict.refusal is not None
    return [verdict.axes[axis].state for axis in ("integrity", "status", "issuer")], verdict.refusal.number


UNKNOWN = (["unknown"] * 3, 3)


def test_fault_66_what_enough_witnesses_signed_is_valid() -> None:
    file = {**FILE, "state": {**FILE["state"], "checkpoint": signed(BLOCK, "ab")}}
    assert verify(as_bytes(file), TRUST).valid


def test_fault_66_one_signer_too_few_is_unknown() -> None:
    assert states(signed(BLOCK, "a")) == UNKNOWN


def test_fault_66_one_signer_twice_is_one() -> None:
    assert states(signed(BLOCK, "aa")) == UNKNOWN


def test_fault_66_an_unknown_key_counts_for_nothing() -> None:
    for name in ("stranger", "b"):
        lines = [BLOCK.sign("a", WITNESSES["a"], 100), BLOCK.sign(name, STRANGER, 100)]
        assert states(note(BLOCK, lines)) == UNKNOWN


@pytest.mark.parametrize("origin", ["other.example/eip155:1337", f"{TRUST.name}/eip155:1"])
def test_fault_66_another_chains_origin_is_unknown(origin: str) -> None:
    assert origin != TRUST.origin
    assert states(signed(replace(BLOCK, origin=origin), "ab")) == UNKNOWN


def test_fault_66_a_number_without_a_hash_is_unknown() -> None:
    text = signed(BLOCK, "ab").split("\n")
    assert states("\n".join([*text[:2], *text[3:]])) == UNKNOWN
    assert states("\n".join([*text[:2], "", *text[3:]])) == UNKNOWN


def test_fault_66_the_signatures_of_another_block_are_unknown() -> None:
    other = replace(BLOCK, number=BLOCK.number + 1)
    assert states(signed(other, "ab")) == UNKNOWN
    assert states(signed(BLOCK, "ab").replace(f"\n{BLOCK.number}\n", f"\n{other.number}\n")) == UNKNOWN


def test_fault_66_another_hash_of_the_same_number_is_never_valid() -> None:
    assert to_hex(BLOCK.block_hash) != to_hex(bytes(32))
    axes, check = states(signed(replace(BLOCK, block_hash=bytes(32)), "ab"))
    assert "valid" not in axes and check == 3
