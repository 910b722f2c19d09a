"""Applying for a change of a register, and approving it."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, File, Header, Path, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from api.deps import JsonBody, OfficeDep, RunningDep, Trusted
from api.schemas import Accepted, GivenApproval, Status
from ledger.applications import CLOSED, Receipt
from ledger.bootstrap import Office
from ledger.encoding import exact_object, from_hex, parse_address, parse_json, to_hex
from ledger.errors import BadInput
from ledger.model import Application
from ledger.registers.forms import parse_change
from ledger.trust import TrustedRegister

MAX_REQUEST_BYTES = 8_000_000
WAITING_FOR_US = ("submitted", "approved", "signed")
ROLE = "registrar|court|holder|recipient|creditor( [1-9][0-9]{0,2})?"

router = APIRouter(prefix="/v1", tags=["applications"])

IdempotencyKey = Annotated[
    str,
    Header(min_length=1, max_length=255, pattern="^[!-~]+$", description="the same key and body never apply twice"),
]
ApplicationId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]

_APPROVAL_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["signer", "role", "signature"],
                    "properties": {
                        "signer": {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"},
                        "role": {"type": "string", "pattern": f"^({ROLE})$"},
                        "signature": {"type": "string", "pattern": "^0x[0-9a-fA-F]{130}$"},
                    },
                }
            }
        },
    }
}


@router.post("/{kind}/{action}", status_code=201, summary="Apply for a change of a register")
def apply(
    office: OfficeDep,
    trusted: Trusted,
    action: Annotated[str, Path(pattern="^[a-zA-Z]{1,40}$", examples=["issue"])],
    request: Annotated[UploadFile, File(description="JSON: what the action's form in /v1/registers asks for")],
    idempotency_key: IdempotencyKey,
    running: RunningDep,
    documents: Annotated[
        list[UploadFile] | None, File(description="a PDF a record, in order, where one belongs to it")
    ] = None,
) -> Accepted:
    """`request` is {"records": [{"fields": {…}, "holder": "0x…", "reader": "0x…"}], "subjects": [{…}]} with the
    action's details beside them; `reader` is the holder's X25519 key, where he wants to open the document himself.
    Documents are sealed and stored, and the application waits for its approvals. `accessToken` opens the full
    certificate: keep it."""
    value = parse_json(request.file.read(), MAX_REQUEST_BYTES, "The part request")
    change = parse_change(action, value, [document.file.read() for document in documents or []])
    with running.alone(idempotency_key):
        return _accepted(office, trusted, office.applications.submit(trusted.kind, change, idempotency_key))


@router.get("/applications/{application_id}", response_model=Status, summary="Where an application stands")
def status(office: OfficeDep, application_id: ApplicationId, request: Request) -> Response:
    """Holds no personal data. Send the ETag back as If-None-Match: 304 says that nothing has changed."""
    answer = JSONResponse(_status(office, office.store.application(application_id)).model_dump())
    tag = f'"{sha256(bytes(answer.body)).hexdigest()[:32]}"'
    if tag in request.headers.get("if-none-match", ""):
        answer = Response(status_code=304)  # type: ignore[assignment]
    answer.headers["ETag"] = tag
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@router.get("/applications/{application_id}/typed-data", summary="What every approver signs")
def typed_data(office: OfficeDep, application_id: ApplicationId) -> dict[str, Any]:
    """EIP-712, in the form that eth_signTypedData_v4 takes."""
    return office.applications.typed_data(office.store.application(application_id)).as_dict()


@router.post("/applications/{application_id}/approvals", summary="Approve", openapi_extra=_APPROVAL_BODY)
def approve(office: OfficeDep, application_id: ApplicationId, body: JsonBody) -> Status:
    """Adds one signature over the typed data. The same one again changes nothing."""
    given = exact_object(body, {"signer", "role", "signature"}, "")
    signer, signature = parse_address(given["signer"], "/signer"), from_hex(given["signature"], 65, "/signature")
    role = given["role"]
    if not isinstance(role, str) or not re.fullmatch(ROLE, role):
        raise BadInput("/role: expected a role that the application still misses.", "", "/role")
    return _status(office, office.applications.approve(application_id, signature, signer, role))


def _accepted(office: Office, trusted: TrustedRegister, receipt: Receipt) -> Accepted:
    application, links = receipt.application, _links(office, receipt.application)
    return Accepted(
        id=application.id,
        # As it was when it was taken in, so that a replay gives the same answer; links.status says how it is now.
        state="submitted",
        accessToken=receipt.access_token,
        recordIds=_record_ids(application),
        missing=office.applications.required(application),
        typedData=links["typedData"],
        links=links,
    )


def _status(office: Office, application: Application) -> Status:
    transaction = office.store.transaction_of(application.id)
    waiting = application.state == "submitted"
    return Status(
        id=application.id,
        action=application.action,
        state=application.state,
        accepted=application.state not in ("refused", "failed"),
        final=application.state in ("final", "certified"),
        reason=CLOSED if office.closed and application.state in WAITING_FOR_US else application.reason,
        created=application.created,
        deadline=application.payload["deadline"],
        recordIds=_record_ids(application),
        approvals=[GivenApproval(signer=a.signer, role=a.role) for a in office.store.approvals(application.id)],
        missing=office.applications.missing(application) if waiting else [],
        transaction=to_hex(transaction.hash) if transaction else None,
        block=transaction.block_number if transaction else None,
        links=_links(office, application),
    )


def _record_ids(application: Application) -> list[str]:
    return [record["recordId"] for record in application.payload["records"]]


def _links(office: Office, application: Application) -> dict[str, str]:
    kind = office.trust.register_named(application.register).kind
    status, record = f"/v1/applications/{application.id}", f"/v1/{kind}/records/{_record_ids(application)[0]}"
    return {
        "status": status,
        "typedData": f"{status}/typed-data",
        "approvals": f"{status}/approvals",
        "record": record,
        "certificate": f"{record}/certificate",
    }
