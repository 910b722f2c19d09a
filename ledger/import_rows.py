"""From a row of a legacy registry to a record: which column is which field, and every rule that a row breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger.batch_entry import NOTHING
from ledger.change_checks import MAX_DOCUMENT_BYTES, check_pdf
from ledger.encoding import canonical_json, parse_address, to_hex
from ledger.errors import BadInput
from ledger.registers import register_of_kind
from ledger.registers.base import Register
from ledger.registers.forms import NONE, Change, Form, RecordRequest
from ledger.tables import Problem, Row, Table

HOLDER, DOCUMENT = "holderAddress", "document"  # columns beside the fields of a schema


@dataclass(frozen=True)
class Options:
    """What is imported and how. `mapping` leads from fields to columns where their names differ; the columns `left_out`
    are not imported; with `skip_bad` the good rows are, although others are bad."""

    kind: str
    action: str
    mapping: Mapping[str, str]
    left_out: frozenset[str] = frozenset()
    skip_bad: bool = False

    def import_id(self, source: bytes) -> str:
        """Which import this is: the same file (its SHA-256) with the same options. 32 hex digits."""
        parts = [self.kind, self.action, dict(self.mapping), sorted(self.left_out), self.skip_bad]
        return sha256(canonical_json([to_hex(source), *parts])).hexdigest()[:32]


@dataclass(frozen=True)
class Candidate:
    """A record as a row gives it. `document` is a path relative to the file, or empty; `size` its bytes."""

    fields: Mapping[str, str]
    holder: str
    document: str
    size: int


def importable(register: Register) -> dict[str, Form]:
    """The actions that only bring new records, and many of them."""
    many = {name: form for name, form in register.forms.items() if form.records[1] > 1 and not form.asks}
    return {name: form for name, form in many.items() if form.subjects == NONE}


def key_of(register: Register, record_id: bytes, values: Mapping[str, Any]) -> bytes:
    """What no two records may share: the record id, with a number where many records have one. 32 bytes."""
    if not register.key_fields:
        return record_id
    return sha256(record_id + canonical_json([values[name] for name in register.key_fields])).digest()


class RowReader:
    """Reads the rows of one table. `folder` is where the file lies."""

    def __init__(self, options: Options, folder: Path) -> None:
        """Raises BadInput for an action or a mapping that cannot be."""
        self.register = register_of_kind(options.kind)
        forms = importable(self.register)
        if options.action not in forms:
            raise BadInput(f"{options.action[:40]!r} does not import {options.kind}.", f"Known: {', '.join(forms)}.")
        self.form, self.options, self.folder = forms[options.action], options, folder.resolve()
        targets = [field.name for field in self.register.schema.fields]
        targets += [HOLDER] if self.form.holders else []
        targets += [DOCUMENT] if self.register.schema.document else []
        if unknown := sorted(options.mapping.keys() - set(targets)):
            raise BadInput(f"{unknown[0][:60]!r} is no field of {options.kind}.", f"Known: {', '.join(targets)}.")
        self.column = {name: options.mapping.get(name, name) for name in targets}
        self.target = {column: name for name, column in self.column.items()}
        if len(self.target) < len(self.column):
            raise BadInput("One column is mapped to two fields.", "Map each column once.")
        drawn = self.register.prepared(Change(options.action, [RecordRequest({})])).records[0].fields
        self.drawn = set(drawn)  # what the office itself adds where a row brings none
        self._document = lru_cache(maxsize=1_000)(self._look_at_document)

    def check_columns(self, table: Table) -> None:
        """That a header names what is needed and nothing unexpected. Raises BadInput."""
        if not table.columns:
            return
        needed = {field.name for field in self.register.schema.fields if not field.optional} | (
            {HOLDER, DOCUMENT} & self.column.keys()
        )
        columns = set(table.columns)
        if not columns & self.target.keys():
            # Not one name fits, so this may be a first row of people's data: no name of it is repeated.
            raise BadInput(
                "The first line names no field of this register.",
                f"The file needs a header; columns of other names are mapped. Fields: {', '.join(self.column)}.",
            )
        if missing := sorted(name for name in needed - self.drawn if self.column[name] not in columns):
            named = ", ".join(f"{name} (from {self.column[name]})" for name in missing)
            raise BadInput(f"There is no column for {named}.", "Map it, as --map FIELD=COLUMN.")
        if unknown := sorted(columns - self.target.keys() - self.options.left_out):
            named = ", ".join(name[:60] for name in unknown[:20])
            raise BadInput(f"These columns are of no field: {named}.", "Map each to a field, or leave it out.")

    def read(self, row: Row) -> tuple[Candidate, list[Problem]]:
        """What a row gives, and all that is wrong with it, with names of columns and never a value."""
        values = {self.target[name]: value for name, value in row.values.items() if name in self.target}
        problems = list(row.problems)
        holder, document = (values.pop(name, "") for name in (HOLDER, DOCUMENT))
        candidate = Candidate(values, holder, document, 0)
        if any(not column for column, _ in problems):
            return candidate, problems  # its cells may be anywhere
        bad = {column for column, _ in problems}
        problems += [problem for problem in self._problems(row, values, holder) if problem[0] not in bad]
        if DOCUMENT in self.column and self.column[DOCUMENT] not in bad:
            size, problem = self._document(document)
            candidate = Candidate(values, holder, document, size)
            problems += [(self.column[DOCUMENT], problem)] if problem else []
        return candidate, problems

    def request(self, candidate: Candidate) -> RecordRequest:
        """With the document's bytes. Raises BadInput when it is gone."""
        if not candidate.document:
            return RecordRequest(candidate.fields, candidate.holder)
        try:
            return RecordRequest(candidate.fields, candidate.holder, (self.folder / candidate.document).read_bytes())
        except OSError:
            raise BadInput("A document that was there is gone.", "Put it back and import again.") from None

    def record_id(self, values: Mapping[str, str]) -> bytes | None:
        """Of a record that brings what its id is made of."""
        return self.register.record_id(values) if values.keys() >= set(self.register.subject_fields) else None

    def _problems(self, row: Row, values: Mapping[str, Any], holder: object) -> Iterator[Problem]:
        if unknown := row.values.keys() - self.target.keys() - self.options.left_out:
            yield "", f"{len(unknown)} key(s) are of no field and not left out."
        found = list(_of_schema(self.register, values, self.drawn))
        yield from ((self.column.get(name, ""), rule) for name, rule in found)
        if self.form.holders:
            try:
                parse_address(holder)
            except BadInput:
                yield self.column[HOLDER], "The address is missing." if holder == "" else "This is not an address."
        # Of other registers, the entry is made of these very fields.
        if not found and self.register.in_batches:
            said = self.register.disagreement(values, self.register.record_id(values), NOTHING)
            yield from [("", said)] if said else []

    def _look_at_document(self, name: object) -> tuple[int, str]:
        """Size in bytes, and what is wrong."""
        if not isinstance(name, str) or not name:
            return 0, "The document is missing."
        try:
            path = (self.folder / name).resolve()
            if not path.is_relative_to(self.folder):
                return 0, "The document lies outside the folder of the file."
            if not path.is_file():
                return 0, "There is no such document."
            size = path.stat().st_size
            if size <= MAX_DOCUMENT_BYTES:
                check_pdf(path.read_bytes())
        except BadInput as error:
            return 0, error.message
        except (OSError, ValueError):  # ValueError: a NUL in the name
            return 0, "The document cannot be read."
        return size, "" if size <= MAX_DOCUMENT_BYTES else "The document is too large."


def _of_schema(register: Register, values: Mapping[str, Any], drawn: Iterable[str]) -> Iterator[Problem]:
    for problem in register.schema.problems(values):
        name = problem.pointer.removeprefix("/fields").removeprefix("/")
        if not (name in drawn and name not in values):
            yield name, problem.message
