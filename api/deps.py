"""What several routes need: the office, and parsed parts of the request."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Header, Path, Request

from api.running import Running
from ledger.bootstrap import Office
from ledger.certificate import parse_subject
from ledger.encoding import from_hex, parse_json
from ledger.errors import BadInput, NotFound, TooLarge
from ledger.registers import register_of_kind
from ledger.trust import TrustedRegister

MAX_JSON_BYTES = 16_384


def get_office(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


def get_running(request: Request) -> Running:
    running: Running = request.app.state.running
    return running


def get_record_id(
    record_id: Annotated[
        str, Path(pattern="^0[xX][0-9a-fA-F]{64}$", description="0x and 64 hex digits, from /v1/{kind}/records?…")
    ],
) -> bytes:
    return from_hex(record_id, 32, "/recordId")


def get_trusted(
    office: Annotated[Office, Depends(get_office)],
    kind: Annotated[str, Path(pattern="^[a-z]{1,40}$", description="kind of register", examples=["land"])],
) -> TrustedRegister:
    """Raises NotFound when the office has no such register."""
    try:
        return office.trust.register_of_kind(kind)
    except BadInput as error:
        raise NotFound(error.message, "GET /v1/registers lists those there are.") from None


def get_subject(trusted: Annotated[TrustedRegister, Depends(get_trusted)], request: Request) -> dict[str, str]:
    """The query, which names a record by the fields that its id is made of. Raises BadInput."""
    register = register_of_kind(trusted.kind)
    subject = dict(request.query_params)
    if len(subject) < len(request.query_params.multi_items()) or subject.keys() != set(register.subject_fields):
        raise BadInput(f"The query must be {' and '.join(register.subject_fields)}, each once.", "", "/subject")
    return parse_subject(register, subject)


def get_token(
    authorization: Annotated[str | None, Header(description="Bearer and the access token of the application")] = None,
) -> str | None:
    """The bearer token (RFC 6750), None without an Authorization header. Raises BadInput for another scheme."""
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise BadInput("The Authorization header must be Bearer and an access token.", "Leave it out for public data.")
    return token.strip()


async def read_json(request: Request) -> Any:
    """The body as strict JSON, whatever its Content-Type. Raises TooLarge, BadInput."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise TooLarge(f"The body has more than {MAX_JSON_BYTES:,} bytes.")
    return parse_json(body, MAX_JSON_BYTES, "The body")


RunningDep = Annotated[Running, Depends(get_running)]
OfficeDep = Annotated[Office, Depends(get_office)]
RecordId = Annotated[bytes, Depends(get_record_id)]
Trusted = Annotated[TrustedRegister, Depends(get_trusted)]
Subject = Annotated[dict[str, str], Depends(get_subject)]
Token = Annotated[str | None, Depends(get_token)]
JsonBody = Annotated[Any, Depends(read_json)]
