"""Re-anchoring: what an office had on a chain that is lost is applied for anew, at an office of another chain.

Contents keep their salts and documents their seals, so digests and CIDs stay the same. What one first entry cannot say
is named for the registrars, who approve every application as always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Any

from ledger import sealing
from ledger.applications import Applications
from ledger.content import Content
from ledger.encoding import from_hex, to_hex
from ledger.eraser import KIND as ERASURES
from ledger.errors import BadInput, Conflict, DocumentCorrupt, DocumentMissing, Refused
from ledger.model import Application, Place, RecordedEntry, StoredDocument
from ledger.ports import DocumentStore, RecordStore
from ledger.readers import document_key
from ledger.registers import register_of_kind
from ledger.registers.base import Register
from ledger.registers.forms import MAX_DOCUMENTS, Change, RecordRequest
from ledger.trust import TrustedRegister, TrustRoot

AS_IT_WAS = ("active",)
STILL_THERE = ("frozen", "suspended")  # a first entry is made, and what it lacks is named
PAGE = 1_000

Progress = Callable[[], None]  # called after each record or batch


@dataclass(frozen=True)
class OldOffice:
    """What is left of an office whose chain is lost. `private` are its own keys, which open its documents."""

    trust: TrustRoot
    store: RecordStore
    documents: DocumentStore
    private: Sequence[bytes]


@dataclass
class Reanchored:
    """The applications that wait for registrars or are under way; how many batches wait for one before them; and what
    registrars must look after, a line for a record each."""

    applications: list[str] = field(default_factory=list)
    waiting: int = 0
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Record:
    """What is to be applied for: a record's content, its holder and its sealed document."""

    head: bytes
    content: Content
    holder: str
    documents: Sequence[StoredDocument]


