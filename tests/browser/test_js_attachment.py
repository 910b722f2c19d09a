"""The verifier of the browser finds in a PDF what the Python verifier finds there, and no PDF leads it astray."""

from __future__ import annotations

import json
import random
import re
import zlib

import pytest

from ledger.certificate import MAX_BYTES
from ledger.printing.attachment import MAX_ATTACHMENTS, MAX_PDF_BYTES
from tests.browser.javascript import Case, assert_both_agree, in_javascript
from tests.browser.strange import edit
from tests.builders import World, as_bytes, trust_root
from tests.ledger.printing.pdfs import (
    CERTIFICATE,
    CIRCLE,
    FILE,
    OPENINGS,
    PDF,
    WITHOUT,
    attached,
    flate,
    saved_again,
    stream,
)

TRUST = json.dumps(trust_root().as_json()).encode()
DEFLATED = b"/Type /EmbeddedFile /Filter /FlateDecode"
PLAIN = b"/Type /EmbeddedFile /Length %d"
PARTS = [b"/Type", b"/EmbeddedFile", b"/Filter", b"/FlateDecode", b"/DecodeParms", b"/Length", b"7 0 obj", b"stream"]
PARTS += [
    b">>",
    b"<<",
    b"[",
    b"]",
    b" ",
    b"\n",
    b"\r\n",
    b"\r",
    b"\t\v\f",
    b"\x00",
    b"\x1c",
    b"\x85",
    b"\xa0",
    b"A",
    b"9",
]
NAMES = [b"obj", b"object", b"obj9", b"obj_", b"obj\xe9"]
TOKEN = re.compile(rb"[A-Za-z]+|[0-9]+|\s+|[^A-Za-z0-9\s]")


def answers_to(*pdfs: bytes) -> list[str]:
    """What both verifiers say of the first check, which is the same in both, as is all the rest."""
    answers = assert_both_agree([Case(pdf, TRUST) for pdf in pdfs])
    return [answer["checks"][0]["detail"] for answer in answers]


def test_a_pdf_is_valid_in_javascript_however_it_was_saved() -> None:
    absence = flate(as_bytes(World().absence()))
    pdfs = [PDF, saved_again(PDF), attached(CERTIFICATE), b"%PDF-" + absence]
    assert all(answer["valid"] for answer in in_javascript([Case(pdf, TRUST) for pdf in pdfs]))
    assert all(
        said.endswith("a PDF: what it carries is checked, what its pages say is not") for said in answers_to(*pdfs)
    )


def test_both_refuse_a_pdf_without_one_alike() -> None:
    said = answers_to(*WITHOUT, CIRCLE, *OPENINGS)
    assert said[0] == "The PDF carries no certificate. Use the PDF as the office gave it, or its .json file."
    assert set(said) == {
        said[0],
        "The PDF has more than 16 attachments. Use the PDF as the office gave it, or its .json file.",
    }


def test_both_take_one_certificate_and_refuse_several() -> None:
    one, several = answers_to(*(b"%PDF-" + flate(FILE) + flate(FILE + more) for more in (b"", b" ")))
    assert "several certificates" in several and "several" not in one
    # Bytes that some tables give no character of their own.
    odd = [b"%PDF-" + flate(FILE + b"\x81") + flate(FILE + bytes([byte])) for byte in range(0x80, 0xA1)]
    assert sum("several" in said for said in answers_to(*odd)) == len(odd) - 1


def test_both_have_the_same_limits() -> None:
    full, more = (b"%PDF-" + flate(b"{}") * count for count in (MAX_ATTACHMENTS, MAX_ATTACHMENTS + 1))
    large, too_large = (b"%PDF-" + bytes(size - 5) for size in (MAX_PDF_BYTES, MAX_PDF_BYTES + 1))
    said = answers_to(full, more, large, too_large)
    assert [text.split(".")[0] for text in said] == [
        "The PDF carries no certificate",
        "The PDF has more than 16 attachments",
        "The PDF carries no certificate",
        "The PDF has more than 25,000,000 bytes",
    ]


@pytest.mark.parametrize("level", [0, 6])
def test_both_unpack_to_the_limit_and_no_further(level: int) -> None:
    packed = [zlib.compress(FILE.ljust(size), level) for size in range(MAX_BYTES - 1, MAX_BYTES + 4)]
    wrong = [data[:-1] + bytes([data[-1] ^ 1]) for data in packed]
    bomb = zlib.compress(FILE + bytes(200 << 20)) if level else b""
    plain = stream(FILE.ljust(MAX_BYTES + 9), PLAIN % (MAX_BYTES + 9))
    said = answers_to(*(b"%PDF-" + stream(data, DEFLATED) for data in (*packed, *wrong, bomb)), b"%PDF-" + plain)
    assert sum("at most 4,194,304 are read" in text for text in said) >= 4


