"""The Python codec and the deployed contract understand each other: what one signs, calls and reads the other made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from eth_abi.abi import encode

from ledger.batch_entry import ENTRY, BatchEntry, batch_id, root_of
from ledger.encoding import ZERO32, keccak256, to_hex
from ledger.entries import verify_history
from ledger.merkle import inclusion_path, leaf_hash
from scripts.devnet import start_hardhat
from tests.contracts.batches import MANIFEST, REASON, SERIES, Batches, digests, place, records
from tests.contracts.offices import Office

CONTENTS = digests(11)
LEAF = leaf_hash(CONTENTS[4])


@pytest.fixture
def batches() -> Iterator[Batches]:
    with start_hardhat() as url:
        yield Batches(Office(url).deploy()).deploy()


def head(batches: Batches, record_id: bytes) -> bytes:
    return batches.read(keccak256(b"headOf(bytes32)")[:4] + record_id)


def is_good(batches: Batches, batch: BatchEntry, contents: Sequence[bytes], index: int) -> bool:
    types = ["bytes32", ENTRY, "bytes32", "uint64", "bytes32[]"]
    path = inclusion_path([leaf_hash(digest) for digest in contents], index)
    values = [SERIES, tuple(vars(batch).values()), contents[index], index, path]
    return bool(
        int.from_bytes(batches.read(keccak256(f"isGood({','.join(types)})".encode())[:4] + encode(types, values)))
    )


def correct(batches: Batches, action: str, current: BatchEntry | None, batch: BatchEntry) -> dict[str, Any]:
    replacement = records([keccak256(b"right")]) if action == "amend" else []
    where = place(batch, CONTENTS, 4)
    return batches.do(action, current, place=where, reason=to_hex(REASON), records=replacement)


def test_batches_are_recorded_as_the_codec_says(batches: Batches) -> None:
    first = batches.entry(batches.append(CONTENTS, None))
    receipt = batches.append_leaves(digests(5), first)
    second = batches.entry(receipt)
    assert batches.recorded(receipt).record_id == SERIES
    assert head(batches, SERIES) == head(batches, batch_id(SERIES, 2)) == second.head
    assert head(batches, batch_id(SERIES, 1)) == first.head
    assert (first.root, first.manifest, first.count, first.total) == (root_of(CONTENTS), MANIFEST, 11, 11)
    assert (second.root, second.manifest, second.count, second.total) == (root_of(digests(5)), ZERO32, 5, 16)
    verify_history([first, second])


def test_a_leaf_is_good_until_it_is_corrected(batches: Batches) -> None:
    batch = batches.entry(batches.append_leaves(CONTENTS, None))
    assert all(is_good(batches, batch, CONTENTS, index) for index in range(11))
    receipt = correct(batches, "amend", None, batch)
    amended = batches.entry(receipt)
    assert batches.recorded(receipt).record_id == LEAF
    assert [index for index in range(11) if not is_good(batches, batch, CONTENTS, index)] == [4]
    voided = batches.entry(correct(batches, "void", amended, batch))
    verify_history([amended, voided])
    assert head(batches, LEAF) == voided.head
    assert (amended.digest, voided.digest) == (keccak256(b"right"), ZERO32)
    with pytest.raises(AssertionError, match=r"Voided|revert"):
        correct(batches, "amend", voided, batch)
