"""Forged files that checks 10 and 11 must refuse: approvers that an entry does not commit to, another document."""

from __future__ import annotations

from typing import Any

from tests.builders import REGISTRARS, address
from tests.vectors.chain import COURT, SUSPECT
from tests.vectors.forged_blocks import LAND, MENDED
from tests.vectors.forged_record import SOLD
from tests.vectors.forged_state import ACCOUNT, AUTHORITY
from tests.vectors.genuine import certificate, quiet_chain
from tests.vectors.tamper import SAME, Forgery, change, drop, get, put, swap

SUSPECT_SLOT, CLEAN_SLOT = (f"{AUTHORITY}/slots/{registrar}" for registrar in (SUSPECT, REGISTRARS[0]))


def approvers() -> list[Forgery]:
    """For check 10."""
    sold, quiet = certificate(SOLD), certificate(LAND, on=quiet_chain())
    return [
        Forgery("approver-left-out", SOLD, drop("/approvers/-1/0")),
        Forgery("no-approvers", SOLD, put("/approvers/0", [])),
        Forgery("approvers-in-reverse", SOLD, change("/approvers/-1", lambda v: v[::-1])),
        Forgery("approver-added", SOLD, change("/approvers/-1", lambda v: [*v, address("stranger")])),
        Forgery("approver-twice", SOLD, change("/approvers/-1", lambda v: [v[0], v[0]])),
        Forgery("approver-is-another", SOLD, put("/approvers/-1/0", address("stranger"))),
        Forgery("court-for-registrars", SOLD, put("/approvers/-1", list(COURT))),
        Forgery("registrars-of-an-objection", "land-object", put("/approvers/-1", list(REGISTRARS))),
        Forgery("registrars-of-a-confirmation", "identity-confirm", put("/approvers/-1", list(REGISTRARS))),
        Forgery("approver-of-a-correction", MENDED, drop("/evidence/corrections/0/approvers/0")),
        Forgery("suspicion-slot-left-out", LAND, drop(CLEAN_SLOT)),
        Forgery("suspicion-slot-without-nodes", LAND, put(CLEAN_SLOT, [])),
        Forgery("suspicion-slot-of-another", "land-suspect-approver", swap(SUSPECT_SLOT, CLEAN_SLOT)),
        Forgery("suspicion-slot-in-lower-case", LAND, _lower_slot),
        Forgery("suspicion-hidden", "land-suspect-approver", drop(f"{SUSPECT_SLOT}/-1")),
        Forgery("authority-is-the-register", LAND, put(f"{AUTHORITY}/account", get(sold, ACCOUNT))),
        Forgery("authority-without-nodes", LAND, put(f"{AUTHORITY}/account", [])),
        Forgery("authority-of-another-block", LAND, put(AUTHORITY, quiet["state"]["authority"])),
        Forgery("authority-code-is-another", LAND, SAME, trust="trust-with-other-authority-code"),
        Forgery("authority-is-nowhere", LAND, SAME, trust="trust-with-authority-nowhere"),
        Forgery("fewer-approvers-than-the-reader-asks-for", LAND, SAME, trust="trust-with-three-registrars"),
    ]


def documents() -> list[Forgery]:
    """For check 11."""
    return [
        Forgery("document-is-another", LAND, SAME, document="other.pdf"),
        Forgery("document-is-empty", LAND, SAME, document="empty.pdf"),
    ]


def _lower_slot(file: Any) -> None:
    slots = get(file, f"{AUTHORITY}/slots")
    slots[REGISTRARS[0].lower()] = slots.pop(REGISTRARS[0])
