"""docs/certificate.schema.json says what a certificate is, checked by a validator that is not ours."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.vectors.make import FOLDER
from tests.vectors.malformed import EDITED, MALFORMED, RAW
from tests.vectors.tamper import Tamper, change, drop, put

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "certificate.schema.json").read_text())
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
TRUST = json.loads((FOLDER / "trust.json").read_text())
# Numbers that JSON reads as whole ones, order and number of items, checksums, sizes beyond what a schema counts.
NOT_SAID = {
    *("fraction", "exponent", "entry-without-approvers", "register-checksum", "holder-checksum", "fields-out-of-order"),
    *("field-twice", "document-size-beyond-2-53", "area-65-bits", "lone-surrogate"),
}


def parsed(path: Path) -> Any:
    """The JSON of a file, None where it is not JSON or names a key twice."""
    try:
        return json.loads(path.read_bytes().decode(), object_pairs_hook=_each_once, parse_constant=float)
    except (ValueError, RecursionError):
        return None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)


@pytest.mark.parametrize(
    "path",
    [p for p in sorted(FOLDER.rglob("*.json")) if p.name != "index.json" and not p.name.startswith("01-")],
    ids=lambda path: path.stem,
)
def test_whatever_passes_check_1_is_of_the_schema(path: Path) -> None:
    VALIDATOR.validate(parsed(path))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("forged/01-*.json")), ids=lambda path: path.stem)
def test_whatever_check_1_refuses_is_not_of_the_schema_where_it_can_say_so(path: Path) -> None:
    value = parsed(path)
    assert (value is not None and VALIDATOR.is_valid(value)) == (path.stem.removeprefix("01-") in NOT_SAID)


def test_every_exception_is_a_vector() -> None:
    assert {forgery.name for forgery in MALFORMED} | EDITED.keys() | RAW.keys() >= NOT_SAID


@pytest.mark.parametrize(
    "tamper",
    [
        put("/format", "khalayak-trust@2"),
        put("/more", 1),
        drop("/genesis"),
        put("/name", "Demo office"),
        put("/chainId", 0),
        put("/chainId", "1337"),
        drop("/registers/0/codeHash"),
        put("/registers/0/threshold", 0),
        put("/registers/0/more", 1),
        change("/registers/0/authority/address", lambda address: address[:-1]),
        put("/witnesses/threshold", 0),
        change("/witnesses/keys/0", lambda key: key[:-1]),
    ],
)
def test_a_malformed_trust_root_is_not_of_the_schema(tamper: Tamper) -> None:
    value = copy.deepcopy(TRUST)
    assert VALIDATOR.is_valid(value)
    tamper(value)
    assert not VALIDATOR.is_valid(value)


def test_the_schema_takes_no_unknown_key_anywhere() -> None:
    def objects(node: Any) -> list[Any]:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
        return [node, *(found for item in inner for found in objects(item))]

    declared = [o for o in objects(SCHEMA) if isinstance(o, dict) and o.get("type") == "object" and "properties" in o]
    assert len(declared) > 20
    assert [o for o in declared if o["additionalProperties"] is not False or o["required"] != [*o["properties"]]] == []
