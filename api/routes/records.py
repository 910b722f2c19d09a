"""What the land register holds: newest entry, history, certificate, and the proof that it holds nothing."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, RedirectResponse, Response

from api.deps import Nib, OfficeDep, RecordId, Token
from api.schemas import HistoryAnswer, RecordAnswer, RecordedEntryAnswer
from ledger.bootstrap import Office
from ledger.content import Disclosure
from ledger.encoding import from_hex, to_hex
from ledger.errors import NeverRecorded, NotCertified, Refused, Unavailable
from ledger.model import RecordedEntry

MAX_PAGE = 100

router = APIRouter(prefix="/v1/land", tags=["records"])


@router.get("/records", status_code=303, response_class=RedirectResponse, summary="Find a record by parcel number")
def find(office: OfficeDep, nib: Nib) -> RedirectResponse:
    """Redirects to the record, whether or not anything was ever recorded."""
    record_id = office.applications.register.record_id({"nib": nib})
    return RedirectResponse(f"/v1/land/records/{to_hex(record_id)}", 303)


@router.get("/records/{record_id}", summary="The newest entry of a record")
def record(office: OfficeDep, record_id: RecordId) -> RecordAnswer:
    history = _history(office, record_id)
    return RecordAnswer(
        register=str(office.trusted.name),
        recordId=to_hex(record_id),
        asOfBlock=_followed(office),
        newest=_entry_answer(office, history[-1]),
        links=_links(record_id),
    )


@router.get("/records/{record_id}/history", summary="All entries of a record, oldest first")
def history(
    office: OfficeDep,
    record_id: RecordId,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 20,
    after: Annotated[int, Query(ge=0, lt=2**32, description="sequence number of the last entry already read")] = 0,
) -> HistoryAnswer:
    # The sequence numbers of a record are 1, 2, 3 … without a gap: `after` is also a position.
    entries = _history(office, record_id)[after : after + limit + 1]
    links = _links(record_id)
    if has_more := len(entries) > limit:
        links["next"] = f"{links['history']}?limit={limit}&after={after + limit}"
    return HistoryAnswer(
        recordId=to_hex(record_id),
        asOfBlock=_followed(office),
        entries=[_entry_answer(office, item) for item in entries[:limit]],
        has_more=has_more,
        links=links,
    )


@router.get("/records/{record_id}/certificate", summary="The certificate of the newest entry")
def certificate(office: OfficeDep, record_id: RecordId, token: Token) -> Response:
    """Without a token only the mandatory fields are disclosed. With the access token of the application that brought
    the newest content, all are. Either verifies offline."""
    newest = _history(office, record_id)[-1]
    found = office.store.certificate(str(office.trusted.name), record_id)
    # A certificate of an earlier entry would verify offline and be out of date: it is not given out.
    if found is None or found["entries"][-1] != newest.entry:
        raise NotCertified("The newest entry of this record has no certificate yet.", "Try again in a few seconds.")
    if token is None:
        found = found | {"content": _public(office, found["content"])}
    elif not _may_read(office, newest, token):
        raise Refused("The access token is not the one of this content.", "Leave it out for the public certificate.")
    return _file(found, "certificate.json")


@router.get("/absence", summary="Prove that nothing was ever recorded about a parcel")
def absence(office: OfficeDep, nib: Nib) -> Response:
    """A file that verifies offline, as of the newest final block."""
    return _file(office.certifier.absence({"nib": nib}).as_json(), "absence.json")


def _history(office: Office, record_id: bytes) -> list[RecordedEntry]:
    block = _followed(office)
    entries = office.store.history(str(office.trusted.name), record_id)
    if not entries:
        raise NeverRecorded(
            f"As of block {block} nothing was ever recorded under this id.", "links.absence proves it for a parcel."
        )
    return entries


def _followed(office: Office) -> int:
    block = office.store.cursor(str(office.trusted.name))
    if block is None:
        raise Unavailable("The chain has not been read yet.", "Try again in a few seconds.")
    return block


def _entry_answer(office: Office, item: RecordedEntry) -> RecordedEntryAnswer:
    register = office.applications.register
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


def _public(office: Office, content: dict[str, Any]) -> dict[str, Any]:
    full = Disclosure.from_json(content, "/content")
    mandatory = office.applications.register.schema.mandatory
    return Disclosure(full.size, tuple(shown for shown in full.fields if shown.field.name in mandatory)).as_json()


def _may_read(office: Office, newest: RecordedEntry, token: str) -> bool:
    application = office.store.application_of_content(from_hex(newest.entry["digest"], 32))
    return application is not None and office.applications.may_read(application, token)


def _links(record_id: bytes) -> dict[str, str]:
    own = f"/v1/land/records/{to_hex(record_id)}"
    return {"self": own, "history": f"{own}/history", "certificate": f"{own}/certificate"}


def _file(content: dict[str, Any], name: str) -> JSONResponse:
    return JSONResponse(content, headers={"Content-Disposition": f'attachment; filename="{name}"'})
