"""What several routes need: the office, and parsed parts of the request."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request

from ledger.bootstrap import Office
from ledger.encoding import from_hex, parse_json
from ledger.errors import BadInput, TooLarge

MAX_JSON_BYTES = 16_384


def get_office(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


def get_record_id(
    record_id: Annotated[
        str, Path(pattern="^0[xX][0-9a-fA-F]{64}$", description="0x and 64 hex digits, from /v1/land/records?nib=")
    ],
) -> bytes:
    return from_hex(record_id, 32, "/recordId")


def get_nib(
    office: Annotated[Office, Depends(get_office)],
    nib: Annotated[str, Query(max_length=24, description="parcel number (NIB)", examples=["10.15.22.04.01234"])],
) -> str:
    """Raises BadInput when it is no parcel number."""
    office.applications.register.schema.validate_disclosed({"nib": nib})
    return nib


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


OfficeDep = Annotated[Office, Depends(get_office)]
RecordId = Annotated[bytes, Depends(get_record_id)]
Nib = Annotated[str, Depends(get_nib)]
Token = Annotated[str | None, Depends(get_token)]
JsonBody = Annotated[Any, Depends(read_json)]
