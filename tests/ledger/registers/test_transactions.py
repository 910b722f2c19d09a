from __future__ import annotations

import pytest
from eth_utils.crypto import keccak

from ledger.batch_entry import NOTHING
from ledger.errors import BadInput
from ledger.registers.transactions import REGISTER, SCHEMA

FIELDS = {
    "id": "SP2D-2026-07-000123",
    "buyer": "id-kemenkeu",
    "period": "2026-07",
    "date": "2026-07-14",
    "supplier": "PT Jembatan Raya",
    "amount": "1250000000.00",
    "currency": "IDR",
    "contract": "KTR-2026-0042",
    "description": "Second instalment of the bridge at Sleman",
}
SERIES = REGISTER.record_id(FIELDS)


def test_a_transaction_is_taken_with_and_without_what_is_optional() -> None:
    SCHEMA.validate(FIELDS)
    SCHEMA.validate({name: value for name, value in FIELDS.items() if name not in ("contract", "description")})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "1250000"),
        ("amount", "01.00"),
        ("amount", "1,250.00"),
        ("amount", "-0.00"),
        ("amount", "1e9"),
        ("currency", "Rp"),
        ("period", "2026-13"),
        ("period", "2026-7"),
        ("date", "2026-02-30"),
        ("buyer", "id/kemenkeu"),
        ("buyer", "-id"),
        ("id", " "),
    ],
)
def test_what_is_not_of_its_form_is_refused(field: str, value: str) -> None:
    with pytest.raises(BadInput, match=f"The field {field} is not right"):
        SCHEMA.validate({**FIELDS, field: value})


def test_money_that_comes_back_is_negative() -> None:
    SCHEMA.validate({**FIELDS, "amount": "-0.50"})


def test_a_series_is_an_agency_and_a_month() -> None:
    assert keccak(b"transactions/id-kemenkeu/2026-07") == SERIES
    assert REGISTER.record_id({"buyer": "id-kemenkeu", "period": "2026-08"}) != SERIES


def test_a_transaction_is_of_its_series() -> None:
    assert REGISTER.disagreement(FIELDS, SERIES, NOTHING) is None
    assert REGISTER.disagreement({}, SERIES, NOTHING) is None
    assert "buyer" in (REGISTER.disagreement({**FIELDS, "buyer": "id-other"}, SERIES, NOTHING) or "")
    assert "date" in (REGISTER.disagreement({**FIELDS, "date": "2026-08-01"}, SERIES, NOTHING) or "")
