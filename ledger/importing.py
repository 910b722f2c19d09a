"""Bulk import: a table of a legacy registry becomes applications, each row in one of them, exactly once.

The first pass finds all that is wrong; the second submits chunks under keys made of the import's id, so that the same
command after a crash goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from itertools import count
from pathlib import Path
from typing import Any

from ledger.applications import Applications
from ledger.content import Content
from ledger.encoding import ZERO32, from_hex, to_hex
from ledger.errors import BadInput, Conflict, NotFound, Refused
from ledger.import_manifest import SCHEMA, signed
from ledger.import_rows import Options, RowReader, key_of
from ledger.import_spool import Chunk, RowError, Spool
from ledger.model import Application, RecordedEntry
from ledger.registers.forms import Change, RecordRequest
from ledger.tables import open_table
from wallet.signer import Signer

MAX_DOCUMENT_BYTES_A_CHUNK = 64_000_000  # held in memory while the chunk is submitted

Progress = Callable[[int], None]  # called with the number of rows that are done since the last call


@dataclass(frozen=True)
class Findings:
    """What the first pass found. `rows` is the sum of `good` and `bad` ones; a bad row has one error or more."""

    good: int
    bad: int
    errors: int

    @property
    def rows(self) -> int:
        return self.good + self.bad


class Import:
    """One import of one file. Close it to let go of what it remembers."""

    def __init__(self, applications: Applications, path: Path, options: Options) -> None:
        """Raises BadInput for options that cannot be and for a file that cannot be opened."""
        self.applications, self.path, self.options = applications, path, options
        self.trusted = applications.trust.register_of_kind(options.kind)
        self.reader = RowReader(options, path.parent)
        self.register = self.reader.register
        try:
            with path.open("rb") as file:
                self.source = file_digest(file, "sha256").digest()
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
        self.id = options.import_id(self.source)
        self.spool = Spool()

    def close(self) -> None:
        self.spool.close()

    def check(self, progress: Progress = lambda rows: None) -> Findings:
        """Check every row, against its schema, the other rows and what is recorded or applied for already. Raises
        BadInput where the file cannot be read, Unavailable."""
        with self.path.open("rb") as file:
            table = open_table(file, self.path.suffix)
            self.reader.check_columns(table)
            for row in table.rows:
                candidate, problems = self.reader.read(row)
                if problems:
                    self.spool.fail(row.number, row.line, problems)
                else:
                    record_id = self.reader.record_id(candidate.fields)
                    key = None if record_id is None else key_of(self.register, record_id, candidate.fields)
                    series = record_id or b"" if self.register.in_batches else b""
                    self.spool.add(row.number, row.line, series, key, candidate)
                progress(1)
        names = dict.fromkeys([*self.register.subject_fields, *self.register.key_fields])
        self.spool.settle(self._taken(), ", ".join(self.reader.column[name] for name in names))
        return Findings(*self.spool.counts())

    def errors(self) -> Iterator[RowError]:
        """All that `check` found, by row."""
        return self.spool.errors()

    def rejected(self) -> Iterator[bytes]:
        """The bad rows as a table of the same columns, to be corrected and imported again."""
        with self.path.open("rb") as file:
            table = open_table(file, self.path.suffix)
            bad, rows = self.spool.bad_rows(), table.rows
            yield table.head
            for number in bad:
                yield next(row.raw for row in rows if row.number == number)

    def submit(self, progress: Progress = lambda rows: None, verify: bool = False) -> dict[str, Any]:
        """Submit the good rows; the manifest. A series takes one batch at a time: what comes behind a batch that is
        not final waits, and the same import later submits it. With `verify` every application is compared with its
        rows, also those accepted earlier. Raises as Applications.submit, and Refused where one differs."""
        chunks, waiting, ended = list[dict[str, Any]](), 0, set[bytes]()
        for chunk in self.spool.chunks(self.reader.form.records[1], MAX_DOCUMENT_BYTES_A_CHUNK):
            if chunk.series in ended:
                waiting += len(chunk.rows)
                continue
            change = Change(self.options.action, [self.reader.request(candidate) for _, candidate in chunk.rows])
            application = self._submitted(chunk, change)
            if application is None:
                waiting += len(chunk.rows)
                ended.add(chunk.series)
                continue
            if verify:
                self._check_same(application, change)
            if self.register.in_batches and application.state not in ("final", "certified"):
                ended.add(chunk.series)
            chunks.append(self._line(chunk, application))
            progress(len(chunk.rows))
        return {
            "schema": SCHEMA,
            "import": self.id,
            "source": to_hex(self.source),
            "register": str(self.trusted.name),
            "kind": self.options.kind,
            "action": self.options.action,
            "rows": sum(line["rows"] for line in chunks),
            "waiting": waiting,
            "rejected": self.spool.counts()[1],
            "chunks": chunks,
            "signatures": [],
        }

    def approve(self, manifest: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
        """Sign, as a registrar, every application of the manifest that still needs it, and the manifest. Raises
        Refused, Conflict where an application is not the one listed, WalletError."""
        for line in manifest["chunks"]:
            application = self.applications.store.application(line["application"])
            data = self.applications.typed_data(application)
            if to_hex(data.digest()) != line["digest"]:
                raise Conflict(f"Application {application.id} is not the one of the manifest.", "Import again.")
            if "registrar" in self.applications.missing(application):
                self.applications.approve(application.id, signer.sign_typed(data), signer.address, "registrar")
        return signed(manifest, signer)

    def _taken(self) -> Iterator[Iterable[bytes]]:
        """The keys of records that others have brought or recorded, in parts; what this import has brought is its
        own."""
        store, name = self.applications.store, str(self.trusted.name)
        if self.register.in_batches:
            # Of a batch the chain holds leaves alone, which tell nobody their numbers.
            yield map(self._key_in, store.accepted(name, self.spool.series(), self._key()))
        else:
            yield from (store.taken(name, part, self._key()) for part in self.spool.key_parts())

    def _key_in(self, fields: Sequence[Mapping[str, Any]]) -> bytes:
        values = {field["name"]: field["value"] for field in fields}
        return key_of(self.register, self.register.record_id(values), values)

    def _key(self) -> str:
        return f"import/{self.id}/"

    def _submitted(self, chunk: Chunk, change: Change) -> Application | None:
        """The application of a chunk, now or earlier; None when its series does not take it yet. One that failed or
        expired never reaches the chain, so the same rows are submitted anew."""
        for attempt in count():
            key = f"{self._key()}{chunk.series.hex()[:16]}/{chunk.number}/{attempt}"
            try:
                application = self.applications.submit(self.options.kind, change, key).application
            except Conflict as error:
                if type(error) is Conflict and self.register.in_batches:
                    return None
                raise
            expired = application.payload["deadline"] < self.applications.clock.now()
            if application.state not in ("refused", "failed") and not (application.state == "submitted" and expired):
                return application
        raise AssertionError

    def _line(self, chunk: Chunk, application: Application) -> dict[str, Any]:
        data = self.applications.typed_data(application)
        root = data.message.get("root")
        return {
            "application": application.id,
            "rows": len(chunk.rows),
            "first": chunk.rows[0][0],
            "last": chunk.rows[-1][0],
            "digest": to_hex(data.digest()),
            **({"series": to_hex(chunk.series)} if chunk.series else {}),
            **({"root": to_hex(root)} if root else {}),
        }

    def _check_same(self, application: Application, change: Change) -> None:
        """That an application says what the rows say, whatever the database says of it. Raises Refused."""
        records = application.payload["records"]
        contents = self.applications.store.contents(from_hex(record["digest"], 32) for record in records)
        pairs = zip(records, change.records, strict=False)
        read = [self._as_request(contents, record, request) for record, request in pairs]
        whole = [request for request in read if request is not None]
        same = len(records) == len(whole) == len(change.records)
        if same:
            drafted = self.register.draft(Change(change.action, whole), _Nothing())
            same = drafted.get("series") == application.payload.get("series") and all(
                fresh.items() <= record.items() for fresh, record in zip(drafted["records"], records, strict=True)
            )
        if not same:
            raise Refused(f"Application {application.id} is not what the file says.", "Do not sign it; ask the office.")

    def _as_request(
        self, contents: Mapping[bytes, Any], record: Mapping[str, Any], request: RecordRequest
    ) -> RecordRequest | None:
        """What a record of an application says, or None where it is not what was asked for."""
        digest = from_hex(record["digest"], 32)
        content = Content.from_json(contents.get(digest, []))
        values = {field.name: field.value for field in content.fields if field.name != "schema"}
        document = values.pop("document", None)
        if content.digest != digest:
            return None
        if document and document["sha256"] != to_hex(sha256(request.document).digest()):
            return None
        drawn, given = self.reader.drawn, request.fields
        added = {name: value for name, value in values.items() if name in drawn and name not in given}
        return RecordRequest(values, request.holder) if values == {**given, **added} else None


class _Nothing:
    """A register of which nothing is known, to draft anew what an application says of new records."""

    def head(self, record_id: bytes) -> bytes:
        return ZERO32

    def heads(self, record_ids: Sequence[bytes]) -> list[bytes]:
        return [ZERO32] * len(record_ids)

    def history(self, record_id: bytes) -> list[RecordedEntry]:
        return []

    def revealed(self, commitment: bytes) -> Any:
        raise NotFound("Nothing is known.")

    def brought(self, record_id: bytes) -> Application:
        raise NotFound("Nothing is known.")

    def check_erasable(self, register: str, erased: bytes) -> None:
        return None
