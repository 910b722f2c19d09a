"""What `make mutate` breaks, and that docs/mutation.md speaks of the contracts as they are."""

from __future__ import annotations

import pytest

from scripts.compile import CONTRACTS
from tests.contracts.mutants import mutants
from tests.contracts.mutate import PLAN, change, listed


def changes(line: str) -> set[str]:
    return {change(mutant) for mutant in mutants("Any", line)}


def test_a_limit_moves_by_one() -> None:
    assert changes("if (a <= b) {") == {"if (a < b) {"}
    assert changes("if (a > b) {") == {"if (a >= b) {"}


def test_a_check_may_be_missing() -> None:
    assert "(removed) if (a == b) revert Wrong(a);" in changes("if (a == b) revert Wrong(a);")
    assert "(removed) _check(a);" in changes("_check(a);")


def test_an_assignment_may_be_missing() -> None:
    assert changes("entry.status = FROZEN;") == {"entry.status = PENDING;", "(removed) entry.status = FROZEN;"}


def test_an_offset_in_assembly_may_be_wrong() -> None:
    assert changes("mstore(add(a, 0x20), b)") == {
        "mstore(sub(a, 0x20), b)",
        "mstore(add(a, 0x21), b)",
        "mstore8(add(a, 0x20), b)",
        "(removed) mstore(add(a, 0x20), b)",
    }


def test_comments_are_not_broken() -> None:
    assert changes("    /// @dev a <= b") == set()


def test_every_contract_with_code_is_broken() -> None:
    assert {path.stem for path in CONTRACTS.glob("*.sol")} - {"LandRegister"} == PLAN.keys()


@pytest.mark.parametrize("contract", PLAN)
def test_the_tests_that_are_run_exist(contract: str) -> None:
    assert all((CONTRACTS / "test" / f"{name}.t.sol").exists() for name in PLAN[contract][1])


@pytest.mark.parametrize("contract", PLAN)
def test_what_is_listed_is_a_mutant_of_the_contract(contract: str) -> None:
    text = (CONTRACTS / f"{contract}.sol").read_text()
    assert listed()[contract] <= {change(mutant) for mutant in mutants(contract, text)}
