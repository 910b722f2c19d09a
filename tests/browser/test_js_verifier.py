"""The verifier of the browser says what the Python verifier says, word by word, and fits into a page."""

from __future__ import annotations

import gzip
import json
import random
import re
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.checkpoint import VerifierKey
from ledger.encoding import keccak256, parse_json
from scripts.bundle import BUNDLE, DEFINITIONS, bundle, definitions
from tests.browser.javascript import Case, assert_both_agree, in_javascript
from tests.browser.strange import FIELDS, JSON, changed, edit
from tests.builders import (
    BLOCK_NUMBER,
    BLOCK_TIME,
    CHAIN_ID,
    DOCUMENT,
    ISSUED_AT,
    WITNESSES,
    World,
    as_bytes,
    content,
    cosigned,
    trust_root,
    verifier_key,
)

FOLDER = Path(__file__).parent.parent / "vectors" / "certificates"
MAX_BUNDLE = 40 * 1024  # bytes of gzip
WORLD = World()
VALID = WORLD.certificate().as_json()
FILE, ABSENCE = as_bytes(VALID), as_bytes(WORLD.absence())
TRUST = json.dumps(trust_root().as_json()).encode()
INDEX: list[dict[str, Any]] = json.loads((FOLDER / "index.json").read_text())
GENUINE = [path.read_bytes() for path in sorted((FOLDER / "genuine").iterdir())]
PUBLIC_KEY_A = WITNESSES["a"].public_key().public_bytes_raw()
ROOT = (FOLDER / "trust.json").read_bytes()


def test_the_bundle_is_what_its_sources_make() -> None:
    assert DEFINITIONS.read_text() == definitions()
    assert BUNDLE.read_bytes() == bundle()


def test_the_bundle_is_small() -> None:
    assert len(gzip.compress(BUNDLE.read_bytes(), mtime=0)) <= MAX_BUNDLE


