"""Dossiers: what an office keeps of each application and the chain does not hold, so that it outlives the database.

A dossier lies in the document store, sealed with a key of its own; that key, wrapped for the office, is a line of the
key ring. Who has the store alone can read nothing; to erase is to overwrite a line (docs/adr/0010-dossiers.md).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from ledger import sealing
from ledger.dossier_form import plain, read, read_dossier, write_dossier
from ledger.errors import DocumentCorrupt, DocumentMissing, KhalayakError, NotFound
from ledger.key_ring import KeyRing, Line
from ledger.model import ENDED, Approval, Dossier
from ledger.ports import DocumentStore, RecordStore
from ledger.readers import OFFICE, ReaderKeys, opens, public_key, unwrap

MAX_BYTES = 256 << 20  # sealed, and unpacked
LEVEL = 1  # of zlib: salts and digests do not shrink, and a higher one takes twice the time for 3 %
LINES_A_STEP = 500


@dataclass(slots=True)
class _Kept:
    """Where the key ring tells of one application: of how it was accepted, under which key, and of how it ended."""

    accepted: int | None = None
    request: str = ""
    ended: int | None = None
    approvals: list[int] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)

    def add(self, line: Line, value: Mapping[str, Any]) -> None:
        if "approval" in value:
            self.approvals.append(line.offset)
            return
        part = "accepted" if value.get("part") == "accepted" else "ended"
        earlier = getattr(self, part)
        self.superseded += [] if earlier is None else [earlier]
        setattr(self, part, line.offset)
        self.request = value.get("request", self.request)


class Dossiers:
    """`readers` have the office's own keys."""

    def __init__(self, ring: KeyRing, documents: DocumentStore, readers: ReaderKeys) -> None:
        self.ring = ring
        self.documents = documents
        self.readers = readers

    def keep(self, dossier: Dossier) -> Callable[[], None]:
        """Put the dossier of an application that is to be accepted into the document store. The answer adds its line to
        the key ring, from when on it counts; call both while the readers are sealing. Both raise Unavailable."""
        line = self._sealed("accepted", dossier)
        return lambda: self.ring.append([line])

    def keep_approval(self, application_id: str, approval: Approval) -> None:
        """Signatures are public on the chain later, so they stand in the key ring as they are. Raises Unavailable."""
        self.ring.append([_approval_line(application_id, approval)])

    def run_once(self, store: RecordStore) -> None:
        """Keep how applications ended, and those whole that came to the database without a dossier. Raises
        Unavailable; what was kept twice then is the same twice."""
        while waiting := store.unkept():
            # Two in memory at a time, while one is packed and sealed: the contents may be ten thousand.
            with self.readers.sealing(), ThreadPoolExecutor(2) as pool:
                found = pool.map(lambda it: self._lines(store.dossier(it[0], accepted=not it[1]), it[1]), waiting)
                lines = [line for of_one in found for line in of_one]
                self.ring.append(lines)
            ended = {line["application"] for line in lines if line.get("part") == "ended"}
            for concluded in (True, False):
                if kept := [name for name, _ in waiting if (name in ended) is concluded]:
                    store.mark_kept(kept, concluded)

    def replace(self, dossier: Dossier) -> None:
        """Keep this instead of all that was kept of the application, which nobody can open any more then. Repeat it
        after a crash. Raises NotFound, Unavailable."""
        self._replace(self._kept(dossier.application.id), dossier)

    def _replace(self, kept: _Kept, dossier: Dossier) -> None:
        old = [offset for offset in (kept.accepted, kept.ended, *kept.superseded) if offset is not None]
        sealed = {line["cid"] for line in self.ring.at(old)}
        with self.readers.sealing():
            self.ring.append([line for line in self._lines(dossier, known=False) if "approval" not in line])
        self.ring.overwrite(old)
        for cid in sealed:
            self.documents.delete(cid)

    def rewrap(self, progress: Callable[[int], None]) -> int:
        """Wrap every dossier's key that the office's first key does not open for that one; how many were. Raises
        DocumentCorrupt where a wrap opens with none of its keys, Unavailable, WalletError."""
        private, found, step = self.readers.private(), 0, list[tuple[int, dict[str, Any]]]()
        for line in self.ring.lines():
            if line.value is not None and "key" in line.value and not _opens(line.value, private[0]):
                cid = line.value["cid"]
                key = unwrap(bytes.fromhex(line.value["key"]), private[1:], cid)
                step.append((line.offset, line.value | {"key": sealing.wrap(key, public_key(private[0]), cid).hex()}))
            if len(step) == LINES_A_STEP:
                self.ring.rewrite(step)
                found, step = found + len(step), []
                progress(LINES_A_STEP)
        if step:
            self.ring.rewrite(step)
        return found + len(step)

    def renew(self, store: RecordStore, progress: Callable[[int], None]) -> int:
        """Keep anew what holds a wrap of a document that the office's first key does not open; how many were. What
        cannot be read is left: no key of the office would open it. Raises Unavailable, WalletError."""
        private, found = self.readers.private(), 0
        for application_id, kept in self._indexed()[0].items():
            with suppress(DocumentMissing, DocumentCorrupt, NotFound):
                old = self._opened(kept, private, again=False)
                if all(OFFICE not in d.wraps or opens(d.wraps[OFFICE], private[0], d.cid) for d in old.documents):
                    continue
                self._replace(kept, store.dossier(application_id))
                found += 1
                progress(1)
        return found

    def read(self, application_id: str) -> Dossier:
        """Raises NotFound, DocumentMissing, DocumentCorrupt, Unavailable."""
        return self._opened(self._kept(application_id), self.readers.private(), again=False)

    def all(self) -> Iterator[tuple[str, Dossier | KhalayakError]]:
        """Every application in the order of acceptance, or why it cannot be read; a damaged line of the key ring is
        named by its number. Raises Unavailable, WalletError. Holds some 500 bytes an application in memory."""
        index, damaged = self._indexed()
        yield from ((f"line {n} of the key ring", DocumentCorrupt("The line is damaged.")) for n in damaged)
        owners = {kept.request: application_id for application_id, kept in index.items()}
        private = self.readers.private()
        for application_id, kept in index.items():
            again = owners[kept.request] != application_id
            if again and not kept.approvals and kept.ended is None:
                continue  # never accepted: the database failed, and the same request came again
            try:
                yield application_id, self._opened(kept, private, again)
            except (DocumentMissing, DocumentCorrupt, NotFound) as error:
                yield application_id, error

    def ended(self) -> set[str]:
        """The applications of which the key ring holds how they ended."""
        return {application_id for application_id, kept in self._indexed()[0].items() if kept.ended is not None}

    def _kept(self, application_id: str) -> _Kept:
        kept = self._indexed()[0].get(application_id)
        if kept is None or kept.accepted is None:
            raise NotFound(f"The key ring has no dossier of application {application_id}.")
        return kept

    def _indexed(self) -> tuple[dict[str, _Kept], list[int]]:
        """What the key ring holds by application, and the numbers of its damaged lines."""
        found, damaged = dict[str, _Kept](), list[int]()
        for line in self.ring.lines():
            if line.value is not None and "hold" in line.value:
                continue
            if line.value is None or not isinstance(line.value.get("application"), str):
                damaged.append(line.number)
            else:
                found.setdefault(line.value["application"], _Kept()).add(line, line.value)
        return found, damaged

    def _lines(self, dossier: Dossier, known: bool) -> list[dict[str, Any]]:
        """What the key ring is to hold of an application; without how it was accepted, where that is `known` to it."""
        lines = [] if known else [self._sealed("accepted", dossier)]
        if not known:
            lines += [_approval_line(dossier.application.id, approval) for approval in dossier.approvals]
        if dossier.application.state in ENDED:
            lines.append(self._sealed("ended", replace(dossier, contents=(), documents=(), approvals=())))
        return lines

    def _sealed(self, part: str, dossier: Dossier) -> dict[str, Any]:
        """The line of a dossier that is in the document store now."""
        key, sealed = sealing.seal(zlib.compress(write_dossier(dossier), LEVEL))
        cid = self.documents.put(sealed)
        line = {"application": dossier.application.id, "part": part, "cid": cid}
        line["key"] = sealing.wrap(key, public_key(self.readers.private()[0]), cid).hex()
        return line | ({"request": _request(dossier.idempotency_key)} if part == "accepted" else {})

    def _opened(self, kept: _Kept, private: Sequence[bytes], again: bool) -> Dossier:
        if kept.accepted is None:
            raise NotFound("The key ring has no dossier of it, but only what came later.")
        accepted, *rest = self.ring.at([kept.accepted, *kept.approvals])
        dossier = self._unsealed(accepted, private)
        if kept.ended is not None:
            (ended,) = self.ring.at([kept.ended])
            end = self._unsealed(ended, private)
            parts = {name: getattr(end, name) for name in ("application", "transactions", "certificates")}
            dossier = replace(dossier, **parts)
        given = dict[tuple[str, str], Approval]()
        for line in rest:
            approval = read(Approval, line["approval"])
            given.setdefault((approval.signer, approval.role), approval)
        key = f"superseded/{dossier.application.id}" if again else dossier.idempotency_key
        approvals = sorted(given.values(), key=lambda approval: (int(approval.signer, 16), approval.role))
        return replace(dossier, approvals=tuple(approvals), idempotency_key=key)

    def _unsealed(self, value: Mapping[str, Any], private: Sequence[bytes]) -> Dossier:
        try:
            key = unwrap(bytes.fromhex(value["key"]), private, value["cid"])
            unpacking = zlib.decompressobj()
            text = unpacking.decompress(sealing.unseal(key, self.documents.get(value["cid"], MAX_BYTES)), MAX_BYTES)
            return read_dossier(text)
        except (zlib.error, ValueError, LookupError, TypeError):
            raise DocumentCorrupt("What its line in the key ring leads to is no dossier.") from None


def _opens(line: Mapping[str, Any], private: bytes) -> bool:
    return opens(bytes.fromhex(line["key"]), private, line["cid"])


def _request(idempotency_key: str) -> str:
    return sha256(idempotency_key.encode()).hexdigest()[:32]


def _approval_line(application_id: str, approval: Approval) -> dict[str, Any]:
    return {"application": application_id, "approval": plain(approval)}
