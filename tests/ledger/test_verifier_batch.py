"""What a verifier says of a record of a batch: its place, its corrections, and that there are no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger import merkle
from ledger.batch_entry import ACTIVE, AMENDED, VOIDED, BatchEntry, batch_id
from ledger.certificate import Certificate
from ledger.content import Content
from ledger.encoding import ZERO32, keccak256
from ledger.entries import approvals_hash
from ledger.registers.leaf import Leaf
from ledger.registers.transactions import REGISTER
from ledger.verdict import Verdict
from ledger.verifier import verify
from tests.builders import BLOCK_TIME, NAME, REGISTRARS, World, as_bytes, trust_root

FIELDS = {
    "schema": "public-transaction@1",
    "id": "2026-11/0001",
    "buyer": "id-contoh",
    "period": "2026-11",
    "date": "2026-11-03",
    "supplier": "PT Contoh Jaya",
    "amount": "1250000.00",
    "currency": "IDR",
}
SERIES = REGISTER.record_id(FIELDS)
TRUST = trust_root(registers=(replace(trust_root().registers[0], kind="transactions"),))
SIZE, INDEX, SEQUENCE = 11, 6, 3


class Batch:
    """Batch 3 of a series, with the record at index 6 and its corrections: actions and the content each brings."""

    def __init__(self, *corrections: tuple[int, Content | None]) -> None:
        self.contents = [Content.salted({**FIELDS, "id": f"2026-11/{n:04}"}) for n in range(SIZE)]
        self.leaves = [merkle.leaf_hash(content.digest) for content in self.contents]
        approvals = approvals_hash(REGISTRARS)
        root = merkle.root(self.leaves)
        words = (keccak256(b"batch 2"), SEQUENCE, BLOCK_TIME - 900, 1, ACTIVE, ZERO32, approvals, root, SIZE, 40)
        self.entry = BatchEntry(*words, keccak256(b"manifest"))
        self.corrections: list[BatchEntry] = []
        for status, content in corrections:
            previous = self.corrections[-1].head if self.corrections else ZERO32
            number = len(self.corrections) + 1
            words = (previous, number, BLOCK_TIME - 900 + number, status + 1, status)
            digest = content.digest if content else ZERO32
            made = BatchEntry(*words, digest, approvals, ZERO32, 0, 0, keccak256(b"reason"))
            self.corrections.append(made)
        self.newest = next((c for _, c in reversed(corrections) if c), self.contents[INDEX])

    def certificate(self, suspect: str = "", asked: bytes = b"", **changes: Any) -> Certificate:
        """`asked`: another leaf whose slot is proved in place of the record's."""
        leaf, batch = self.leaves[INDEX], batch_id(SERIES, SEQUENCE)
        heads = {batch: self.entry.head} | ({leaf: self.corrections[-1].head} if self.corrections else {})
        # Suspect since the time of the last correction.
        world = World(heads=heads, suspect_since={suspect: BLOCK_TIME - 900 + len(self.corrections)} if suspect else {})
        path = tuple(merkle.inclusion_path(self.leaves, INDEX))
        corrections = tuple((entry, REGISTRARS) for entry in self.corrections)
        made = Certificate(
            NAME,
            "transactions",
            SERIES,
            (self.entry,),
            (REGISTRARS,),
            Leaf(self.contents[INDEX].digest, INDEX, path, corrections),
            self.newest.disclose(),
            world.state({"head": batch, "leaf": asked or leaf}, with_authority=True),
        )
        return replace(made, **changes)


def right(amount: str) -> Content:
    return Content.salted({**FIELDS, "amount": amount})


PLAIN, AMENDED_TWICE = Batch(), Batch((AMENDED, right("1.00")), (AMENDED, right("2.00")))
VOID = Batch((AMENDED, right("1.00")), (VOIDED, None))


def states(verdict: Verdict) -> tuple[str, ...]:
    return tuple(verdict.axes[name].state for name in ("integrity", "status", "issuer"))


