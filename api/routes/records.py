"""What a register holds: newest entry, history, certificate, and the proof that it holds nothing."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, RedirectResponse, Response

from api.deps import OfficeDep, RecordId, Subject, Token, Trusted
from api.schemas import HistoryAnswer, RecordAnswer, RecordedEntryAnswer
from ledger.bootstrap import Office
from ledger.certificate import Certificate, parse
from ledger.content import Disclosure
from ledger.encoding import to_hex
from ledger.errors import NeverRecorded, NotCertified, Refused
from ledger.model import RecordedEntry
from ledger.printing.pdf import render
from ledger.registers import register_of_kind
from ledger.registers.base import Register
from ledger.trust import TrustedRegister

MAX_PAGE = 100


class PdfResponse(Response):
    media_type = "application/pdf"


router = APIRouter(prefix="/v1/{kind}", tags=["records"])


@router.get("/records", status_code=303, response_class=RedirectResponse, summary="Find a record by its number")
def find(trusted: Trusted, subject: Subject) -> RedirectResponse:
    """The query holds the fields that the record's id is made of, as `nib` for land. Redirects to the record, whether
    or not anything was ever recorded."""
    return RedirectResponse(_own(trusted, register_of_kind(trusted.kind).record_id(subject)), 303)


@router.get("/records/{record_id}", summary="The newest entry of a record")
def record(office: OfficeDep, trusted: Trusted, record_id: RecordId) -> RecordAnswer:
    history = _history(office, trusted, record_id)
    return RecordAnswer(
        register=str(trusted.name),
        recordId=to_hex(record_id),
        asOfBlock=office.state(trusted).followed(),
        newest=entry_answer(trusted, history[-1]),
        links=_links(trusted, record_id),
    )


@router.get("/records/{record_id}/history", summary="All entries of a record, oldest first")
def history(
    office: OfficeDep,
    trusted: Trusted,
    record_id: RecordId,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 20,
    after: Annotated[int, Query(ge=0, lt=2**32, description="how many entries were read already")] = 0,
) -> HistoryAnswer:
    entries = _history(office, trusted, record_id)[after : after + limit + 1]
    links = _links(trusted, record_id)
    if has_more := len(entries) > limit:
        links["next"] = f"{links['history']}?limit={limit}&after={after + limit}"
    return HistoryAnswer(
        recordId=to_hex(record_id),
        asOfBlock=office.state(trusted).followed(),
        entries=[entry_answer(trusted, item) for item in entries[:limit]],
        has_more=has_more,
        links=links,
    )


@router.get("/records/{record_id}/certificate", summary="The certificate of the newest entry")
def certificate(office: OfficeDep, trusted: Trusted, record_id: RecordId, token: Token) -> Response:
    """Without a token only the mandatory fields are disclosed. With the access token of the application that brought
    the newest content, all are. Either verifies offline."""
    return _file(_disclosed(office, trusted, record_id, token), "certificate")


@router.get("/records/{record_id}/certificate.pdf", response_class=PdfResponse, summary="The certificate as a PDF")
def certificate_pdf(office: OfficeDep, trusted: Trusted, record_id: RecordId, token: Token) -> Response:
    """To be printed, and with the certificate attached: what the same request for the certificate answers with."""
    data = bytes(_file(_disclosed(office, trusted, record_id, token), "certificate").body)
    headers = {"Content-Disposition": 'attachment; filename="certificate.pdf"'}
    parsed = parse(data)
    assert isinstance(parsed, Certificate), "the office keeps certificates here"
    pdf = render(data, office.trust, office.settings.site, office.certifier.paper(parsed))
    return PdfResponse(pdf, headers=headers)


@router.get("/absence", summary="Prove that nothing was ever recorded about a subject")
def absence(office: OfficeDep, trusted: Trusted, subject: Subject) -> Response:
    """The query holds the fields that the record's id is made of. A file that verifies offline, as of the newest final
    block."""
    return _file(office.certifier.absence(trusted.kind, subject).as_json(), "absence")


def _disclosed(office: Office, trusted: TrustedRegister, record_id: bytes, token: str | None) -> dict[str, Any]:
    """What this reader may have of the certificate. Raises Refused."""
    history, register = _history(office, trusted, record_id), register_of_kind(trusted.kind)
    if token is not None and not _may_read(office, register.claim(record_id, office.state(trusted)).digest, token):
        raise Refused("The access token is not the one of this content.", "Leave it out for the public certificate.")
    found = _certificate(office, trusted, record_id, history)
    return found if token is not None else found | {"content": _public(register, found["content"])}


def _certificate(
    office: Office, trusted: TrustedRegister, record_id: bytes, history: list[RecordedEntry]
) -> dict[str, Any]:
    if register_of_kind(trusted.kind).in_batches:
        return office.certifier.newest(trusted, record_id).as_json()
    found = office.store.certificate(str(trusted.name), record_id)
    # A certificate of an earlier entry would verify offline and be out of date: it is not given out.
    if found is None or found["entries"][-1] != history[-1].entry:
        office.certifier.content(register_of_kind(trusted.kind).claim(record_id, office.state(trusted)).digest)
        raise NotCertified("The newest entry of this record has no certificate yet.", "Try again in a few seconds.")
    return found


def _history(office: Office, trusted: TrustedRegister, record_id: bytes) -> list[RecordedEntry]:
    block = office.state(trusted).followed()
    entries = register_of_kind(trusted.kind).history(record_id, office.state(trusted))
    if not entries:
        raise NeverRecorded(
            f"As of block {block} nothing was ever recorded under this id.", "The absence of a subject can be proved."
        )
    return entries


def entry_answer(trusted: TrustedRegister, item: RecordedEntry) -> RecordedEntryAnswer:
    register = register_of_kind(trusted.kind)
    entry = register.entry.from_json(item.entry)
    return RecordedEntryAnswer(
        action=register.actions[entry.action],
        status=register.statuses[entry.status],
        head=to_hex(entry.head),
        entry=dict(item.entry),
        approvers=list(item.approvers),
        transaction=to_hex(item.transaction_hash),
        block=item.block_number,
    )


def _public(register: Register, content: dict[str, Any]) -> dict[str, Any]:
    full, mandatory = Disclosure.from_json(content, "/content"), register.schema.mandatory
    return Disclosure(full.size, tuple(shown for shown in full.fields if shown.field.name in mandatory)).as_json()


def _may_read(office: Office, digest: bytes, token: str) -> bool:
    application = office.store.application_of_content(digest)
    return application is not None and office.applications.may_read(application, token)


def _own(trusted: TrustedRegister, record_id: bytes) -> str:
    return f"/v1/{trusted.kind}/records/{to_hex(record_id)}"


def _links(trusted: TrustedRegister, record_id: bytes) -> dict[str, str]:
    own = _own(trusted, record_id)
    return {
        "self": own,
        "history": f"{own}/history",
        "certificate": f"{own}/certificate",
        "pdf": f"{own}/certificate.pdf",
    }


def _file(content: dict[str, Any], name: str) -> JSONResponse:
    return JSONResponse(content, headers={"Content-Disposition": f'attachment; filename="{name}.json"'})
