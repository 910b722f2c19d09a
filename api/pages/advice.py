"""What each check that did not pass means to the reader, whom to ask and what to do: `<check>-<outcome>` → Advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from api.pages.i18n import mark


@dataclass(frozen=True)
class Advice:
    """A title, one sentence, whom to contact and what to do next."""

    title: str
    sentence: str
    contact: str
    next: str


_ISSUER = mark("The office that issued it. Use the address you know, not one from this file.")
_GIVER = mark("Whoever gave you the file.")
_OPERATOR = mark("The office whose page this is.")
_NEW = mark("Ask the office for a new certificate and check that one.")
_REFUSE = mark("Do not rely on this file. Ask the office for a new certificate yourself.")

ADVICE: Mapping[str, Advice] = {
    "1-failed": Advice(
        mark("This file cannot be read"),
        mark("It is not a certificate of this kind, or it was damaged on its way."),
        _GIVER,
        mark("Choose the file ending in .json or .pdf, as the office gave it out. A photo or a print is not enough."),
    ),
    "2-failed": Advice(
        mark("This is not from the office's register"),
        mark("The file names a register that this office does not keep."),
        mark("The office that the file says it comes from. Use the address you know, not one from this file."),
        mark("If it is of another office, check it on that office's page. If not, do not rely on it."),
    ),
    "2-unknown": Advice(
        mark("Nothing says whose register this is"),
        mark("There is no list of trusted registers to compare with."),
        _OPERATOR,
        mark("Try again later, or check the file with the command line and a trust.json of your own."),
    ),
    "3-failed": Advice(
        mark("The file is from another chain"),
        mark("The block that it rests on is not the one on the chain that is believed here."),
        _ISSUER,
        _REFUSE,
    ),
    "3-unknown": Advice(
        mark("Too few witnesses signed"),
        mark(
            "Too few of the independent witnesses confirm the block that the file rests on. The file may well be good."
        ),
        _ISSUER,
        _NEW,
    ),
    "4-failed": Advice(
        mark("The register's contract is not the office's"),
        mark("The file rests on a contract that is not the one of this office."),
        _ISSUER,
        _REFUSE,
    ),
    "5-failed": Advice(
        mark("The register does not hold this"),
        mark("The proof in the file does not lead to what the register holds."),
        _ISSUER,
        _REFUSE,
    ),
    "6-failed": Advice(
        mark("This is not the newest entry"),
        mark("An entry was changed, or the file leaves out what was recorded later."),
        _ISSUER,
        _REFUSE,
    ),
    "7-failed": Advice(
        mark("The history is not complete"),
        mark("An entry is missing from the history, was changed, or is not in its place."),
        _ISSUER,
        _REFUSE,
    ),
    "8-failed": Advice(
        mark("A field was changed or is missing"),
        mark("What the file shows is not what was recorded, or a field that must be shown was left out."),
        _ISSUER,
        _REFUSE,
    ),
    "9-failed": Advice(
        mark("Liens, descent or batch do not agree"),
        mark("What the file says about liens, the parcels before or its batch is not what was recorded."),
        _ISSUER,
        _REFUSE,
    ),
    "10-failed": Advice(
        mark("It was not approved as it must be"),
        mark("The registrars named are not those recorded, or they are too few."),
        _ISSUER,
        _REFUSE,
    ),
    "10-unknown": Advice(
        mark("An approval is in doubt"),
        mark("The office reported that a registrar's key may have been stolen when this was approved."),
        _ISSUER,
        mark("Wait until the office has said whether this record stands, and ask it in writing."),
    ),
    "11-failed": Advice(
        mark("This is another document"),
        mark("The document you chose is not the one that was recorded, not even in a single letter."),
        _GIVER,
        mark("Ask for the document as the office gave it out. A scan, or a copy saved again, does not match."),
    ),
    "11-unknown": Advice(
        mark("The document cannot be compared"),
        mark("The file does not show which document it is about."),
        _GIVER,
        mark("Ask for a certificate that shows the document."),
    ),
    "12-failed": Advice(
        mark("It is not in force"),
        mark("What the file shows was recorded, and it has ended, waits, or was stopped."),
        _ISSUER,
        mark("Ask the office what changed. Do not rely on it as a right that exists today."),
    ),
    "12-unknown": Advice(
        mark("We cannot tell whether it is in force"),
        mark("The file is genuine, but does not show what decides whether it is in force."),
        _ISSUER,
        _NEW,
    ),
}