def test_a_stream_that_was_cut_off_is_read_and_a_damaged_one_is_not() -> None:
    packed = zlib.compress(FILE)
    cut, behind, damaged = packed[:-2], packed + b"more", packed[:-1] + bytes([packed[-1] ^ 1])
    # A stream that ends with the file is cut off; in the others something stands behind it.
    pdfs = [b"%PDF-1 0 obj <<" + DEFLATED + b">>stream\n" + data for data in (packed, cut, behind, damaged)]
    whole, *read, nothing = answers_to(*pdfs)
    assert read == [whole, whole] and "carries no certificate" in nothing and "no certificate" not in whole


@pytest.mark.parametrize("seed", range(3))
def test_both_unpack_damaged_streams_alike(seed: int) -> None:
    chance = random.Random(seed)
    pdfs = []
    for _ in range(150):
        level, bits = chance.randrange(10), chance.choice([15, 15, 12, 9, -15, 31])
        coder = zlib.compressobj(level, zlib.DEFLATED, bits, strategy=chance.choice([0, 1, 2, 3, 4]))
        packed = bytearray(
            coder.compress(FILE + chance.randbytes(40) + CERTIFICATE[: chance.randrange(900)]) + coder.flush()
        )
        for _ in range(chance.randrange(3)):
            packed[chance.randrange(len(packed)) % chance.choice([8, 80, 1 << 20])] ^= 1 << chance.randrange(8)
        pdfs.append(b"%PDF-1 0 obj<<" + DEFLATED + b">>stream\n" + packed[: chance.choice([None, -1, -4, -9])])
    assert len(set(answers_to(*pdfs))) > 1


def test_both_draw_the_same_lines_in_a_dictionary() -> None:
    length = PLAIN % len(FILE)
    dictionaries = [length + tail + b"R" for tail in (b" 0" + b" " * n for n in (0, 8, 9))]
    dictionaries += [length.replace(b" /Length ", b" /Length" + b" " * n) for n in (0, 1, 8, 9)]
    dictionaries += [PLAIN % 10**n for n in (8, 9)] + [b"/Filter /Flate 1 0 " + name + b" " + length for name in NAMES]
    dictionaries += [length.replace(b"EmbeddedFile", b"EmbeddedFile" + more) for more in (b"s", b"0", b"_", b"\xe9")]
    dictionaries += [b"/Type" + b" " * n + length[6:] for n in (0, 8, 9)]
    pdfs = [b"%PDF-" + stream(FILE, dictionary) for dictionary in dictionaries]
    for n in range(4040, 4100):  # the end of what is read of a dictionary, behind the name and before it
        pdfs.append(b"%PDF-" + stream(FILE, length + b" " * n))
        pdfs.append(b"%PDF-" + stream(FILE, length[20:] + b" " * n + length[:19]))
    found = [text for text in answers_to(*pdfs) if "no certificate" not in text]
    assert 60 < len(found) < len(pdfs) - 60


@pytest.mark.parametrize("seed", range(3))
def test_both_read_dictionaries_alike(seed: int) -> None:
    chance = random.Random(seed)
    made = [
        stream(zlib.compress(FILE), DEFLATED),
        stream(zlib.compress(FILE), DEFLATED.replace(b"/Flate", b"[ /Flate") + b"]"),
    ]
    made += [stream(FILE, PLAIN % len(FILE)), stream(FILE, b"/Filter/Other >> endobj 2 0 obj <<" + PLAIN % len(FILE))]
    pdfs = []
    for _ in range(200):
        head, body = chance.choice(made).split(b"stream\n", 1)
        tokens = [*TOKEN.findall(head), b"stream", b"\n"]
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(tokens))
            tokens[at : at + chance.randrange(2)] = [chance.choice([*PARTS, *tokens]) * chance.choice([1, 1, 1, 2, 9])]
        filler = b" " * chance.choice([0, 0, 0, 4000, 4050, 4096])
        pdfs.append(b"%PDF-" + b"".join(tokens).replace(b"/Type", filler + b"/Type") + body)
    said = answers_to(*pdfs)
    assert 20 < sum("carries no certificate" in text for text in said) < 180


@pytest.mark.parametrize("seed", range(2))
def test_both_judge_damaged_pdfs_alike(seed: int) -> None:
    chance = random.Random(seed)
    other = attached(CERTIFICATE)
    carried = [(pdf, found.start()) for pdf in (PDF, other) for found in re.finditer(rb"/EmbeddedFile\b", pdf)]
    pdfs = [edit(edit(chance.choice([PDF, other]), chance), chance) for _ in range(20)]
    for _ in range(80):
        pdf, at = chance.choice(carried)
        start, end = max(5, at - 200), at + chance.choice([200, len(CERTIFICATE) // 2])
        pdfs.append(pdf[:start] + edit(pdf[start:end], chance) + pdf[end:])
    pdfs += [PDF[: chance.randrange(5, len(PDF))] for _ in range(10)]
    answers_to(*pdfs)
