"""What is checked of a request before anything is known or sealed; messages point into it and name no value."""

from __future__ import annotations

from typing import Any

from ledger.certificate import parse_subject
from ledger.errors import BadInput, TooLarge
from ledger.readers import parse_public_key
from ledger.registers.base import Register
from ledger.registers.forms import Change, RecordRequest

MAX_DOCUMENT_BYTES = 25_000_000


def check_change(register: Register, change: Change) -> None:
    """Whether a change has the form that its action asks for; the contents are not looked at. Raises BadInput."""
    form = register.forms.get(change.action)
    if form is None:
        known = ", ".join(register.forms)
        raise BadInput(f"{change.action[:40]!r} is no action of a {register.kind} register.", f"Known: {known}.")
    form.check(change)
    for i, subject in enumerate(change.subjects):
        _located(f"/subjects/{i}", parse_subject, register, dict(subject))


def check_pdf(data: bytes) -> None:
    """Whether these bytes may be a PDF (ISO 32000-2 section 7.5.2); nothing is unpacked. Raises BadInput, TooLarge."""
    if not data:
        raise BadInput("The document is empty.", "Choose the PDF again.", "/document")
    if len(data) > MAX_DOCUMENT_BYTES:
        message = f"The document has {len(data):,} bytes; at most {MAX_DOCUMENT_BYTES:,} are taken."
        raise TooLarge(message, "", "/document")
    if b"%PDF-" not in data[:1024] or b"%%EOF" not in data[-1024:]:
        raise BadInput("The document is not a whole PDF.", "Save or scan it as PDF and choose it again.", "/document")


def check_record(register: Register, request: RecordRequest, pointer: str) -> None:
    """Whether the register takes this content, document and reader. Raises BadInput, TooLarge."""
    _located(pointer, register.schema.validate, request.fields)
    if register.schema.document:
        _located(pointer, check_pdf, request.document)
        if request.reader:
            parse_public_key(request.reader, f"{pointer}/reader")
    elif request.document or request.reader:
        part = "document" if request.document else "reader"
        raise BadInput(f"A record of {register.schema.id} has no document.", "Leave it out.", f"{pointer}/{part}")


def _located(pointer: str, check: Any, *arguments: Any) -> None:
    """Run a check whose errors point into one part of the request."""
    try:
        check(*arguments)
    except BadInput as error:
        raise type(error)(error.message, error.hint, pointer + error.pointer) from None
