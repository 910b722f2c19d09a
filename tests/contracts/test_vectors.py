"""The trees that the Solidity tests compare with are those of ledger.merkle."""

from __future__ import annotations

from tests.contracts.vectors import VECTORS, render


def test_the_vectors_are_those_of_our_own_trees() -> None:
    assert VECTORS.read_text() == render(), "run `python -m tests.contracts.vectors`"
