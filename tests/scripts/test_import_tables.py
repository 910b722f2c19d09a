"""Reading tables of every form, hostile ones too."""

from __future__ import annotations

import io
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.errors import BadInput, ConfigurationError, TooLarge
from ledger.tables import MAX_ROW_BYTES, Row, Table, open_table


def table(data: bytes, suffix: str = ".csv") -> Table:
    return open_table(io.BytesIO(data), suffix)


def rows(data: bytes, suffix: str = ".csv") -> list[Row]:
    return list(table(data, suffix).rows)


def values(data: bytes, suffix: str = ".csv") -> list[dict[str, object]]:
    return [dict(row.values) for row in rows(data, suffix)]


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
@pytest.mark.parametrize("mark", [b",", b";"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_table_is_read_with_either_separator_and_with_a_bom_or_none(start: bytes, mark: bytes, end: bytes) -> None:
    lines = [[b"id", b"name"], [b"1", '"Siti, Wati; é"'.encode()], [b"2", b'"two\nlines ""x"""']]
    data = start + b"".join(mark.join(cells) + end for cells in lines)
    assert values(data) == [{"id": "1", "name": "Siti, Wati; é"}, {"id": "2", "name": 'two\nlines "x"'}]
    assert [(row.number, row.line) for row in rows(data)] == [(1, 2), (2, 4)]


def test_empty_cells_and_blank_lines_are_nothing() -> None:
    assert values(b"a,b\n\n1,\n\n") == [{"a": "1"}]


def test_the_head_and_the_rows_as_they_stand_are_the_file() -> None:
    data = b'\xef\xbb\xbfa;b\r\n1;"x\r\ny"\r\n2;\xff\r\n'
    read = table(data)
    assert read.head + b"".join(row.raw for row in read.rows) == data


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no header"),
        (b"\n", "no header"),
        (b"a,,c\n", "Column 2 of the header has no name"),
        (b"a,b,a\n", "Columns 1 and 3 have the same name"),
        (b"a,\xff\n", "Column 2 of the header has no name in plain UTF-8"),
        (b"a,b\x00\n", "Column 2"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b'"a,b\n1,2\n', "header in line 1 cannot be read"),
        (b'a,b\n1,"x\n' + b"y\n" * 5, "not CSV"),
        (b'a,b\n1,"x"y\n', "Line 2 is not CSV"),
    ],
)
def test_a_file_that_is_no_table_is_refused_where_it_breaks(data: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        rows(data)


def test_a_million_columns_are_refused() -> None:
    with pytest.raises(TooLarge, match="longer than"):
        table(b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n")
    with pytest.raises(TooLarge, match="1,000 columns"):
        table(b",".join(b"c%d" % n for n in range(1_000)) + b"\n")


class OneLongLine(io.RawIOBase):
    """A file whose second line has 100 MB; it tells how much of it was read."""

    def __init__(self) -> None:
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        start = b"id\n"[self.taken :] if self.taken < 3 else b""
        size = len(start) or min(len(buffer), 100_000_000 - self.taken)
        buffer[:size] = start or b"x" * size
        self.taken += size
        return size


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_line_without_end_is_not_read_to_its_end(suffix: str) -> None:
    file = OneLongLine()
    with pytest.raises(TooLarge, match="longer than"):
        list(open_table(io.BufferedReader(file), suffix).rows)
    assert file.taken < 2 * MAX_ROW_BYTES


def test_a_quotation_that_is_never_closed_is_not_read_to_its_end() -> None:
    with pytest.raises(BadInput, match="not CSV"):
        rows(b'a,b\n1,"' + b"x\n" * 2_000_000)


def test_ragged_rows_and_wrong_encoding_are_told_of_their_rows_and_the_rest_is_read() -> None:
    read = rows(b"id,name\n1\n2,a,b\n3,Andr\xe9\n4,NUL\x00\n5,good\n")
    assert [row.problems for row in read] == [
        (("", "The row has 1 cells, the header 2."),),
        (("", "The row has 3 cells, the header 2."),),
        (("name", "Its text is not UTF-8."),),
        (),
        (),
    ]
    assert read[4].values == {"id": "5", "name": "good"}


def test_json_numbers_stay_as_they_are_written() -> None:
    line = b'{"amount": 1250000.00, "count": 12345678901234567890123, "name": "a", "none": null, "empty": ""}\n'
    assert values(line, ".jsonl") == [{"amount": "1250000.00", "count": "12345678901234567890123", "name": "a"}]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b"nonsense", "The line is not JSON."),
        (b"[" * 100_000, "The line is not JSON."),
        (b"[1]", "The line is no JSON object."),
        (b'{"a": "1", "a": "2"}', "The object names a key twice."),
        (b'{"a": "\\ud800"}', "Its text is not UTF-8."),
        (b'{"a": "\xff"}', "Its text is not UTF-8."),
        (
            b"{" + b",".join(b'"k%d":"1"' % n for n in range(600)) + b"}",
            "The object has 600 keys; at most 500 are read.",
        ),
    ],
)
def test_a_line_that_is_no_object_is_told_and_the_next_is_read(line: bytes, rule: str) -> None:
    read = rows(line + b'\n\n{"a": "good"}', ".jsonl")
    assert [rule_ for _, rule_ in read[0].problems] == [rule]
    assert read[1] == Row(2, 3, {"a": "good"}, b'{"a": "good"}\n')


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(BadInput, match=r"'\.xlsx' is no format"):
        table(b"", ".xlsx")


def test_parquet_gives_exact_values_as_text(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {
        "id": [1, 2],
        "name": ["Siti", None],
        "amount": [Decimal("1250000.00"), Decimal("0.50")],
        "day": [date(2025, 1, 2), None],
        "share": [0.1, None],
        "moment": [datetime(2025, 1, 2), None],
        "list": [["a"], None],
    }
    path = tmp_path / "t.parquet"
    parquet.write_table(arrow.table(columns), path)
    with path.open("rb") as file:
        read = open_table(file, ".parquet")
        assert read.columns == tuple(columns)
        first, second = read.rows
    assert first.values == {
        "id": "1",
        "name": "Siti",
        "amount": "1250000.00",
        "day": "2025-01-02",
        "share": 0.1,
        "moment": datetime(2025, 1, 2),
        "list": ["a"],
    }
    assert second.values == {"id": "2", "amount": "0.50"} and second.raw == b'{"id": "2", "amount": "0.50"}\n'


def test_what_is_not_parquet_is_refused() -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(BadInput, match="not Parquet"):
        table(b"id,name\n1,2\n", ".parquet")


def test_parquet_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigurationError, match="pyarrow") as caught:
        table(b"", ".parquet")
    assert "khalayak[parquet]" in caught.value.hint
