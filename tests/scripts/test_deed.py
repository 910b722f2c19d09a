"""The sample deed: what the demo puts into the land register."""

from __future__ import annotations

import io
import json

import pytest
from pypdf import PdfReader

from ledger.registers.land import SCHEMA
from scripts.samples.build import HERE, PDF, compile_deed

FIELDS = json.loads((HERE / "deed.json").read_text())


@pytest.fixture(scope="module")
def pages() -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(PDF.read_bytes()), strict=True).pages]


def test_the_committed_deed_is_what_its_source_compiles_to() -> None:
    assert compile_deed() == PDF.read_bytes()


def test_the_deed_has_four_pages_that_count_themselves(pages: list[str]) -> None:
    assert len(pages) == 4
    assert all(f"Halaman {number} dari 4" in page for number, page in enumerate(pages, 1))


def test_every_page_names_the_parcel_and_says_that_it_is_a_specimen(pages: list[str]) -> None:
    assert all(FIELDS["nib"] in page and "SPECIMEN" in page for page in pages)


def test_the_deed_says_what_its_fields_say(pages: list[str]) -> None:
    text = " ".join(" ".join(pages).split())
    for value in (
        FIELDS["holder"],
        FIELDS["right"],
        FIELDS["location"],
        FIELDS["area"].replace(".", ","),
        "14 Maret 1979",
    ):
        assert value in text


def test_the_fields_fit_the_land_register() -> None:
    assert FIELDS["schema"] == SCHEMA.id
    SCHEMA.validate({name: value for name, value in FIELDS.items() if name != "schema"})