@pytest.mark.parametrize(
    ("batch", "status", "words"),
    [
        (PLAIN, "valid", "never corrected"),
        (AMENDED_TWICE, "valid", "corrected 2 time(s)"),
        (VOID, "invalid", "declared void"),
    ],
)
def test_a_record_is_judged_by_its_newest_correction(batch: Batch, status: str, words: str) -> None:
    verdict = verify(as_bytes(batch.certificate()), TRUST)
    assert states(verdict) == ("valid", status, "valid")
    assert words in verdict.axes["status"].reason


def forged(batch: Batch, **changes: Any) -> Certificate:
    honest = batch.certificate()
    return replace(honest, evidence=replace(honest.evidence, **changes))  # type: ignore[type-var]


def inner_node() -> Certificate:
    """What lies under an inner node, shown as if it were a content; that its slot is empty is truly proved."""
    under, path = b"".join(PLAIN.leaves[6:8]), merkle.inclusion_path(PLAIN.leaves, INDEX)[1:]
    made = PLAIN.certificate(asked=merkle.leaf_hash(under[:32]))
    return replace(made, evidence=Leaf(under[:32], INDEX // 2, tuple(path)))


FORGERIES: list[tuple[str, int, Callable[[], Certificate]]] = [
    ("another place", 9, lambda: forged(PLAIN, index=5)),
    ("a shorter path", 9, lambda: forged(PLAIN, path=PLAIN.certificate().evidence.path[:-1])),  # type: ignore[attr-defined]
    ("an inner node", 8, inner_node),
    (
        "hidden corrections",
        9,
        lambda: replace(forged(AMENDED_TWICE, corrections=()), content=AMENDED_TWICE.contents[INDEX].disclose()),
    ),
    (
        "the last correction hidden",
        9,
        lambda: replace(forged(VOID, corrections=VOID.certificate().evidence.approved()[:1])),
    ),
    ("the first correction hidden", 7, lambda: forged(VOID, corrections=VOID.certificate().evidence.approved()[1:])),
    (
        "the content before its correction",
        8,
        lambda: AMENDED_TWICE.certificate(content=AMENDED_TWICE.contents[INDEX].disclose()),
    ),
    (
        "a correction nobody approved",
        10,
        lambda: forged(AMENDED_TWICE, corrections=tuple((e, ()) for e in AMENDED_TWICE.corrections)),
    ),
    ("another batch", 6, lambda: PLAIN.certificate(entries=(replace(PLAIN.entry, root=keccak256(b"my own")),))),
    ("another series", 5, lambda: PLAIN.certificate(record_id=keccak256(b"transactions/id-other/2026-11"))),
    (
        "two entries",
        9,
        lambda: PLAIN.certificate(entries=(PLAIN.entry, PLAIN.entry), approvers=(REGISTRARS, REGISTRARS)),
    ),
]


@pytest.mark.parametrize(("number", "make"), [pytest.param(n, make, id=name) for name, n, make in FORGERIES])
def test_each_forgery_is_refused_by_its_own_check(number: int, make: Callable[[], Certificate]) -> None:
    verdict = verify(as_bytes(make()), TRUST)
    assert verdict.refusal is not None and verdict.refusal.number == number, verdict.refusal


@pytest.mark.parametrize("index", ["-1", "6.0", "", "06", "9" * 20, 6])
def test_an_index_is_a_whole_number(index: Any) -> None:
    value = PLAIN.certificate().as_json()
    value["evidence"]["index"] = index
    verdict = verify(as_bytes(value), TRUST)
    assert verdict.refusal is not None and verdict.refusal.number == 1


def test_a_suspect_approver_of_a_correction_leaves_the_issuer_unknown() -> None:
    verdict = verify(as_bytes(AMENDED_TWICE.certificate(suspect=REGISTRARS[0])), TRUST)
    assert states(verdict) == ("valid", "valid", "unknown")
    assert "entry 3" in verdict.axes["issuer"].reason
