"""Fault 65: a witness is asked for a second hash of a number it signed: another node, a fork, a restored disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.checkpoint import Checkpoint, cosigners, note, parse
from ledger.cosigner import Cosigner
from ledger.encoding import to_hex
from ledger.errors import ChainMismatch, NotFound, SplitView, Unavailable
from ledger.witness import Witness, create_witness_key, load_witness_key
from tests.fakes import FakeClock
from tests.forks import SHARED, Anvil, anvil

FORKED = SHARED + 1  # the first number for which the two chains have two blocks


@pytest.fixture(scope="module")
def one() -> Iterator[Anvil]:
    with anvil(1) as node:
        yield node


@pytest.fixture(scope="module")
def other() -> Iterator[Anvil]:
    with anvil(2) as node:
        yield node


@pytest.fixture
def key(tmp_path: Path) -> Path:
    create_witness_key(tmp_path / "court.pem")
    return tmp_path / "court.pem"


def witness_at(node: Anvil, key: Path) -> Cosigner:
    """A witness that was started anew, as after a crash, at this node."""
    witness = Witness("court", load_witness_key(key), key.with_suffix(".log"))
    return Cosigner(node.trust(witness.verifier_key), node.chain, witness, FakeClock(100))


def evidence(key: Path) -> list[dict[str, str]]:
    lines = [json.loads(line) for line in key.with_suffix(".log").read_text().splitlines()]
    return [line for line in lines if line["event"] == "refused"]


def test_fault_65_a_forks_block_is_refused_and_both_hashes_are_kept_signed(one: Anvil, other: Anvil, key: Path) -> None:
    first = witness_at(one, key)
    signed = first.note(FORKED)
    with pytest.raises(SplitView, match="another hash"):
        witness_at(other, key).note(FORKED)
    (kept,) = evidence(key)
    assert kept["note"] == signed
    assert kept["blockHash"] == to_hex(other.chain.block(FORKED).hash) != to_hex(one.chain.block(FORKED).hash)
    statement = kept["statement"].split("\n")
    assert statement[:4] == ["khalayak split view", *signed.split("\n")[:3]]


def test_fault_65_a_fork_is_noticed_at_numbers_that_were_never_signed(one: Anvil, other: Anvil, key: Path) -> None:
    witness_at(one, key).note(FORKED + 1)
    for number in (FORKED, FORKED + 2, SHARED):
        with pytest.raises(SplitView):
            witness_at(other, key).note(number)


def test_fault_65_a_fork_is_noticed_when_nobody_asks(one: Anvil, other: Anvil, key: Path) -> None:
    witness_at(one, key).note(FORKED)
    witness_at(one, key).check()
    with pytest.raises(SplitView):
        witness_at(other, key).check()


def test_fault_65_blocks_that_both_chains_share_are_no_split_view(one: Anvil, other: Anvil, key: Path) -> None:
    witness_at(one, key).note(SHARED)
    assert parse(witness_at(other, key).note(FORKED))[0].number == FORKED and evidence(key) == []


def test_fault_65_a_restored_log_still_notices_a_fork_before_its_newest_block(
    one: Anvil, other: Anvil, key: Path, tmp_path: Path
) -> None:
    log = key.with_suffix(".log")
    witness_at(one, key).note(FORKED)
    shutil.copy(log, tmp_path / "backup")
    witness_at(one, key).note(FORKED + 2)
    shutil.copy(tmp_path / "backup", log)
    with pytest.raises(SplitView):
        witness_at(other, key).note(FORKED + 2)


def test_fault_65_after_a_restored_log_has_forgotten_all_its_two_notes_convict_it(
    one: Anvil, other: Anvil, key: Path
) -> None:
    """What cannot be noticed: a log restored to before the fork. Whoever holds both notes has the proof."""
    first = witness_at(one, key)
    notes = [first.note(FORKED)]
    key.with_suffix(".log").unlink()
    notes.append(witness_at(other, key).note(FORKED))
    keys = [first.witness.verifier_key]
    assert [cosigners(text, first.trust.origin, keys) for text in notes] == [{"court"}] * 2
    checkpoints = [parse(text)[0] for text in notes]
    assert len({c.number for c in checkpoints}) == 1 and len({c.block_hash for c in checkpoints}) == 2


def test_fault_65_another_chain_of_the_same_number_is_never_signed(one: Anvil, key: Path) -> None:
    with anvil(1, genesis_time=1_770_000_000) as stranger:
        cosigner = witness_at(one, key)
        cosigner.chain = stranger.chain
        with pytest.raises(ChainMismatch):
            cosigner.note(1)
    assert not key.with_suffix(".log").exists()


def test_fault_65_a_block_that_is_not_final_is_not_signed(one: Anvil, key: Path) -> None:
    cosigner, final = witness_at(one, key), one.final
    for number in (final + 1, one.chain.block("latest").number, 10**17):
        with pytest.raises(NotFound, match="not final"):
            cosigner.note(number)
    assert parse(cosigner.note(final))[0] == Checkpoint(cosigner.trust.origin, final, one.chain.block(final).hash)


def test_fault_65_a_node_that_fell_behind_what_was_signed_is_not_believed(one: Anvil, key: Path) -> None:
    cosigner = witness_at(one, key)
    ahead = Checkpoint(cosigner.trust.origin, one.final + 1, bytes(32))
    assert note(ahead, [cosigner.witness.cosign(ahead, 100)])
    with pytest.raises(Unavailable, match="behind"):
        cosigner.note(1)
    assert evidence(key) == []
