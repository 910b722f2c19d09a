"""Our signed notes, opened by a reader that is not ours: Go's sumdb/note with transparency-dev's cosignature/v1."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.checkpoint import Checkpoint, note
from ledger.errors import SplitView
from ledger.witness import Witness
from scripts.tools.process import find_tool

BLOCK = Checkpoint("demo.example/eip155:31337", 4242, b"\x07" * 32)


@pytest.fixture
def reader() -> Path:
    found = find_tool("khalayak-note", "KHALAYAK_NOTE_BIN")
    if found is None:
        pytest.skip("no khalayak-note: run `make tools` (needs Go) or set KHALAYAK_NOTE_BIN")
    return found


@pytest.fixture
def court(tmp_path: Path) -> Witness:
    return Witness("court.example", Ed25519PrivateKey.generate(), tmp_path / "court.log")


@pytest.fixture
def paper(tmp_path: Path) -> Witness:
    return Witness("paper.example", Ed25519PrivateKey.generate(), tmp_path / "paper.log")


def opened(reader: Path, text: str, *witnesses: Witness) -> str | None:
    """What the reader says of a note, knowing these witnesses; None when it refuses it."""
    keys = [witness.verifier_key for witness in witnesses]
    done = subprocess.run([reader, *keys], input=text.encode(), capture_output=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.decode() if done.returncode == 0 else None


def test_it_finds_every_witness_and_its_time(reader: Path, court: Witness, paper: Witness) -> None:
    signed = note(BLOCK, [court.cosign(BLOCK, 1_760_000_000), paper.cosign(BLOCK, 1_760_000_007)])
    found = f"{BLOCK.text()}\ncourt.example 1760000000\npaper.example 1760000007\n"
    assert opened(reader, signed, court, paper) == found


def test_it_knows_only_the_keys_it_is_given(reader: Path, court: Witness, paper: Witness) -> None:
    signed = note(BLOCK, [court.cosign(BLOCK, 100), paper.cosign(BLOCK, 200)])
    assert opened(reader, signed, paper) == f"{BLOCK.text()}\npaper.example 200\n"
    assert opened(reader, note(BLOCK, [court.cosign(BLOCK, 100)]), paper) is None


@pytest.mark.parametrize(("old", "new"), [("\n4242\n", "\n4243\n"), ("31337", "1"), ("BwcH", "AwcH"), ("— c", "— d")])
def test_it_refuses_what_was_changed(reader: Path, court: Witness, old: str, new: str) -> None:
    signed = note(BLOCK, [court.cosign(BLOCK, 100)])
    assert old in signed and opened(reader, signed.replace(old, new, 1), court) is None


def test_it_opens_the_evidence_of_a_split_view(reader: Path, court: Witness) -> None:
    court.cosign(BLOCK, 100)
    with pytest.raises(SplitView):
        court.cosign(Checkpoint(BLOCK.origin, BLOCK.number, b"\x08" * 32), 200)
    refused = json.loads(court.log.read_text().splitlines()[-1])
    assert opened(reader, refused["note"], court) == f"{BLOCK.text()}\ncourt.example 100\n"
    statement = opened(reader, refused["statement"], court)
    assert statement is not None and statement.startswith("khalayak split view\n") and "court.example 200" in statement
