"""The part of a record store's port by which contents and documents are shared, found, held and erased."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from ledger.model import Application, HeldContent, Hold, RecordedEntry, StoredDocument, Tombstone


class CustodyStore(Protocol):
    """See ledger.ports.RecordStore."""

    def document(self, cid: str) -> StoredDocument:
        """Raises NotFound."""

    def documents(self, after: str = "", limit: int = 1_000) -> list[StoredDocument]:
        """The sealed documents by CID, from behind `after`."""

    def application_of_document(self, cid: str) -> str:
        """The id of the application that brought a document. Reads every content. Raises NotFound."""

    def rewrap(self, changes: Iterable[tuple[StoredDocument, Mapping[str, bytes]]]) -> int:
        """Give documents other wraps, all or none of them; how many. One whose wraps are no longer those that are
        shown, because they were changed or erased meanwhile, is left as it is."""

    def content(self, digest: bytes) -> list[dict[str, Any]] | None:
        """The fields [{"salt", "name", "value"}] of the accepted content whose digest this is, or None."""

    def contents(self, digests: Iterable[bytes]) -> dict[bytes, list[dict[str, Any]]]:
        """The same of many, by digest; what is not known is left out."""

    def application_of_content(self, digest: bytes) -> Application | None:
        """The application that brought this content, or None."""

    def first_application_of(self, register: str, record_id: bytes) -> Application | None:
        """The oldest application that brought content of this record and was not refused, or None."""

    def accepted(self, register: str, but_of: str) -> Iterator[tuple[bytes, list[dict[str, Any]]]]:
        """Record id and fields of every content of a register whose application was not refused and did not fail, but
        for applications whose idempotency key begins with `but_of`. In no order, read while they are asked for."""

    def contents_of(self, register: str, erased: bytes) -> list[HeldContent]:
        """The contents of a record, or the one whose digest this is, oldest first; erased ones too, without fields."""

    def contents_until(self, time: int) -> Iterator[HeldContent]:
        """Every content that was accepted by then (seconds since 1970), oldest first, but for those that were
        erased."""

    def contents_without_index(self, limit: int = 1_000) -> list[HeldContent]:
        """Some of those that are not in the index of persons yet."""

    def add_to_index(self, hmacs: Mapping[bytes, Sequence[bytes]]) -> None:
        """Let contents, by digest, be found by these (32 bytes each). What was erased meanwhile is left out."""

    def contents_about(self, hmacs: Collection[bytes]) -> list[HeldContent]:
        """The contents that are found by all of these, oldest first."""

    def forget_index(self) -> None:
        """Empty the index of persons, so that it is made anew."""

    def place_hold(self, hold: Hold, keep: Callable[[], None] | None = None) -> None:
        """Raises Refused where one stands on the record. `keep` is called before it is saved, as in add_application."""

    def lift_hold(self, hold: Hold, keep: Callable[[], None] | None = None) -> None:
        """Note who lifted a hold and when; `keep` as in place_hold. Raises Conflict when it does not stand any more."""

    def restore_hold(self, hold: Hold) -> bool:
        """Put back a hold, or note that one that stands was lifted. False where neither is needed."""

    def all_holds(self) -> list[Hold]:
        """All that were ever placed, oldest first."""

    def holds(self, register: str, record_ids: Collection[bytes]) -> list[Hold]:
        """All that were ever placed on these records, oldest first."""

    def ordered_erasures(self, register: str) -> list[RecordedEntry]:
        """The batches of a register of erasures, in the order of the log, that no tombstone says were carried out."""

    def erase(self, tombstone: Tombstone) -> Tombstone:
        """Destroy the contents that it names and that were accepted by its time, with their salts: fields, entries of
        the index, wraps of documents, certificates that disclose them, the reasons in applications about the record
        and the hashes of their requests. The digests stay. Answers with what is left to do filled in, and keeps that.
        Raises Refused, having done nothing, while a legal hold stands."""

    def erasure_of(self, digest: bytes) -> Tombstone | None:
        """The newest tombstone that names this content or its record."""

    def unfinished_erasures(self) -> list[Tombstone]:
        """Those that left something to do in files, documents or dossiers."""

    def compact(self) -> None:
        """Write the tables that held contents anew, so that no file of the database has what was erased."""

    def note_erasure(self, tombstone: Tombstone) -> None:
        """Save what is left to do."""
