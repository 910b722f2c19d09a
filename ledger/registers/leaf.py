"""What proves one leaf of a batch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger import merkle
from ledger.batch_entry import AMENDED, BatchEntry, batch_id
from ledger.encoding import ZERO32, exact_list, exact_object, from_hex, parse_address, to_hex
from ledger.entries import Entry
from ledger.errors import BadInput, InvalidProof
from ledger.trust import MAX_APPROVERS

MAX_PATH = 64
MAX_CORRECTIONS = 256


@dataclass(frozen=True)
class Leaf:
    """See ledger.registers.evidence.Evidence: one record of a batch. `content` is the digest that was appended, at
    `index` of the batch, with its path to the root, lowest first; `corrections` are the entries of the leaf's own
    record, oldest first, each with its approvers. That there are no others is proved by the head under the leaf's
    hash, zero if there is none."""

    content: bytes
    index: int
    path: tuple[bytes, ...]
    corrections: tuple[tuple[BatchEntry, tuple[str, ...]], ...] = ()

    @property
    def hash(self) -> bytes:
        return merkle.leaf_hash(self.content)

    def as_json(self) -> dict[str, Any]:
        return {
            "content": to_hex(self.content),
            "index": str(self.index),
            "path": [to_hex(node) for node in self.path],
            "corrections": [{"entry": e.as_json(), "approvers": list(names)} for e, names in self.corrections],
        }

    @classmethod
    def from_json(cls, value: object, pointer: str) -> Leaf:
        """Raises BadInput."""
        value = exact_object(value, {"content", "index", "path", "corrections"}, pointer)
        index = value["index"]
        if not isinstance(index, str) or not re.fullmatch(r"0|[1-9][0-9]{0,18}", index):
            raise BadInput(f"{pointer}/index: expected a whole number as a string.", "", f"{pointer}/index")
        path = exact_list(value["path"], MAX_PATH, f"{pointer}/path")
        corrections = exact_list(value["corrections"], MAX_CORRECTIONS, f"{pointer}/corrections")
        return cls(
            from_hex(value["content"], 32, f"{pointer}/content"),
            int(index),
            tuple(from_hex(node, 32, f"{pointer}/path/{i}") for i, node in enumerate(path)),
            tuple(_correction(item, f"{pointer}/corrections/{i}") for i, item in enumerate(corrections)),
        )

    def heads(self, record_id: bytes, entries: Sequence[Entry]) -> Mapping[str, bytes]:
        return {"head": batch_id(record_id, entries[-1].sequence), "leaf": self.hash}

    def history(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        return [entry for entry, _ in self.corrections]

    def states(self, entries: Sequence[Entry]) -> Sequence[tuple[Entry, bytes]]:
        states: list[tuple[Entry, bytes]] = [(entries[-1], self.content)]
        for entry, _ in self.corrections:
            states.append((entry, entry.digest if entry.status == AMENDED else states[-1][1]))
        return states

    def approved(self) -> Sequence[tuple[Entry, tuple[str, ...]]]:
        return self.corrections

    def verify(self, entries: Sequence[Entry], heads: Mapping[str, bytes]) -> str:
        batch = entries[-1]
        assert isinstance(batch, BatchEntry)
        if len(entries) != 1 or batch.count == 0:
            raise InvalidProof("the entry is not that of one batch")
        merkle.verify_inclusion(self.hash, self.index, batch.count, self.path, batch.root)
        if heads["leaf"] != (self.corrections[-1][0].head if self.corrections else ZERO32):
            raise InvalidProof("the corrections are not all that were recorded of this leaf")
        corrected = f"corrected {len(self.corrections)} time(s)" if self.corrections else "never corrected"
        return f"leaf {self.index} of {batch.count} in batch {batch.sequence}, {corrected}"


def _correction(value: object, pointer: str) -> tuple[BatchEntry, tuple[str, ...]]:
    value = exact_object(value, {"entry", "approvers"}, pointer)
    names = exact_list(value["approvers"], MAX_APPROVERS, f"{pointer}/approvers")
    approvers = tuple(parse_address(name, f"{pointer}/approvers/{i}") for i, name in enumerate(names))
    return BatchEntry.from_json(value["entry"], f"{pointer}/entry"), approvers
