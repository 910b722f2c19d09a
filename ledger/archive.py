"""The part of a record store's port by which applications outlive their database, and what they were certified with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from ledger.model import Dossier, RecordedEntry, StoredCertificate


class ArchiveStore(Protocol):
    """See ledger.ports.RecordStore."""

    def dossier(self, application_id: str, *, accepted: bool = True) -> Dossier:
        """What is kept of an application, with the newest certificate of each of its records; without what came when it
        was `accepted` and approved, where that is not wanted. Raises NotFound."""

    def restore(self, dossier: Dossier, concluded: bool) -> bool:
        """Put back what a dossier holds, or bring on an application that has gone further since: to the state of the
        dossier, where that is an end or "final". False when neither is needed, and nothing is changed. `concluded`: the
        key ring holds how it ended."""

    def unkept(self, limit: int = 100) -> list[tuple[str, bool]]:
        """The ids of applications that ended, or came without `keep`, and were not marked as kept since; with each
        whether it came with `keep`."""

    def mark_kept(self, application_ids: Sequence[str], concluded: bool) -> None:
        """Note that the key ring holds how these were accepted and, if `concluded`, how they ended."""

    def ids(self) -> Iterator[str]:
        """Of all applications, oldest first, read while they are asked for."""

    def is_empty(self) -> bool:
        """Whether nothing was ever accepted or followed."""

    def certificates(self) -> Iterator[StoredCertificate]:
        """All of them, read while they are asked for."""

    def strange(self, register: str) -> Iterator[RecordedEntry]:
        """The entries of a register that no transaction of this office recorded."""

    def save_certificates(self, certificates: Sequence[StoredCertificate], certified: Sequence[str] = ()) -> None:
        """Keep certificates, each of a record at a head, the newest having the highest sequence; a second one for the
        same head replaces the first. With them these applications, which are final, become certified. Raises Conflict
        when one is not final."""

    def certificate(self, register: str, record_id: bytes, head: bytes | None = None) -> dict[str, Any] | None:
        """The newest one, or that of a head; None if there is none."""
