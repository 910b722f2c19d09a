"""The PDF of a certificate, read with pypdf, which is not ours."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pypdf import PdfReader

from ledger.errors import BadInput
from ledger.printing.pdf import render
from ledger.verifier import verify
from tests.builders import BLOCK_NUMBER, HOLDER_NAME, NIB, REGISTRARS, World, as_bytes, content, trust_root

SITE = "https://kantor.example"
WORLD = World()
CERTIFICATE = as_bytes(WORLD.certificate())


def pdf_of(world: World, **options: Any) -> bytes:
    return render(as_bytes(world.certificate(**options)), trust_root(), SITE)


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return render(CERTIFICATE, trust_root(), SITE, "KHALAYAK1:" + "A1" * 500)


@pytest.fixture(scope="module")
def reader(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf), strict=True)


def words(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf), strict=True).pages).split())


def test_the_same_certificate_makes_the_same_bytes(pdf: bytes) -> None:
    assert render(CERTIFICATE, trust_root(), SITE, "KHALAYAK1:" + "A1" * 500) == pdf


def test_it_is_a_pdf_a_3_that_carries_the_file_as_it_is(reader: PdfReader) -> None:
    metadata: Any = reader.xmp_metadata
    assert (metadata.pdfaid_part, metadata.pdfaid_conformance) == ("3", "B")
    root: Any = reader.trailer["/Root"]
    assert root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    (attached,) = [reference.get_object() for reference in root["/AF"]]
    assert (attached["/AFRelationship"], attached["/UF"]) == ("/Data", "certificate.json")
    assert attached["/EF"]["/F"].get_object()["/Subtype"] == "/application/json"
    assert reader.attachments["certificate.json"] == [CERTIFICATE]


def test_every_font_is_embedded_and_nothing_runs(reader: PdfReader) -> None:
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]
    for font in fonts:
        for descendant in font["/DescendantFonts"]:
            assert {"/FontFile2", "/FontFile3"} & descendant.get_object()["/FontDescriptor"].get_object().keys()
    assert fonts
    root: Any = reader.trailer["/Root"]
    assert not {"/OpenAction", "/AA", "/AcroForm"} & root.keys()


def test_the_parcel_number_stands_first_and_the_rest_is_said(pdf: bytes, reader: PdfReader) -> None:
    assert reader.pages[0].extract_text().splitlines()[1] == NIB
    text = words(pdf)
    head = "0x" + WORLD.history[-1].head.hex()
    for said in (HOLDER_NAME, "412.50", "BERLAKU / VALID: active, no lien", f"as of block {BLOCK_NUMBER}", head):
        assert said in text
    for said in (*REGISTRARS, "Edition 2", "A print is not proof", "Cetakan ini bukan bukti", "Compare the name"):
        assert said in text


def test_a_withheld_field_is_not_printed_and_that_is_said() -> None:
    text = words(pdf_of(WORLD, disclosed=["schema", "nib", "right", "area", "validity"]))
    assert HOLDER_NAME not in text and "Other fields are withheld" in text


def test_no_link_names_a_person_and_the_edition_stays_with_the_reader(pdf: bytes) -> None:
    text = words(pdf).replace(" ", "")
    assert f"{SITE}/r/land/0x" in text and "edition=" not in text.split(SITE)[1]


@pytest.mark.parametrize(
    "value",
    [
        "#panic()",
        "*x* _y_ $z$ `raw`",
        '"; #import "/etc/passwd"',
        '\\#read("/etc/passwd")',
        "<label> @ref // /* [",
        "= 1",
    ],
)
def test_fields_are_printed_and_never_obeyed(value: str) -> None:
    assert "".join(value.split()) in "".join(words(pdf_of(World(content(holder=value)))).split())


def test_characters_without_a_glyph_are_written_as_numbers() -> None:
    text = words(pdf_of(World(content(holder="漢 Siti"))))
    assert "U+6F22" in text and "Siti" in text and "attached file has them" in text


def test_a_long_word_stays_on_the_page() -> None:
    assert "W" * 20 in words(pdf_of(World(content(location="W" * 300))))


def test_a_status_that_is_not_valid_is_printed_as_such() -> None:
    text = words(pdf_of(World(content(validity="2020-01-01"))))
    assert "TIDAK BERLAKU / NOT VALID: the right ended on 2020-01-01" in text


@pytest.mark.parametrize(
    "data", [as_bytes(WORLD.absence()), CERTIFICATE.replace(HOLDER_NAME.encode(), b"Raden Palsu"), b"{}"]
)
def test_only_a_certificate_that_verifies_is_printed(data: bytes) -> None:
    with pytest.raises(BadInput):
        render(data, trust_root(), SITE)


def test_the_pdf_verifies_as_the_file_does(pdf: bytes) -> None:
    ours, files = verify(pdf, trust_root()), verify(CERTIFICATE, trust_root())
    assert ours.valid and ours.axes == files.axes
    assert "what its pages say is not" in ours.checks[0].detail