def test_the_bundle_has_no_way_to_send_a_file_or_to_show_one() -> None:
    networks = r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|import)\b\s*[.(]"
    pages = r"\b(localStorage|indexedDB|navigator|postMessage)\b|(?<![.\w])(window|document)\."
    assert re.findall(f"{networks}|{pages}", BUNDLE.read_text()) == []


def test_both_verifiers_answer_each_vector_as_the_index_says() -> None:
    answers = assert_both_agree([vector_case(vector) for vector in INDEX])
    for vector, answer in zip(INDEX, answers, strict=True):
        states = {name: axis["state"] for name, axis in answer["axes"].items()}
        refusals = [c for outcome in ("failed", "unknown") for c in answer["checks"] if c["outcome"] == outcome]
        refusal = {"check": refusals[0]["number"], "outcome": refusals[0]["outcome"]} if refusals else None
        assert states | {"refusal": refusal} == vector["expected"], vector["file"]


def vector_case(vector: dict[str, Any]) -> Case:
    trust, document = (vector.get(name) for name in ("trust", "document"))
    hashes = {int(number): bytes.fromhex(block[2:]) for number, block in vector.get("blockHashes", {}).items()}
    read = [(FOLDER / name).read_bytes() if name else None for name in (trust, document)]
    return Case((FOLDER / vector["file"]).read_bytes(), *read, hashes)


def test_a_valid_file_is_valid_in_javascript() -> None:
    record, absence = in_javascript([Case(FILE, TRUST, DOCUMENT), Case(ABSENCE, TRUST)])
    assert (record["subject"], record["valid"], absence["subject"], absence["valid"]) == (
        "record",
        True,
        "absence",
        True,
    )
    assert record["asOf"] == {"block": BLOCK_NUMBER, "time": BLOCK_TIME}


@pytest.mark.parametrize(
    "trust",
    [
        trust_root(
            witnesses=(verifier_key("a"), str(VerifierKey("z", WITNESSES["a"].public_key().public_bytes_raw())))
        ),
        trust_root(witnesses=(), threshold=1),
        trust_root(threshold=1),
        trust_root(threshold=3),
        trust_root(name="other"),
        trust_root(registers=()),
        replace(trust_root(), registers=(replace(trust_root().registers[0], kind="identity"),)),
        replace(trust_root(), registers=(replace(trust_root().registers[0], threshold=3),)),
        replace(trust_root(), registers=(replace(trust_root().registers[0], authority_code_hash=bytes(32)),)),
    ],
)
def test_both_trust_alike(trust: Any) -> None:
    given = json.dumps(trust.as_json()).encode()
    hashes = {BLOCK_NUMBER: keccak256(WORLD.header)}, {BLOCK_NUMBER: bytes(32)}, {BLOCK_NUMBER + 1: bytes(32)}
    assert_both_agree([Case(FILE, given), Case(ABSENCE, given), *(Case(FILE, given, block_hashes=h) for h in hashes)])
    assert_both_agree([Case(FILE, None, block_hashes=hashes[0])])


def test_both_read_trust_roots_alike() -> None:
    chance = random.Random(1)
    roots = [TRUST, b"", b"[]", *(json.dumps(changed(json.loads(TRUST), chance)).encode() for _ in range(300))]
    answers = assert_both_agree([Case(FILE, root) for root in roots])
    assert sum("badInput" in answer for answer in answers) > 100


def test_both_read_checkpoints_alike() -> None:
    good = VALID["state"]["checkpoint"]
    notes = [
        good,
        good[:-1],
        good + "\n",
        good.replace("\n\n", "\n"),
        good.replace("\n", "\r\n"),
        "",
        "\n\n",
        "x" * 16384,
    ]
    notes += [good.replace("— a ", f"— {name} ") for name in ("z", "a\u2028", "a\u200b", "a+", "\U0001f600", "é" * 256)]
    notes += [cosigned(WORLD.header, ("a", "b"), origin=f"{name}/eip155:{CHAIN_ID}") for name in ("demo", "other")]
    body, lines = good.split("\n\n")
    notes += [body + "\n\n" + lines * times for times in (2, 32, 33)]
    chance = random.Random(2)
    for _ in range(200):
        at = chance.randrange(len(good))
        notes.append(good[:at] + chance.choice("AB=+/\n 09é") + good[at + chance.randrange(2) :])
    assert_both_agree([Case(with_checkpoint(text), TRUST) for text in notes])


def with_checkpoint(text: str) -> bytes:
    return as_bytes({**VALID, "state": {**VALID["state"], "checkpoint": text}})


def test_both_tell_what_held_earlier() -> None:
    times = (0, ISSUED_AT - 1, ISSUED_AT, BLOCK_TIME - 1_000_000, BLOCK_TIME, BLOCK_TIME + 1)
    answers = assert_both_agree([Case(file, TRUST, as_of=time) for time in times for file in (FILE, ABSENCE)])
    assert {answer["axes"]["status"]["state"] for answer in answers} == {"valid", "invalid", "unknown"}


def test_both_read_json_alike() -> None:
    raw = [b"\xff", b'"\xed\xa0\x80"', b'"\xc0\x80"', b"\xef\xbb\xbf{}", b"a" * ((4 << 20) + 1), b" " * (4 << 20)]
    files = [text.encode() for text in JSON] + raw + [b'"' + b"a" * 4_000_000 + b'"', b"0" * 4_000_000]
    assert_both_agree([Case(file, TRUST) for file in files])


NAMES = ("nib", "right", "area", "validity", "location", "holderBirth", "unknown", "constructor")


@pytest.mark.parametrize("name", NAMES)
def test_both_judge_fields_alike(name: str) -> None:
    worlds = [replace(WORLD, record=content(**{name: text})) for text in FIELDS]
    answers = assert_both_agree([Case(as_bytes(world.certificate()), TRUST) for world in worlds])
    assert {answer["checks"][-1]["number"] for answer in answers} <= {8, 12}


def test_both_hash_the_same_canonical_form() -> None:
    chance = random.Random(3)
    floats = [struct.unpack("<d", chance.randbytes(8))[0] for _ in range(200)] + [10.0**n for n in range(-30, 30)]
    described = [
        {"numbers": [value for value in floats if value == value], "small": [1e-7, 0.1, -0.0, 5e-324, 1.5e300]},
        {"\U0001f600": 1, "\ufb01": 2, "\u20ac": 3, "1": 4, "": 5, "é": [True, False, None, {}, []]},
        {"text": '\x00\x1f"\\\b\f\n\r\t\x7f\u2028\u00e9\U0001f600/'},
        {"whole": [2**53 - 1, -(2**53) + 1, 0, 10]},
    ]
    worlds = [replace(WORLD, record=content(document=value)) for value in described]  # type: ignore[arg-type]
    answers = assert_both_agree([Case(as_bytes(world.certificate()), TRUST, DOCUMENT) for world in worlds])
    assert {answer["checks"][-1]["number"] for answer in answers} == {11}


@pytest.mark.parametrize("seed", range(4))
def test_both_refuse_what_was_tampered_with_alike(seed: int) -> None:
    chance = random.Random(seed)
    files = [FILE, ABSENCE, *GENUINE]
    trees = [json.dumps(changed(json.loads(chance.choice(files)), chance)).encode() for _ in range(150)]
    edited = [edit(chance.choice(files), chance) for _ in range(150)]
    assert_both_agree([Case(file, chance.choice([TRUST, ROOT, ROOT])) for file in trees + edited])


def test_the_tampering_reaches_beyond_the_parser() -> None:
    chance = random.Random(0)
    changes = [json.dumps(changed(json.loads(FILE), chance)).encode() for _ in range(200)]
    assert all(parse_json(file, 4 << 20, "x") for file in changes)
    numbers = {answer["checks"][-1]["number"] for answer in in_javascript([Case(file, TRUST) for file in changes])}
    assert len(numbers) > 5
