"""Diplomas in batches, one series an institution and year of graduation. The degree names follow ELM 3.2 (Europass)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.encoding import keccak256
from ledger.registers.batch import BatchRegister
from ledger.registers.schema import ContentField, Schema, iso_date, pattern, text

SCHEMA = Schema(
    "diploma@1",
    (
        ContentField("number", text(60), mandatory=True),
        ContentField("institution", pattern(r"[a-z0-9][a-z0-9-]{1,59}", "an id, as id-ui"), mandatory=True),
        ContentField("year", pattern(r"[0-9]{4}", "a year YYYY"), mandatory=True),
        ContentField("degree", text(120), mandatory=True),
        ContentField("programme", text(200)),
        ContentField("name", text(200), identifying=True),
        ContentField("birthDate", iso_date, identifying=True),
        ContentField("graduated", iso_date),
        ContentField("honours", text(60), optional=True),
    ),
    document=True,
)


class Diplomas(BatchRegister):
    """See ledger.registers.base.Register."""

    kind = "diplomas"
    schema = SCHEMA
    subject_fields = ("institution", "year")
    key_fields = ("number",)

    def record_id(self, values: Mapping[str, Any]) -> bytes:
        return keccak256(f"diplomas/{values['institution']}/{values['year']}".encode())


REGISTER = Diplomas()
