"""`khalayak import` at a real office: what it refuses, and what it says then."""

from __future__ import annotations

import json
import stat
from collections import Counter

import pytest

from tests.importer import Importer, errors


def test_every_error_is_told_by_row_column_and_rule_and_never_with_its_value(desk: Importer) -> None:
    rows = [
        desk.row(),
        desk.row(amount="SECRET", currency="SECRET"),
        b"SECRET,id-bps\n",
        desk.row(supplier="SECRET\x00"),
        desk.row(date="2025-04-01"),
        {**desk.row(), "id": ""},
        b"T-99,id-bps,2025-03,2025-03-09,SECRET\xff,IDR,5.00\n",
    ]
    path, before = desk.table(*rows), desk.applications()
    said = desk.run("transactions", path, code=2)
    found = [(row, line, column) for row, line, column, _ in errors(path)]
    places = ("2 3 amount", "2 3 currency", "3 4 ", "4 5 supplier", "5 6 ", "6 7 id", "7 8 supplier")
    assert found == [tuple(place.split(" ")) for place in places]
    assert "7: 1 good, 6 bad" in said and "nothing was submitted" in said
    assert "SECRET" not in said and "SECRET" not in path.with_name(path.stem + ".errors.csv").read_text()
    assert desk.applications() == before


def test_a_dry_run_submits_nothing(desk: Importer) -> None:
    before = desk.applications()
    assert "1 good" in desk.run("transactions", desk.table(desk.row()), "--dry-run")
    assert desk.applications() == before


def test_rows_of_one_record_are_bad_all_of_them(desk: Importer) -> None:
    twice = desk.row()
    path = desk.table(twice, desk.row(), {**twice, "amount": "6.00"})
    desk.run("transactions", path, code=2)
    rule = "Other rows have the same record, the first is row 1."
    column = "buyer, period, id"
    assert errors(path) == [("1", "2", column, rule), ("3", "4", column, rule)]


def test_a_parcel_is_one_whether_its_number_has_dots_or_none(desk: Importer) -> None:
    path = desk.file("land", 1)
    line = path.read_text().splitlines()[1]
    number = line.partition(",")[0]
    with path.open("a") as file:
        file.write(line.replace(number, number.replace(".", "")) + "\n")
    desk.run("land", path, code=2)
    assert [error[:3] for error in errors(path)] == [("1", "2", "nib"), ("2", "3", "nib")]


@pytest.mark.parametrize("kind", ["land", "diplomas"])
def test_a_record_that_exists_is_an_error_of_its_row(desk: Importer, kind: str) -> None:
    path = desk.file(kind, 2)
    desk.run(kind, path)
    path.write_bytes(path.read_bytes() + b"\n")  # the same rows in another file are another import
    desk.run(kind, path, code=2)
    assert [(error[0], error[3]) for error in errors(path)] == [(n, "This record exists already.") for n in "12"]


def test_a_title_on_the_chain_that_this_office_knows_no_content_of_is_an_error_of_its_row(desk: Importer) -> None:
    path = desk.file("land", 1)
    said = desk.run("land", path, *desk.keystores, "--yes")
    desk.certify()
    assert "1 good" in said
    with desk.database() as database:
        application = desk.manifest(path)["chunks"][0]["application"]
        database.execute("DELETE FROM contents WHERE application_id = ?", (application,))
    path.write_bytes(path.read_bytes() + b"\n")
    desk.run("land", path, "--dry-run", code=2)
    assert [error[3] for error in errors(path)] == ["This record exists already."]


def test_bad_rows_are_put_aside_corrected_and_imported_again(desk: Importer) -> None:
    good, bad = desk.row(), desk.row(amount="5,00")
    bad["amount"] = '"5,00"'
    path = desk.table(good, bad)
    desk.run("transactions", path, "--skip-bad")
    rejected = path.with_name(path.stem + ".rejected.csv")
    assert rejected.read_bytes().count(b"\n") == 2 and stat.S_IMODE(rejected.stat().st_mode) == 0o600
    assert desk.manifest(path)["rejected"] == 1
    rejected.write_bytes(rejected.read_bytes().replace(b'"5,00"', b"5.00"))
    assert "1 good, 0 bad" in desk.run("transactions", rejected, "--dry-run")
    desk.run("transactions", path, "--skip-bad")  # nothing more happens
    given = Counter(content["id"] for content in desk.contents("transactions"))
    assert given[good["id"]] == 1 and given[bad["id"]] == 0


def test_columns_of_other_names_are_mapped_or_left_out(desk: Importer) -> None:
    row = {**desk.row(), "NILAI": "7.00", "catatan": "SECRET"}
    path = desk.table(row, columns="id,buyer,period,date,supplier,currency,NILAI,catatan")
    assert "no column for amount" in desk.run("transactions", path, code=2)
    mapped = ("--map", "amount=NILAI")
    assert "of no field: catatan" in desk.run("transactions", path, *mapped, code=2)
    (desk.folder / "map.json").write_text('{"amount": "NILAI"}')
    desk.run("transactions", path, "--map-file", desk.folder / "map.json", "--leave-out", "catatan")
    (content,) = [content for content in desk.contents("transactions") if content["id"] == row["id"]]
    assert content["amount"] == "7.00" and "SECRET" not in json.dumps(content)
    assert "'nilai' is no field" in desk.run("transactions", path, "--map", "nilai=NILAI", code=2)
    assert "mapped to two fields" in desk.run("transactions", path, "--map", "amount=id", code=2)


def test_a_file_without_header_is_refused_without_a_word_of_it(desk: Importer) -> None:
    path = desk.folder / "bare.csv"
    path.write_text("SECRET-1,id-bps,2025-03\nSECRET-2,id-bps,2025-03\n")
    said = desk.run("transactions", path, code=2)
    assert "names no field" in said and "SECRET" not in said


def test_a_formula_is_text_and_no_cell_of_the_report(desk: Importer) -> None:
    formula = "=HYPERLINK(1)"
    path = desk.table({**desk.row(), "=X": "1"}, columns="id,buyer,period,date,supplier,currency,=X")
    desk.run("transactions", path, "--map", "amount==X", code=2)
    assert [error[2] for error in errors(path)] == ["'=X"]
    row = desk.row(supplier=formula)
    desk.run("transactions", desk.table(row))
    assert [c["supplier"] for c in desk.contents("transactions") if c["id"] == row["id"]] == [formula]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "The document is missing."),
        ("none.pdf", "There is no such document."),
        ("../map.pdf", "The document lies outside the folder of the file."),
        ("/etc/passwd", "The document lies outside the folder of the file."),
        ("registry.csv", "The document is not a whole PDF."),
        ("link.pdf", "The document lies outside the folder of the file."),
    ],
)
def test_a_document_is_a_pdf_beside_the_file(desk: Importer, name: str, rule: str) -> None:
    path = desk.file("land", 1)
    (path.parent / "link.pdf").symlink_to("/etc/passwd")
    path.write_text(path.read_text().replace("deed.pdf", name))
    desk.run("land", path, code=2)
    assert errors(path) == [("1", "2", "document", rule)]


def test_an_action_that_imports_nothing_is_refused(desk: Importer) -> None:
    path = desk.table(desk.row())
    assert "does not import land" in desk.run("land", path, "--action", "split", code=2)
    assert "is not a kind" in desk.run("roads", path, code=2)
