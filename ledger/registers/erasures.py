"""Receipts of erasures: what was ordered to be erased, on what ground, on which day; nothing of what it said.

Each record or content has a series of its own, so that it is proved either way whether its erasure was ordered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.encoding import from_hex, keccak256
from ledger.registers.batch import BatchRegister
from ledger.registers.forms import ONE, Change, Form, Known, word
from ledger.registers.schema import ContentField, Schema, iso_date, pattern

# Grounds of Law 27/2022 on personal data, articles 43 and 44, and of GDPR article 17; a code says nothing of a person.
GROUNDS = ("not-needed", "consent-withdrawn", "requested", "unlawful", "retention-ended", "court-order")

SCHEMA = Schema(
    "erasure@1",
    (
        ContentField(
            "register",
            # In lower case: with two spellings, that nothing was erased could be proved for the other one.
            pattern(r"eip155:[1-9][0-9]{0,17}:0x[0-9a-f]{40}", "a register's name, as eip155:1:0x…, in lower case"),
            mandatory=True,
        ),
        # The id of a record, all of whose contents go, or the digest of one content.
        ContentField("erased", word, mandatory=True),
        ContentField("ground", pattern("|".join(GROUNDS), f"one of {', '.join(GROUNDS)}"), mandatory=True),
        ContentField("date", iso_date, mandatory=True),
    ),
)


class Erasures(BatchRegister):
    """See ledger.registers.base.Register."""

    kind = "erasures"
    schema = SCHEMA
    subject_fields = ("register", "erased")
    key_fields = ()
    forms: Mapping[str, Form] = {
        **BatchRegister.forms,
        "append": Form("erase the content of a record, with a list of digests beside the receipt", records=ONE),
        "appendLeaves": Form("erase the content of a record", records=ONE),
    }

    def record_id(self, values: Mapping[str, Any]) -> bytes:
        return keccak256(f"erasures/{values['register']}/{values['erased']}".encode())

    def draft(self, change: Change, known: Known) -> dict[str, Any]:
        for record in change.records:
            if change.action != "amend":
                known.check_erasable(record.fields["register"], from_hex(record.fields["erased"], 32))
        return super().draft(change, known)


REGISTER = Erasures()
