"""Tables of a legacy registry, read a row at a time: CSV with a header, JSON Lines, Parquet.

What is wrong with one row is told of that row, and the next is read; what makes the rest unreadable is raised.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO

from ledger.errors import BadInput, ConfigurationError, TooLarge

MAX_ROW_BYTES = 1 << 20
MAX_COLUMNS = 500
_BATCH = 1_000

Problem = tuple[str, str]  # column, or "" for the whole row; and the rule that it breaks


@dataclass(frozen=True)
class Row:
    """`number` counts rows of data from 1, `line` is where the row ends (0 in Parquet). `values` hold what is neither
    empty nor null, numbers as they are written. `raw` is the row as it stands in the file; of Parquet, as JSON."""

    number: int
    line: int
    values: Mapping[str, Any]
    raw: bytes
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Table:
    """`columns` is empty where each row names its own. `head` is what stands before the first row. A file of `head`
    and any rows' `raw`, named with `suffix`, is a table again."""

    columns: tuple[str, ...]
    rows: Iterator[Row]
    suffix: str
    head: bytes = b""


def open_table(file: BinaryIO, suffix: str) -> Table:
    """The table in a file whose name ends so. Its rows are read while they are asked for, and raise BadInput or
    TooLarge where the rest cannot be read. Raises BadInput, TooLarge, ConfigurationError (Parquet is not installed)."""
    if suffix.lower() not in FORMATS:
        raise BadInput(f"{suffix[:20]!r} is no format of a table.", f"Known: {', '.join(FORMATS)}.")
    return FORMATS[suffix.lower()](file)


class _Lines:
    """Lines of a UTF-8 file. Bytes that are not UTF-8 come as lone surrogates, so that the row can be named."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.number = 0
        self.size = 0  # bytes of `raw`
        self.raw: list[bytes] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.file.readline(MAX_ROW_BYTES + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self.raw.append(line)
        self.size += len(line)
        if self.size > MAX_ROW_BYTES:
            raise TooLarge(
                f"The row at line {self.number} is longer than {MAX_ROW_BYTES:,} bytes.",
                "Is a quotation mark open, or is this no table?",
            )
        if self.number == 1 and line[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise BadInput("The file is in UTF-16.", "Save it as UTF-8.")
        return line.decode("utf-8-sig" if self.number == 1 else "utf-8", "surrogateescape")

    def take(self) -> bytes:
        """The bytes that were read since the last time."""
        taken = b"".join(self.raw)
        self.raw.clear()
        self.size = 0
        return taken


def _csv(file: BinaryIO) -> Table:
    lines = _Lines(file)
    first = next(lines, "")
    try:
        by_mark = {mark: next(csv.reader([first], delimiter=mark, strict=True), []) for mark in ",;"}
    except csv.Error as error:
        raise BadInput(f"The header in line 1 cannot be read: {error}.", "The header is one line.") from None
    mark = max(by_mark, key=lambda mark: len(by_mark[mark]))
    columns = _columns(by_mark[mark])

    def rows() -> Iterator[Row]:
        reader, number = csv.reader(lines, delimiter=mark, strict=True), 0
        try:
            for cells in reader:
                raw = lines.take()
                if not cells:
                    continue
                number += 1
                values = {name: cell for name, cell in zip(columns, cells, strict=False) if cell}
                if len(cells) == len(columns):
                    problems = _not_unicode(values)
                else:
                    problems = (("", f"The row has {len(cells)} cells, the header {len(columns)}."),)
                yield Row(number, lines.number, values, raw, problems)
        except csv.Error as error:
            # Where a quotation ends is lost here, so no row after this one is sure.
            raise BadInput(f"Line {lines.number} is not CSV: {error}.", "Check its quotation marks.") from None

    return Table(columns, rows(), ".csv", lines.take())


def _columns(names: list[str]) -> tuple[str, ...]:
    """The header's names, checked. Messages name columns by their place: without a header, names are people's data."""
    if not any(names):
        raise BadInput("The file has no header.", "Its first line names the columns.")
    if len(names) > MAX_COLUMNS:
        raise TooLarge(f"The table has {len(names):,} columns; at most {MAX_COLUMNS} are read.")
    columns = tuple(name.strip() for name in names)
    for place, name in enumerate(columns, 1):
        if not name or not name.isprintable():
            raise BadInput(f"Column {place} of the header has no name in plain UTF-8.", "Name every column.")
        if columns.index(name) < place - 1:
            raise BadInput(f"Columns {columns.index(name) + 1} and {place} have the same name.", "Rename one.")
    return columns


def _json_lines(file: BinaryIO) -> Table:
    def rows() -> Iterator[Row]:
        lines, number = _Lines(file), 0
        for line in lines:
            raw = lines.take()
            if not line.strip():
                continue
            number += 1
            values, problems = _object(line)
            yield Row(number, lines.number, values, raw if raw.endswith(b"\n") else raw + b"\n", problems)

    return Table((), rows(), ".jsonl")


def _object(line: str) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    try:
        # Numbers stay as they are written: 1250000.00 has its two decimals, and no digit is rounded.
        pairs = json.loads(line, object_pairs_hook=_Pairs, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return {}, (("", "The line is not JSON."),)
    if not isinstance(pairs, _Pairs):
        return {}, (("", "The line is no JSON object."),)
    values = dict(pairs)
    if len(values) < len(pairs):
        return {}, (("", "The object names a key twice."),)
    if len(values) > MAX_COLUMNS:
        return {}, (("", f"The object has {len(values):,} keys; at most {MAX_COLUMNS} are read."),)
    given = {name: value for name, value in values.items() if value is not None and value != ""}
    return given, _not_unicode(given)


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as it is written; a value of this type is a nested one."""


def _parquet(file: BinaryIO) -> Table:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise ConfigurationError(
            "Parquet is read with the package pyarrow, which is not installed.",
            "Install khalayak[parquet], or export the table as CSV.",
        ) from None
    try:
        source = ParquetFile(file)
        columns = _columns(source.schema_arrow.names)
    except (ArrowException, OSError):
        raise BadInput("The file is not Parquet.", "Check that it is whole.") from None

    def rows() -> Iterator[Row]:
        number = 0
        try:
            for batch in source.iter_batches(_BATCH):
                for given in batch.to_pylist():
                    number += 1
                    values = {name: _text(value) for name, value in given.items() if value not in (None, "")}
                    raw = json.dumps(values, ensure_ascii=False, default=str).encode() + b"\n"
                    yield Row(number, 0, values, raw)
        except (ArrowException, OSError, UnicodeDecodeError):
            raise BadInput(f"The file cannot be read after row {number}.", "Check that it is whole.") from None

    return Table(columns, rows(), ".jsonl")


def _text(value: Any) -> Any:
    """Exact values as text; a binary fraction has no decimal form of its own, so it stays what no schema takes."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return str(value) if type(value) is int else value


def _not_unicode(values: Mapping[str, Any]) -> tuple[Problem, ...]:
    return tuple((name, "Its text is not UTF-8.") for name, value in values.items() if not _is_unicode(name, value))


def _is_unicode(*texts: Any) -> bool:
    try:
        for text in texts:
            if isinstance(text, str) and not text.isascii():
                text.encode()
    except UnicodeEncodeError:
        return False
    return True


FORMATS: Mapping[str, Callable[[BinaryIO], Table]] = {
    ".csv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}
