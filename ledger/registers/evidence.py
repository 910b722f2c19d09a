"""What a certificate holds beside its entries, because an entry only commits to it (docs/protocol.md section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ledger.encoding import exact_object
from ledger.entries import Entry


class Evidence(Protocol):
    """One kind for each kind of register; pure."""

    def as_json(self) -> dict[str, Any]: ...

    def heads(self, record_id: bytes, entries: Sequence[Entry]) -> Mapping[str, bytes]:
        """The records whose heads a certificate proves, by the name of the proof. `head` is that of the last entry."""

    def history(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """What must be one chain of entries from the first to the last."""

    def states(self, entries: Sequence[Entry]) -> Sequence[tuple[Entry, bytes]]:
        """What the record has been, oldest first and never empty: the entry that says how it is, and the digest of the
        content that counts from then on."""

    def approved(self) -> Sequence[tuple[Entry, tuple[str, ...]]]:
        """Entries that registrars approved beside those of the certificate, each with its approvers, ascending."""

    def verify(self, entries: Sequence[Entry], heads: Mapping[str, bytes]) -> str:
        """Check that it is what the entries commit to. The answer says in words what was found. Raises InvalidProof."""


@dataclass(frozen=True)
class NoEvidence:
    """Of a register whose entries say all. Others begin with this and add to it."""

    def as_json(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_json(cls, value: object, pointer: str) -> NoEvidence:
        """Raises BadInput."""
        exact_object(value, set(), pointer)
        return cls()

    def heads(self, record_id: bytes, entries: Sequence[Entry]) -> Mapping[str, bytes]:
        return {"head": record_id}

    def history(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        return entries

    def states(self, entries: Sequence[Entry]) -> Sequence[tuple[Entry, bytes]]:
        return [(entry, entry.digest) for entry in entries]

    def approved(self) -> Sequence[tuple[Entry, tuple[str, ...]]]:
        return ()

    def verify(self, entries: Sequence[Entry], heads: Mapping[str, bytes]) -> str:
        return "the entries say all"
