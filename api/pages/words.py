"""What the verifier and the registers say in their own short terms, in plain words. Every text here is a message."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from api.pages.i18n import Language, mark

# In the order in which a page shows them.
FIELDS: Mapping[str, str] = {
    "nib": mark("Parcel number (NIB)"),
    "right": mark("Right"),
    "area": mark("Area (m²)"),
    "validity": mark("Valid until"),
    "location": mark("Location"),
    "holder": mark("Holder"),
    "holderBirth": mark("Holder's date of birth"),
    "recordId": mark("Record code"),
    "kind": mark("Kind of identity"),
    "name": mark("Name"),
    "birthDate": mark("Date of birth"),
    "birthPlace": mark("Place of birth"),
    "address": mark("Address"),
    "nationality": mark("Nationality"),
    "number": mark("Number"),
    "institution": mark("Institution"),
    "year": mark("Year of graduation"),
    "degree": mark("Degree"),
    "programme": mark("Programme"),
    "graduated": mark("Graduated on"),
    "honours": mark("Honours"),
    "id": mark("Payment number"),
    "buyer": mark("Paid by"),
    "period": mark("Month"),
    "date": mark("Date"),
    "supplier": mark("Paid to"),
    "amount": mark("Amount"),
    "currency": mark("Currency"),
    "contract": mark("Contract"),
    "description": mark("Description"),
    "register": mark("Register"),
    "erased": mark("What was erased"),
    "ground": mark("Legal ground"),
    "schema": mark("Kind of record"),
    "document": mark("Document"),
}
VALUES: Mapping[str, str] = {
    "unlimited": mark("no end"),
    "land-title@1": mark("Land title"),
    "identity@1": mark("Identity"),
    "diploma@1": mark("Diploma"),
    "public-transaction@1": mark("Public payment"),
    "erasure@1": mark("Erasure"),
    "not-needed": mark("no longer needed"),
    "consent-withdrawn": mark("consent withdrawn"),
    "requested": mark("asked for by the person"),
    "unlawful": mark("was kept without a right to"),
    "retention-ended": mark("the time to keep it is over"),
    "court-order": mark("ordered by a court"),
}
# How a field's value is shown: by VALUES or as a date, as a number, as a date; else as it is.
CODED = ("schema", "validity", "ground")
NUMBERS = ("area", "amount")
DATES = ("holderBirth", "birthDate", "graduated", "date")
REGISTERS: Mapping[str, str] = {
    "land": mark("Land titles"),
    "identity": mark("Identities"),
    "diplomas": mark("Diplomas"),
    "transactions": mark("Public payments"),
    "erasures": mark("Erasures"),
}
ACTIONS: Mapping[str, str] = {
    "issue": mark("First registered"),
    "amend": mark("Corrected"),
    "transfer": mark("Passed to another holder"),
    "encumber": mark("Lien added"),
    "release": mark("Lien removed"),
    "freeze": mark("Frozen by a court"),
    "unfreeze": mark("Released by a court"),
    "assign": mark("Assigned by a court"),
    "split": mark("Parcel split"),
    "merge": mark("Parcels merged"),
    "retire": mark("Ended"),
    "complete": mark("Waiting time over"),
    "withdraw": mark("Assignment withdrawn"),
    "object": mark("Holder objected"),
    "renew": mark("Renewed"),
    "rotate": mark("Key changed"),
    "recover": mark("Recovery proposed"),
    "confirm": mark("Recovery confirmed"),
    "veto": mark("Recovery refused"),
    "suspend": mark("Suspended"),
    "reinstate": mark("Suspension ended"),
    "revoke": mark("Revoked"),
    "append": mark("Batch added"),
    "appendLeaves": mark("Batch added"),
    "void": mark("Declared void"),
}
STATUSES: Mapping[str, str] = {
    "active": mark("In force"),
    "frozen": mark("Frozen"),
    "retired": mark("Ended"),
    "pending": mark("Waiting"),
    "suspended": mark("Suspended"),
    "revoked": mark("Revoked"),
    "recovering": mark("Being recovered"),
    "amended": mark("Corrected"),
    "voided": mark("Void"),
}
AS_OF = mark("As of block {0}, {1}. That is {2} old.")
DOCUMENT = mark("A document of {0} bytes, SHA-256 {1}")
AXES: Mapping[str, str] = {
    "integrity": mark("Is it unchanged and complete?"),
    "status": mark("Is it in force?"),
    "issuer": mark("Is it from the office?"),
}
STATES: Mapping[str, str] = {"valid": mark("Yes"), "invalid": mark("No"), "unknown": mark("Cannot tell")}
AXIS_TEXTS: Mapping[str, str] = {
    "integrity-valid": mark("Nothing in the file was changed, and no entry is missing."),
    "integrity-invalid": mark("The file does not agree with the register, or with itself."),
    "integrity-unknown": mark("This could not be decided. It does not mean that the file is false."),
    "status-valid": mark("The register says that it is in force."),
    "status-invalid": mark("The register says that it is not in force."),
    "status-unknown": mark("This could not be decided. It does not mean that it has ended."),
    "issuer-valid": mark("It is in the office's own register, and the registrars who must approve it did."),
    "issuer-invalid": mark("It is not from a register of the office that is trusted here."),
    "issuer-unknown": mark("This could not be decided. It does not mean that somebody else issued it."),
}
OUTCOMES: Mapping[str, str] = {
    "passed": mark("passed"),
    "failed": mark("failed"),
    "unknown": mark("cannot tell"),
    "skipped": mark("not asked for"),
}
CHECKS: Mapping[int, str] = {
    1: mark("The file can be read"),
    2: mark("The register is one of the office"),
    3: mark("Independent witnesses signed the block"),
    4: mark("The contract is the office's own"),
    5: mark("The register holds what the file says it holds"),
    6: mark("The newest entry is the one in the register"),
    7: mark("The history is complete"),
    8: mark("The fields shown are those recorded, and none that must be shown is missing"),
    9: mark("Liens, descent or batch are those recorded"),
    10: mark("Enough registrars approved, and none of their keys is suspect"),
    11: mark("The document is the one recorded"),
    12: mark("It is in force"),
}

# What ledger/registers and the verifier say about the status: pattern → message, whose {0} is the pattern's group.
REASONS: Sequence[tuple[str, str]] = (
    ("never issued", mark("Nothing was ever recorded about it.")),
    ("active", mark("It is in force.")),
    ("active, no lien", mark("It is in force and there is no lien on it.")),
    (r"active, (\d+) lien\(s\)", mark("It is in force. Liens on it: {0}.")),
    ("frozen by a court: the title does not move", mark("A court has frozen it: it cannot be sold or changed.")),
    (
        "pending: the title passes to the holder named when .*",
        mark("It is passing to another holder, and the holder before may still object."),
    ),
    (
        r"pending: a court assigns the title to the holder named; not before (.*) UTC",
        mark("A court is assigning it to another holder, not before {0} UTC."),
    ),
    ("retired for ever: the parcel was split", mark("It ended: the parcel was split.")),
    ("retired for ever: the parcel was merged with others", mark("It ended: the parcel was merged with others.")),
    ("retired for ever: the title has ended", mark("It has ended.")),
    ("the (?:title|identity) is not active", mark("It is not in force.")),
    ("the right ended on (.*)", mark("The right ended on {0}.")),
    ("the validity of the right is not disclosed", mark("The file does not show until when the right lasts.")),
    ("the identity is suspended", mark("It is suspended.")),
    ("the identity is revoked", mark("It was revoked.")),
    ("the identity has expired", mark("It has expired.")),
    ("another controller is proposed and not confirmed yet", mark("A change of its key is under way.")),
    (r"recorded in batch (\d+), never corrected", mark("It was recorded in batch {0} and never corrected.")),
    (
        r"recorded, and corrected (\d+) time\(s\): this is the newest content",
        mark("It was recorded and corrected. Corrections: {0}. This is the newest content."),
    ),
    ("the record was declared void", mark("It was declared void.")),
)


def reason_in_words(reason: str, to: Language) -> str | None:
    """The status axis' reason in plain words, None when it is not about the status itself."""
    for pattern, message in REASONS:
        if match := re.fullmatch(pattern, reason):
            return to.text(message).format(*match.groups())
    return None
