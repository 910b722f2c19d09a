"""Every golden vector is answered as the index says: here, and by any other verifier that reads them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ledger.registers import REGISTERS
from ledger.trust import TrustRoot
from ledger.verdict import CHECKS
from ledger.verifier import verify
from tests.vectors.make import FOLDER, files

INDEX: list[dict[str, Any]] = json.loads((FOLDER / "index.json").read_text())


def read(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


@pytest.mark.parametrize("vector", INDEX, ids=lambda vector: Path(vector["file"]).stem)
def test_each_vector_is_answered_as_the_index_says(vector: dict[str, Any]) -> None:
    trust = TrustRoot.parse(read(vector["trust"])) if vector["trust"] else None
    hashes = {int(number): bytes.fromhex(block[2:]) for number, block in vector.get("blockHashes", {}).items()}
    document = read(vector["document"]) if "document" in vector else None
    verdict = verify(read(vector["file"]), trust, block_hashes=hashes, document=document)
    refusal = {"check": verdict.refusal.number, "outcome": verdict.refusal.outcome} if verdict.refusal else None
    answered = {name: axis.state for name, axis in verdict.axes.items()} | {"refusal": refusal}
    assert answered == vector["expected"], verdict.refusal


def test_a_second_run_writes_the_same_bytes() -> None:
    there = {str(path.relative_to(FOLDER)): path.read_bytes() for path in FOLDER.rglob("*") if path.is_file()}
    made = files()
    assert there.keys() == made.keys()
    assert [name for name in made if made[name] != there[name]] == []
    assert sum(map(len, made.values())) < 3_300_000


def test_every_action_of_every_register_has_a_genuine_certificate() -> None:
    seen = set()
    for vector in INDEX:
        value = json.loads(read(vector["file"])) if vector["file"].startswith("genuine/") else {}
        entries = [*value.get("entries", []), *(c["entry"] for c in value.get("evidence", {}).get("corrections", []))]
        seen |= {(value["kind"], entry["action"]) for entry in entries}
    wanted = {(kind, number) for kind, register in REGISTERS.items() for number in register.actions}
    others = {("diplomas", 2), ("diplomas", 3), ("diplomas", 4), ("erasures", 1), ("erasures", 3), ("erasures", 4)}
    assert wanted - seen == others  # as those of public transactions


def test_every_check_but_the_status_has_its_forgeries() -> None:
    refused = Counter(v["expected"]["refusal"]["check"] for v in INDEX if v["file"].startswith("forged/"))
    assert refused.keys() == CHECKS.keys() - {12}
    assert refused.total() >= 60
