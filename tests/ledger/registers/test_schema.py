from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import BadInput
from ledger.registers import REGISTERS, register_of_kind
from ledger.registers.land import SCHEMA
from tests.builders import FIELDS

CASES: dict[str, list[Any]] = {
    "nib": ["", "1234", "1" * 25, "12345\n", "12 345", "1234O", "10..15.22", ".10.15.22", "10.15.22.", "\u0661" * 6],
    "right": ["", " ", "x" * 61, "a\x00b", "a\nb", "a\u202eb", "a\u200bb", "e\u0301", "\ud800"],
    "area": ["", "412", "412.5", "412.500", "0412.50", "-1.00", "+1.00", "1e3.00", "412,50", " 1.00", "1" * 13 + ".00"],
    "validity": ["", "never", "2025-02-30", "20250228", "2025-2-1", "2025-02-28T00:00", "2025-W01-1", "0000-01-01"],
    "location": ["", "x" * 301, "\tx"],
    "holder": ["", "x" * 201, "Siti\x7f"],
    "holderBirth": ["", "14-03-1979", "unlimited", None],
}


def test_the_fields_of_a_title_are_accepted() -> None:
    SCHEMA.validate(FIELDS)
    SCHEMA.validate({name: value for name, value in FIELDS.items() if name != "holderBirth"})
    SCHEMA.validate({**FIELDS, "nib": "10152205", "area": "0.50", "validity": "2055-02-28", "holder": "Ibu Ñ é 漢"})


@pytest.mark.parametrize(
    ("name", "value"), [(name, v) for name, values in CASES.items() for v in [*values, 7, None, {}]]
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field_and_never_shown(name: str, value: Any) -> None:
    for check in (SCHEMA.validate, SCHEMA.validate_disclosed):
        with pytest.raises(BadInput) as caught:
            check({**FIELDS, name: value})
        assert caught.value.pointer == f"/fields/{name}"
        assert f"The field {name} " in caught.value.message
        if isinstance(value, str) and len(value) > 5:
            assert value not in str(caught.value)


@pytest.mark.parametrize("name", sorted(set(FIELDS) - {"holderBirth"}))
def test_a_missing_field_is_named(name: str) -> None:
    with pytest.raises(BadInput, match=f"The field {name} is missing"):
        SCHEMA.validate({other: value for other, value in FIELDS.items() if other != name})


def test_a_withheld_field_is_not_asked_for() -> None:
    SCHEMA.validate_disclosed({"nib": FIELDS["nib"]})
    SCHEMA.validate_disclosed({})


@pytest.mark.parametrize("name", ["colour", "document", "Nib", "", "x" * 1000])
def test_an_unknown_field_is_refused(name: str) -> None:
    for check in (SCHEMA.validate, SCHEMA.validate_disclosed):
        with pytest.raises(BadInput, match="is not a field of land-title@1") as caught:
            check({**FIELDS, name: "red"})
        assert "red" not in str(caught.value)
        assert len(str(caught.value)) < 300


def test_the_mandatory_fields_are_those_a_verdict_needs() -> None:
    assert SCHEMA.mandatory == {"schema", "nib", "right", "area", "validity"}


@pytest.mark.parametrize("register", REGISTERS.values())
def test_every_register_is_whole(register: Any) -> None:
    names = {field.name for field in register.schema.fields}
    assert set(register.subject_fields) <= register.schema.mandatory <= names | {"schema"}
    assert register_of_kind(register.kind) is register
    assert not names & {"schema", "document"}
    assert not any(field.mandatory and field.optional for field in register.schema.fields)


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="land"):
        register_of_kind("ship")
