"""The page of a record: where it stands, what happened to it, and whether something is on its way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from time import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.deps import OfficeDep, RecordId, Trusted
from api.pages.lookup import Missing, newer
from api.pages.page import PageRoute, Reader, page
from api.pages.view import field_rows
from api.routes import records
from ledger.bootstrap import Office
from ledger.encoding import to_hex
from ledger.errors import Erased, NeverRecorded, NotFound, Unavailable
from ledger.registers import register_of_kind
from ledger.registers.base import State
from ledger.trust import TrustedRegister

A_PAGE = 100

router = APIRouter(route_class=PageRoute)


@dataclass(frozen=True)
class Stand:
    """How a record stands by its public certificate: the status axis now, and the fields that nobody may withhold."""

    state: State
    reason: str
    values: Mapping[str, Any]


@router.get("/r/{kind}/{record_id}")
def record(
    request: Request,
    office: OfficeDep,
    trusted: Trusted,
    record_id: RecordId,
    to: Reader,
    after: Annotated[int, Query(ge=0, lt=2**32)] = 0,
) -> Response:
    """Shows what the public certificate shows, and no more."""
    on_its_way = newer(office, trusted, record_id)
    common = {"kind": trusted.kind, "id": to_hex(record_id), "on_its_way": on_its_way}
    try:
        found = records.record(office, trusted, record_id)
    except NeverRecorded:
        if on_its_way is None or on_its_way == "unknown":
            missing = Missing(office.state(trusted).followed(), "", asked=on_its_way is None)
            return page(request, "missing.html", 404, missing=missing)
        return page(request, "record.html", found=None, **common)
    shown = records.history(office, trusted, record_id, A_PAGE, after)
    erased = None
    try:
        stand = _stand(office, trusted, record_id, found.newest.entry)
    except Erased as error:
        stand, erased = None, error
    return page(
        request,
        "record.html",
        found=found,
        entries=[entry.model_dump() for entry in reversed(shown.entries)],
        earlier=after > 0,
        later=after + A_PAGE if shown.has_more else 0,
        stand=stand,
        erased=erased,
        fields=field_rows(stand.values, to) if stand else (),
        confirmations=found.asOfBlock - found.newest.block + 1,
        age=int(time()) - found.newest.entry["time"],
        raw=json.dumps(found.newest.entry, indent=1),
        **common,
    )


def _stand(office: Office, trusted: TrustedRegister, record_id: bytes, entry: Mapping[str, Any]) -> Stand | None:
    """None while the newest entry has no certificate, and for the series of a register of batches. Raises Erased."""
    try:
        answer = records.certificate(office, trusted, record_id, None)
    except Erased:
        raise
    except (NotFound, Unavailable):
        return None
    values = {field["name"]: field["value"] for field in json.loads(bytes(answer.body))["content"]["fields"]}
    register = register_of_kind(trusted.kind)
    state, reason = register.status(values, register.entry.from_json(entry), int(time()))
    return Stand(state, reason, values)
