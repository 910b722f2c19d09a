"""Random histories of batches: the contract and ledger/batch_rules.py say the same after every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from eth_abi.abi import encode
from hypothesis.stateful import initialize, invariant

from ledger import batch_rules
from ledger.batch_entry import ENTRY, VOIDED, BatchEntry, batch_id
from ledger.encoding import ZERO32, from_hex, keccak256, to_hex
from ledger.entries import Entry
from ledger.merkle import inclusion_path, leaf_hash, node_hash
from ledger.registers.transactions import REGISTER
from tests.contracts.batches import Batches
from tests.contracts.machine import PLAIN, Machine, Step, pick, run
from tests.contracts.node import Node
from tests.contracts.offices import Office

CONTENTS = [keccak256(f"content {n}".encode()) for n in range(9)]
# Two series, and what somebody may try to pass for one: a batch of a series, there or to come, and a leaf.
SERIES = [keccak256(b"series 1"), keccak256(b"series 2")]
PASSED_OFF = [batch_id(SERIES[0], 1), batch_id(SERIES[0], 2), batch_id(SERIES[1], 3), leaf_hash(CONTENTS[0])]
IS_GOOD = ["bytes32", ENTRY, "bytes32", "uint64", "bytes32[]"]
MISPLACED = ("other leaf", "next", "beyond", "short", "long", "batch", "series")
CORRECTED = ("stale", "none", "no reason", "no content")


class BatchMachine(Machine):
    register = REGISTER
    needs: ClassVar = {"append": (), "correct": (), "ask": (), "ask_for_all": (), "again": ()}

    def __init__(self, node: Node, address: str) -> None:
        super().__init__(node, address)
        self.batches: list[tuple[bytes, BatchEntry, list[bytes]]] = []
        # Kept apart from the rules: the leaves that were corrected, and the ids of series, which spoil a leaf that has
        # such a hash.
        self.spoilt: set[bytes] = set()

    def follow(self, action: str, payload: Mapping[str, Any], approvers: Sequence[str]) -> Mapping[bytes, Entry]:
        series = {r: history for r, history in self.histories.items() if r not in self.batch_ids()}
        assert batch_rules.heads_of(series) == self.heads()
        return batch_rules.follow(action, payload, self.head_of, self.time, approvers)

    def batch_ids(self) -> set[bytes]:
        return {batch_id(series, entry.sequence) for series, entry, _ in self.batches}

    def told(self, expected: Mapping[bytes, Entry]) -> Mapping[bytes, Entry]:
        return dict([*expected.items()][:1])

    def current(self, record_id: bytes, odd: str) -> dict[str, Any] | None:
        """The newest entry of a record as payloads hold it, or with that oddity another."""
        history = self.histories.get(record_id, [])
        if odd == "none" or not history:
            return None
        stale = history[-2] if len(history) > 1 else replace(history[-1], total=history[-1].total + 1)
        return (stale if odd == "stale" else history[-1]).as_json()

    @initialize()
    def begin(self) -> None:
        self.add("appendLeaves", SERIES[0], CONTENTS[:5], "", PLAIN)

    def append(self, step: Step) -> None:
        series = pick((*4 * SERIES, *PASSED_OFF), step.at)
        action, first, count = pick(("append", "appendLeaves"), step.at // 16), step.to % 9, 1 + step.to // 9 % 6
        leaves = [pick(CONTENTS, first + n) for n in range(count)]
        self.add(action, series, leaves, step.odd("stale", "none", "empty", "no manifest"), step)

    def add(self, action: str, series: bytes, leaves: list[bytes], odd: str, step: Step) -> None:
        leaves = [] if odd == "empty" else leaves
        payload: dict[str, Any] = {"series": to_hex(series), "current": self.current(series, odd)}
        payload["records"] = [{"digest": to_hex(digest)} for digest in leaves]
        payload["manifest"] = to_hex(ZERO32 if odd == "no manifest" else self.fresh())
        if self.attempt(action, payload, step):
            self.batches.append((series, self.histories[series][-1], leaves))
            self.spoilt.add(series)

    def place(self, step: Step, odd: str = "") -> dict[str, Any]:
        """Where a leaf is, or with that oddity where it is not."""
        series, entry, leaves = pick(self.batches, step.at)
        index = step.to % len(leaves)
        path = inclusion_path([leaf_hash(digest) for digest in leaves], index)
        digest = self.fresh() if odd == "other leaf" else leaves[index]
        index += {"next": 1, "beyond": len(leaves)}.get(odd, 0)
        path = path[:-1] if odd == "short" else [*path, self.fresh()] if odd == "long" else path
        entry = replace(entry, count=entry.count + 1) if odd == "batch" else entry
        series = SERIES[1] if odd == "series" and series == SERIES[0] else series
        where = {"series": to_hex(series), "batch": entry.as_json(), "digest": to_hex(digest)}
        return {**where, "index": index, "path": [to_hex(node) for node in path]}

    def correct(self, step: Step) -> None:
        odd = step.odd(*CORRECTED, *MISPLACED)
        place, action = self.place(step, odd), pick(("amend", "amend", "void"), step.action // 100)
        leaf = leaf_hash(from_hex(place["digest"], 32))
        replacement = ZERO32 if odd == "no content" else self.fresh()
        records = [{"digest": to_hex(replacement)}] if action == "amend" else []
        reason = to_hex(ZERO32 if odd == "no reason" else self.fresh())
        payload = {"place": place, "current": self.current(leaf, odd), "reason": reason, "records": records}
        if self.attempt(action, payload, step):
            self.spoilt.add(leaf)

    def ask(self, step: Step) -> None:
        place = self.place(step, step.odd(*MISPLACED))
        assert self.is_good([place]) == [batch_rules.is_good(place, self.head_of)]

    def ask_for_all(self, step: Step) -> None:
        """Each leaf is good if it was never corrected. A node above them never is, in whatever way it is shown."""
        _, entry, leaves = pick(self.batches, step.at)
        places = [self.place(replace(step, to=index)) for index in range(len(leaves))]
        assert self.is_good(places) == [leaf_hash(digest) not in self.spoilt for digest in leaves]
        hashes = [leaf_hash(digest) for digest in leaves]
        nodes = [node_hash(*hashes[i : i + 2]) for i in range(0, len(leaves) - 1, 2)]
        inner = [
            {**places[2 * i], "digest": to_hex(node), "index": index, "path": places[2 * i]["path"][up:]}
            for i, node in enumerate(nodes)
            for up in (0, 1)
            for index in (i, 2 * i)
        ]
        inner.append({**places[0], "digest": to_hex(entry.root), "index": 0, "path": []})
        assert not any(self.is_good(inner))
        assert not any(batch_rules.is_good(place, self.head_of) for place in inner)

    def is_good(self, places: Sequence[Mapping[str, Any]]) -> list[bool]:
        """What the contract says."""
        selector = keccak256(f"isGood({','.join(IS_GOOD)})".encode())[:4]
        calls = []
        for place in places:
            batch, path = BatchEntry.from_json(place["batch"]), [from_hex(node, 32) for node in place["path"]]
            series, digest = from_hex(place["series"], 32), from_hex(place["digest"], 32)
            calls.append(
                selector + encode(IS_GOOD, [series, tuple(vars(batch).values()), digest, place["index"], path])
            )
        return [bool(int.from_bytes(answer)) for answer in self.node.call_all(self.address, calls)]

    @invariant()
    def a_void_leaf_stays_void(self) -> None:
        for record_id, history in self.histories.items():
            if record_id not in self.batch_ids():
                assert all(entry.status != VOIDED for entry in history[:-1])


def test_contract_and_rules_agree_on_every_history_of_batches(full_office: Office, node: Node) -> None:
    address = Batches(full_office).deploy().address
    run(lambda: BatchMachine(node, address))
