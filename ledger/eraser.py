"""The eraser: carries out what a register of erasures orders, once the chain cannot take it back.

It goes by the entries that were followed and not by applications, so that an office which was restored from a backup
erases again what was erased since.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import structlog

from ledger.dossiers import Dossiers
from ledger.encoding import RegisterName, from_hex, to_hex
from ledger.errors import NotFound, Refused
from ledger.holds import Holds
from ledger.model import RecordedEntry, Tombstone
from ledger.ports import DocumentStore, RecordStore
from ledger.registers import register_of_kind
from ledger.trust import TrustRoot

KIND = "erasures"

log = structlog.get_logger()


class Eraser:
    """Works on the office's own database, document store and dossiers."""

    def __init__(
        self, trust: TrustRoot, store: RecordStore, documents: DocumentStore, dossiers: Dossiers, holds: Holds
    ) -> None:
        self.registers = [str(trusted.name) for trusted in trust.registers if trusted.kind == KIND]
        self.store = store
        self.documents = documents
        self.dossiers = dossiers
        self.holds = holds
        self._held: set[bytes] = set()

    def run_once(self) -> None:
        """Destroy what was ordered since the last time, and then what is left of it in files. What a legal hold forbids
        waits until it is lifted. Raises Unavailable; after a crash anywhere the same call goes on."""
        self.holds.reconcile(self.store)  # first: a database from a backup may lack one
        for name in self.registers:
            for ordered in self.store.ordered_erasures(name):
                self._carry_out(name, ordered)
        self._finish()

    def _carry_out(self, name: str, ordered: RecordedEntry) -> None:
        receipt = from_hex(ordered.entry["root"], 32)
        register, erased, ground = self._named(name, receipt, ordered)
        tombstone = Tombstone(ordered.record_id, register, erased, ground, ordered.entry["time"], receipt)
        try:
            self.store.erase(tombstone)
        except Refused as error:
            if receipt not in self._held:
                log.warning("erasure waits", receipt=to_hex(receipt), reason=error.message)
            self._held.add(receipt)
            return
        log.info("erased", register=register, erased=to_hex(erased), receipt=to_hex(receipt))

    def _named(self, name: str, receipt: bytes, ordered: RecordedEntry) -> tuple[str, bytes, str]:
        """The register, what is erased of it, and the ground."""
        if subject := subject_of(self.store, name, receipt):
            return subject
        # The receipt came after the backup that this office was restored from. Its series says what it is about.
        definition = register_of_kind(KIND)
        for content in self.store.contents_until(ordered.entry["time"]):
            for erased in (content.record_id, content.digest):
                values = {"register": content.register.lower(), "erased": to_hex(erased)}
                if definition.record_id(values) == ordered.record_id:
                    return content.register, erased, ""
        return "", ordered.record_id, ""

    def _finish(self) -> None:
        unfinished = self.store.unfinished_erasures()
        if any(not tombstone.purged for tombstone in unfinished):
            self.store.compact()
        for tombstone in unfinished:
            self.store.note_erasure(replace(tombstone, purged=True))
        for tombstone in unfinished:
            for application_id in tombstone.applications:
                self._replace_dossier(application_id)
            for cid in tombstone.documents:
                self.documents.delete(cid)
            self.store.note_erasure(replace(tombstone, purged=True, documents=(), applications=()))

    def _replace_dossier(self, application_id: str) -> None:
        # One that the database got without a dossier has none; the next step of the dossiers makes it as it is now.
        with suppress(NotFound):
            self.dossiers.replace(self.store.dossier(application_id))


def subject_of(store: RecordStore, name: str, receipt: bytes) -> tuple[str, bytes, str] | None:
    """What a receipt in the register of erasures `name` says: the register, what is erased of it, and the ground. None
    where its content is not known, or erased itself."""
    for content in store.contents_of(name, receipt):
        values: Mapping[str, str] = {field["name"]: field["value"] for field in content.fields}
        if values:
            return str(RegisterName.parse(values["register"])), from_hex(values["erased"], 32), values["ground"]
    return None
