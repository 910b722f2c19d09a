"""Public transactions: what an agency paid to whom, in batches, one series an agency and month.

The fields are those of an OCDS 1.1 transaction (contracts/implementation/transactions), flat and as strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.encoding import keccak256
from ledger.entries import Entry
from ledger.registers.batch import BatchRegister
from ledger.registers.schema import ContentField, Schema, iso_date, pattern, text

_AMOUNT = pattern(r"(?!-0\.00)-?(0|[1-9][0-9]{0,17})\.[0-9]{2}", "an amount with two decimals, as 1250000.00")

SCHEMA = Schema(
    "public-transaction@1",
    (
        ContentField("id", text(100), mandatory=True),
        ContentField("buyer", pattern(r"[a-z0-9][a-z0-9-]{1,59}", "an agency's id, as id-kemenkeu"), mandatory=True),
        ContentField("period", pattern(r"[0-9]{4}-(0[1-9]|1[0-2])", "a month YYYY-MM"), mandatory=True),
        ContentField("date", iso_date, mandatory=True),
        ContentField("supplier", text(200), mandatory=True, identifying=True),
        ContentField("amount", _AMOUNT, mandatory=True),
        ContentField("currency", pattern(r"[A-Z]{3}", "a code of ISO 4217, as IDR"), mandatory=True),
        ContentField("contract", text(100), optional=True),
        ContentField("description", text(500), optional=True),
    ),
)


class Transactions(BatchRegister):
    """See ledger.registers.base.Register."""

    kind = "transactions"
    schema = SCHEMA
    subject_fields = ("buyer", "period")
    key_fields = ("id",)

    def record_id(self, values: Mapping[str, Any]) -> bytes:
        return keccak256(f"transactions/{values['buyer']}/{values['period']}".encode())

    def disagreement(self, values: Mapping[str, Any], record_id: bytes, entry: Entry) -> str | None:
        if problem := super().disagreement(values, record_id, entry):
            return problem
        if {"date", "period"} <= values.keys() and not values["date"].startswith(values["period"]):
            return "the date is not in the month of this series"
        return None


REGISTER = Transactions()
