"""Applying for a change of the land register, and approving it."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Header, Path, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from api.deps import JsonBody, OfficeDep, RecordId
from api.schemas import Accepted, GivenApproval, Status
from ledger.applications import Receipt, RecordRequest
from ledger.bootstrap import Office
from ledger.encoding import exact_object, from_hex, parse_address, parse_json, to_hex
from ledger.errors import BadInput
from ledger.model import Application

MAX_FIELDS_BYTES = 65_536
ROLES = ("registrar", "holder", "recipient")

router = APIRouter(prefix="/v1", tags=["applications"])

Fields = Annotated[str, Form(description="JSON object with the strings of the schema land-title@1")]
Holder = Annotated[str, Form(description="address of the holder, fresh for this title", examples=["0x" + "1a" * 20])]
Document = Annotated[UploadFile, File(description="the deed, a PDF of at most 25 MB")]
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
                        "role": {"enum": list(ROLES)},
                        "signature": {"type": "string", "pattern": "^0x[0-9a-fA-F]{130}$"},
                    },
                }
            }
        },
    }
}


@router.post("/land/titles", status_code=201, summary="Apply for a first registration")
def apply_for_title(
    office: OfficeDep, fields: Fields, holder: Holder, document: Document, idempotency_key: IdempotencyKey
) -> Accepted:
    """Seals and stores the document and waits for approvals. `accessToken` opens the full certificate: keep it."""
    request = _record_request(fields, holder, document)
    return _accepted(office, office.applications.submit_issue([request], idempotency_key))


@router.post("/land/titles/{record_id}/transfer", status_code=201, summary="Apply for a transfer")
def apply_for_transfer(
    office: OfficeDep,
    record_id: RecordId,
    fields: Fields,
    holder: Holder,
    document: Document,
    idempotency_key: IdempotencyKey,
) -> Accepted:
    """`holder` is the recipient's address, `fields` the whole new content. Holder, recipient and registrars sign."""
    request = _record_request(fields, holder, document)
    office.applications.register.schema.validate(request.fields)
    if office.applications.register.record_id(request.fields) != record_id:
        raise BadInput("The fields are about another parcel than the path.", "Check the NIB.", "/fields/nib")
    return _accepted(office, office.applications.submit_transfer(request, idempotency_key))


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
    return office.applications.register.typed_data(office.store.application(application_id)).as_dict()


@router.post("/applications/{application_id}/approvals", summary="Approve", openapi_extra=_APPROVAL_BODY)
def approve(office: OfficeDep, application_id: ApplicationId, body: JsonBody) -> Status:
    """Adds one signature over the typed data. The same one again changes nothing."""
    given = exact_object(body, {"signer", "role", "signature"}, "")
    signer, signature = parse_address(given["signer"], "/signer"), from_hex(given["signature"], 65, "/signature")
    if given["role"] not in ROLES:
        raise BadInput(f"/role: expected one of {', '.join(ROLES)}.", "", "/role")
    return _status(office, office.applications.approve(application_id, signature, signer, given["role"]))


def _record_request(fields: str, holder: str, document: UploadFile) -> RecordRequest:
    values = parse_json(fields.encode("utf-8", "surrogatepass"), MAX_FIELDS_BYTES, "The part fields")
    if not isinstance(values, dict):
        raise BadInput("The part fields must be a JSON object.", "", "/fields")
    return RecordRequest(values, holder, document.file.read())


def _accepted(office: Office, receipt: Receipt) -> Accepted:
    application, applications = receipt.application, office.applications
    signers: list[str] = [*applications.register.signers(application)]
    links = _links(application)
    return Accepted(
        id=application.id,
        # As it was when it was taken in, so that a replay gives the same answer; links.status says how it is now.
        state="submitted",
        accessToken=receipt.access_token,
        recordIds=_record_ids(application),
        missing=signers + ["registrar"] * applications.policy().threshold,
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
        reason=application.reason,
        created=application.created,
        deadline=application.payload["deadline"],
        recordIds=_record_ids(application),
        approvals=[GivenApproval(signer=a.signer, role=a.role) for a in office.store.approvals(application.id)],
        missing=office.applications.missing(application) if waiting else [],
        transaction=to_hex(transaction.hash) if transaction else None,
        block=transaction.block_number if transaction else None,
        links=_links(application),
    )


def _record_ids(application: Application) -> list[str]:
    return [record["recordId"] for record in application.payload["records"]]


def _links(application: Application) -> dict[str, str]:
    status, record = f"/v1/applications/{application.id}", f"/v1/land/records/{_record_ids(application)[0]}"
    return {
        "status": status,
        "typedData": f"{status}/typed-data",
        "approvals": f"{status}/approvals",
        "record": record,
        "certificate": f"{record}/certificate",
    }