class Reanchoring:
    """Run it again as often as needed: keys made of the old heads say what was applied for already."""

    def __init__(self, old: OldOffice, desk: Applications) -> None:
        self.old = old
        self.desk = desk
        self.done = Reanchored()

    def run(self, progress: Progress) -> Reanchored:
        """Raises Unavailable, WalletError."""
        for hold in self.old.store.all_holds():
            if hold.until is None:
                kind = self.old.trust.register_named(hold.register).kind
                self.done.remarks.append(f"{kind} {to_hex(hold.record_id)}: had a legal hold; place it again")
        for trusted in self.old.trust.registers:
            register = register_of_kind(trusted.kind)
            if trusted.kind == ERASURES:
                continue  # orders about records of the old chain; what they erased is not there to be applied for
            if register.in_batches:
                self._batches(trusted, register, progress)
                continue
            chunk: list[_Record] = []
            for record in self._records(trusted, register):
                chunk.append(record)
                progress()
                if len(chunk) == MAX_DOCUMENTS:
                    self._issue(trusted.kind, chunk)
                    chunk = []
            if chunk:
                self._issue(trusted.kind, chunk)
        return self.done

    def _records(self, trusted: TrustedRegister, register: Register) -> Iterator[_Record]:
        """The newest state of every record that a first entry can tell, in the order of the old log."""
        for first in self._entries(str(trusted.name)):
            if first.entry["sequence"] != 1:
                continue
            history = self.old.store.history(str(trusted.name), first.record_id)
            newest = history[-1]
            if remark := _remark(register, newest):
                self.done.remarks.append(f"{trusted.kind} {to_hex(first.record_id)}: {remark}")
            if register.statuses[newest.entry["status"]] not in (*AS_IT_WAS, *STILL_THERE):
                continue
            content = self._content(trusted.kind, first.record_id, from_hex(newest.entry["digest"], 32))
            if content is not None:
                holder = newest.entry.get("holder", newest.entry.get("controller", ""))
                head = register.entry.from_json(newest.entry).head
                yield _Record(head, content, holder, self._documents(content))

    def _issue(self, kind: str, records: Sequence[_Record]) -> None:
        """All in one application; where the register takes them not together, each in its own."""
        try:
            self._submit(kind, "issue", records)
        except (BadInput, Conflict) as refusal:
            if len(records) == 1:
                self.done.remarks.append(f"{kind}, of old head {to_hex(records[0].head)}: {refusal.message}")
                return
            for record in records:
                self._issue(kind, [record])

    def _batches(self, trusted: TrustedRegister, register: Register, progress: Progress) -> None:
        """Every batch as it was, in the order of its series, each once the one before it is final."""
        ended = set[str]()
        for application_id in self.old.store.ids():
            application = self.old.store.application(application_id)
            if application.register != str(trusted.name) or application.state not in ("final", "certified"):
                continue
            if "series" not in application.payload:
                leaf = application.payload["records"][0]["recordId"]
                said = f"was corrected ({application.action}); correct it again"
                self.done.remarks.append(f"{trusted.kind} {leaf}: {said}")
                continue
            series = application.payload["series"]
            progress()
            if series in ended:
                self.done.waiting += 1
            elif not self._batch(trusted.kind, application):
                ended.add(series)

    def _batch(self, kind: str, old: Application) -> bool:
        """Whether the batch is on the new chain, so that the next one of its series may come."""
        records = []
        for record in old.payload["records"]:
            content = self._content(kind, from_hex(record["recordId"], 32), from_hex(record["digest"], 32))
            if content is None:
                return False
            head = sha256(bytes.fromhex(old.id)).digest()
            records.append(_Record(head, content, "", self._documents(content)))
        try:
            application = self._submit(kind, old.action, records)
        except (BadInput, Conflict) as refusal:
            self.done.remarks.append(f"{kind} batch of old application {old.id}: {refusal.message}")
            return False
        return application.state in ("final", "certified")

    def _submit(self, kind: str, action: str, records: Sequence[_Record]) -> Application:
        """One that failed or expired never reaches the chain, so the same is applied for anew."""
        name = sha256(b"".join(record.head for record in records)).hexdigest()
        for attempt in count():
            with self.desk.readers.sealing() as readers:
                documents = [self._wrapped(document, readers) for record in records for document in record.documents]
                change = Change(action, [_request(record) for record in records])
                contents = [record.content for record in records]
                application = self.desk.submit_sealed(kind, change, contents, documents, f"reanchor/{name}/{attempt}")
            expired = application.payload["deadline"] < self.desk.clock.now()
            if application.state not in ("refused", "failed") and not (application.state == "submitted" and expired):
                if application.state not in ("final", "certified"):
                    self.done.applications.append(application.id)
                return application
        raise AssertionError

    def _content(self, kind: str, record_id: bytes, digest: bytes) -> Content | None:
        found = self.old.store.content(digest)
        if found:
            return Content.from_json(found)
        self.done.remarks.append(f"{kind} {to_hex(record_id)}: the old office has no content of it, or erased it")
        return None

    def _documents(self, content: Content) -> list[StoredDocument]:
        values = [item.value for item in content.fields if item.name == "document"]
        return [self.old.store.document(value["cid"]) for value in values]

    def _wrapped(self, document: StoredDocument, readers: Mapping[str, bytes]) -> StoredDocument:
        """The same sealed document, in the new office's store and for its readers too."""
        try:
            key = document_key(document, self.old.private)
            sealed = self.old.documents.get(document.cid, document.size + document.size // 100 + 65_536)
        except (DocumentMissing, DocumentCorrupt, Refused) as error:
            self.done.remarks.append(f"document {document.cid}: {error.message}")
            return document
        self.desk.documents.put(sealed)
        own = {name: sealing.wrap(key, public, document.cid) for name, public in readers.items()}
        return StoredDocument(
            document.cid, document.sha256, document.size, document.media_type, {**document.wraps, **own}
        )

    def _entries(self, register: str) -> Iterator[RecordedEntry]:
        after: Place | None = None
        while page := self.old.store.entries(register, after=after, limit=PAGE):
            yield from page
            after = Place(page[-1].block_number, page[-1].log_index)
            if len(page) < PAGE:
                return


def _remark(register: Register, newest: RecordedEntry) -> str:
    """What a first entry would not say of a record, in words; empty if nothing."""
    entry: Mapping[str, Any] = newest.entry
    status = register.statuses[entry["status"]]
    said = []
    if status in STILL_THERE:
        said.append(f"was {status}; do it again")
    elif status not in AS_IT_WAS:
        said.append(f"was {status}; it is not applied for")
    if entry.get("liens"):
        said.append(f"had {entry['liens']} lien(s); record them again before it moves")
    if int(entry.get("parents", "0x0"), 16):
        said.append("was made from other parcels; a first entry does not say so")
    return ", ".join(said)


def _request(record: _Record) -> RecordRequest:
    values = {item.name: item.value for item in record.content.fields}
    return RecordRequest({n: v for n, v in values.items() if n not in ("schema", "document")}, record.holder)
