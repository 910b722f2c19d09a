"""The made-up legacy registry."""

from __future__ import annotations

import io
from itertools import islice
from pathlib import Path

import pytest
from pypdf import PdfReader

from ledger.change_checks import check_pdf
from ledger.errors import BadInput
from ledger.import_rows import Options, RowReader, key_of
from ledger.tables import open_table
from scripts.samples import registry


@pytest.mark.parametrize("kind", registry.KINDS)
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_every_row_is_good_and_its_record_another(kind: str, form: str, tmp_path: Path) -> None:
    path = tmp_path / f"registry.{form}"
    registry.write(path, kind, 500, form)
    action = "issue" if kind in ("land", "identity") else "append"
    reader, keys = RowReader(Options(kind, action, {}), tmp_path), set()
    with path.open("rb") as file:
        table = open_table(file, path.suffix)
        reader.check_columns(table)
        for row in table.rows:
            candidate, problems = reader.read(row)
            assert problems == []
            record_id = reader.record_id(candidate.fields)
            assert record_id
            keys.add(key_of(reader.register, record_id, candidate.fields))
    assert len(keys) == 500


@pytest.mark.parametrize("kind", registry.KINDS)
def test_the_same_seed_gives_the_same_rows_however_many_are_asked_for(kind: str) -> None:
    first = list(registry.rows(kind, 50, seed=7))
    assert first == list(islice(registry.rows(kind, 1000, seed=7), 50)) != list(registry.rows(kind, 50, seed=8))


def test_the_document_is_a_whole_pdf_of_one_page() -> None:
    check_pdf(registry.DEED)
    assert len(PdfReader(io.BytesIO(registry.DEED), strict=True).pages) == 1


def test_another_kind_or_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        registry.write(tmp_path / "x", "roads", 1)
    with pytest.raises(BadInput):
        registry.write(tmp_path / "x", "land", 1, "xlsx")
