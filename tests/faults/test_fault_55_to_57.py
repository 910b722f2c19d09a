"""FAULTS 55 to 57: hashes in other spellings, hashes nobody knows, and Merkle proofs that prove something else."""

from __future__ import annotations

import pytest

from ledger import merkle
from ledger.errors import InvalidProof
from tests.api.conftest import Applicant, Problem, Title, applicant, base_url, http, parts, problem, title
from tests.e2e.test_cli import Desk

__all__ = ["applicant", "base_url", "http", "parts", "problem", "title"]

LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(5)]
ROOT = merkle.root(LEAVES)


@pytest.mark.parametrize(
    "spelled", [str.upper, lambda text: text.replace("0x", "0X"), lambda text: text[2:], str.lower]
)
def test_fault_55_a_hash_is_found_however_it_is_spelled(applicant: Applicant, title: Title, spelled: object) -> None:
    record = title.accepted["recordIds"][0]
    found = applicant.http.post("/en/find", data={"typed": spelled(record)})  # type: ignore[operator]
    assert found.headers["location"] == f"/en/r/land/{record}"


@pytest.mark.parametrize("wrong", ["0x" + "1" * 63, "0x" + "1" * 65, "0x" + "g" * 64, "sha256:" + "1" * 64])
def test_fault_55_what_is_no_hash_gets_a_hint(applicant: Applicant, problem: Problem, wrong: str) -> None:
    problem(applicant.http.get(f"/v1/land/records/{wrong}"), 400, "bad-input")
    page = applicant.http.post("/en/find", data={"typed": wrong})
    assert page.status_code == 400 and wrong not in str(page.url)


def test_fault_56_an_unknown_hash_is_not_found_and_no_success(applicant: Applicant, problem: Problem) -> None:
    unknown = "0x" + "1a" * 32
    problem(applicant.http.get(f"/v1/land/records/{unknown}"), 404, "never-recorded")
    assert applicant.http.get(f"/en/r/land/{unknown}").status_code == 404
    settings = applicant.parts.office.settings
    desk = Desk(settings.data.parent, settings.rpc_url)
    assert "Nothing is recorded" in desk.run("history", "land", unknown, code=1)
    assert "No record" in desk.run("certificate", "land", unknown, code=1)


@pytest.mark.parametrize(
    ("leaf", "index", "size", "path", "root"),
    [
        pytest.param(
            merkle.node_hash(LEAVES[0], LEAVES[1]), 0, 5, merkle.inclusion_path(LEAVES, 0)[1:], ROOT, id="node"
        ),
        pytest.param(LEAVES[4], 5, 6, merkle.inclusion_path(LEAVES, 4), ROOT, id="last leaf twice"),
        pytest.param(LEAVES[1], 2, 5, merkle.inclusion_path(LEAVES, 1), ROOT, id="index"),
        pytest.param(LEAVES[1], 1, 9, merkle.inclusion_path(LEAVES, 1), ROOT, id="size"),
        pytest.param(LEAVES[1], 1, 5, merkle.inclusion_path(LEAVES, 1)[:-1], ROOT, id="short path"),
        pytest.param(LEAVES[1], 1, 5, [*merkle.inclusion_path(LEAVES, 1), ROOT], ROOT, id="long path"),
        pytest.param(LEAVES[1], 0, 0, [], merkle.root([]), id="empty tree"),
    ],
)
def test_fault_57_a_path_that_proves_something_else_is_refused(
    leaf: bytes, index: int, size: int, path: list[bytes], root: bytes
) -> None:
    with pytest.raises(InvalidProof):
        merkle.verify_inclusion(leaf, index, size, path, root)
