"""What is applied for in the register of land, and the payload that is made of it (ledger/land_actions.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ledger.encoding import keccak256, parse_address, to_hex
from ledger.errors import BadInput, Conflict, NotFound
from ledger.land_entry import LandEntry
from ledger.registers.forms import (
    MAX_DOCUMENTS,
    ONE,
    Change,
    Form,
    Known,
    RecordRequest,
    address,
    existing,
    free,
    newest,
    rank,
    word,
)

MAX_PARCELS = 50  # that a parcel is split into or made of

Draft = Callable[[Change, Known], dict[str, Any]]


def parcel_id(values: Mapping[str, Any]) -> bytes:
    """The id of a parcel's record."""
    # The dots only group the digits: written with and without them it is one parcel, so it must be one record.
    return keccak256(b"land/" + values["nib"].replace(".", "").encode())


def square_decimetres(area: str) -> int:
    """`412.50` (m²) as 41250 (dm²). Expects the form the schema checks."""
    return int(area.replace(".", ""))


def _title(request: RecordRequest, holder: str) -> dict[str, Any]:
    area = str(square_decimetres(request.fields["area"]))
    return {"recordId": to_hex(parcel_id(request.fields)), "holder": holder, "area": area}


def _new_titles(change: Change, known: Known, holder: str | None = None) -> list[dict[str, Any]]:
    free([parcel_id(request.fields) for request in change.records], known)
    return [_title(request, holder or parse_address(request.holder)) for request in change.records]


def _owner(record_id: bytes, known: Known) -> dict[str, Any]:
    """A title that exists, with its liens if it has any."""
    members = newest(existing(record_id, known), LandEntry)
    if members["current"]["liens"]:
        members["liens"] = known.revealed(bytes.fromhex(members["current"]["lienRoot"][2:]))
    return {"recordId": to_hex(record_id), **members}


def _of_one(record_id: bytes, known: Known) -> dict[str, Any]:
    owner = _owner(record_id, known)
    return {"records": [{"recordId": owner.pop("recordId")}], **owner}


def _plain(change: Change, known: Known) -> dict[str, Any]:
    return {**_of_one(parcel_id(change.subjects[0]), known), **change.details}


def _issue(change: Change, known: Known) -> dict[str, Any]:
    return {"records": _new_titles(change, known)}


def _content(change: Change, known: Known) -> dict[str, Any]:
    """New content of a title that exists: amend, transfer and assign."""
    fields = change.records[0].fields
    payload = {**_of_one(parcel_id(fields), known), **_addresses(change)}
    if str(square_decimetres(fields["area"])) != payload["current"]["area"]:
        raise BadInput("The area is not that of the title.", "A parcel's area never changes.", "/fields/area")
    return payload


def _addresses(change: Change) -> dict[str, str]:
    return {name: parse_address(value) for name, value in change.details.items()}


def _encumber(change: Change, known: Known) -> dict[str, Any]:
    creditor = parse_address(change.details["creditor"])
    return {**_plain(change, known), "creditor": creditor, "claim": change.details["claim"]}


def _release(change: Change, known: Known) -> dict[str, Any]:
    details = change.details
    creditor = parse_address(details["creditor"])
    lien = {"rank": int(details["rank"]), "creditor": creditor, "claim": details["claim"]}
    payload = _of_one(parcel_id(change.subjects[0]), known)
    if lien not in payload.get("liens", []):
        raise NotFound("The title has no such lien.", "Its certificate lists its liens; give one of them exactly.")
    return {**payload, "lien": lien}


def _complete(change: Change, known: Known) -> dict[str, Any]:
    record_id = parcel_id(change.subjects[0])
    approvers = list(existing(record_id, known)[-1].approvers)
    return {**_of_one(record_id, known), "approvers": approvers}


def _undo(change: Change, known: Known) -> dict[str, Any]:
    record_id = parcel_id(change.subjects[0])
    history = existing(record_id, known)
    if len(history) < 2:
        raise Conflict("This is the title's first entry: there is nothing before it to go back to.")
    return {**_of_one(record_id, known), "previous": dict(history[-2].entry)}


def _split(change: Change, known: Known) -> dict[str, Any]:
    parent = _owner(parcel_id(change.subjects[0]), known)
    return {"parents": [parent], "records": _new_titles(change, known, parent["current"]["holder"])}


def _merge(change: Change, known: Known) -> dict[str, Any]:
    parents = [_owner(parcel_id(subject), known) for subject in change.subjects]
    return {"parents": parents, "records": _new_titles(change, known, parents[0]["current"]["holder"])}


FORMS: Mapping[str, Form] = {
    "issue": Form("register parcels for the first time", records=(1, MAX_DOCUMENTS), holders=True),
    "amend": Form("correct the content of a title", records=ONE),
    "transfer": Form("pass a title on to a recipient", records=ONE, asks={"recipient": address}),
    "encumber": Form("put a lien on a title", ONE, asks={"creditor": address, "claim": word}),
    "release": Form("end a lien", ONE, asks={"rank": rank, "creditor": address, "claim": word}),
    "freeze": Form("stop a title from moving", ONE),
    "unfreeze": Form("let a frozen title move again", ONE),
    "assign": Form("pass a title on by judgment", records=ONE, asks={"recipient": address}),
    "split": Form("make several parcels of one", ONE, (2, MAX_PARCELS)),
    "merge": Form("make one parcel of several", (2, MAX_PARCELS), ONE),
    "retire": Form("end a title for ever", ONE),
    "complete": Form("end the waiting of an assignment or a transfer", ONE),
    "withdraw": Form("undo an assignment or a transfer that waits", ONE),
    "object": Form("object to a transfer that waits, as the holder before", ONE),
}
_DRAFTS: Mapping[str, Draft] = {
    "issue": _issue,
    "amend": _content,
    "transfer": _content,
    "encumber": _encumber,
    "release": _release,
    "freeze": _plain,
    "unfreeze": _plain,
    "assign": _content,
    "split": _split,
    "merge": _merge,
    "retire": _plain,
    "complete": _complete,
    "withdraw": _undo,
    "object": _undo,
}


def draft(change: Change, known: Known) -> dict[str, Any]:
    """See ledger.registers.base.Register.draft."""
    return _DRAFTS[change.action](change, known)


def heads_of_parents(retired: Sequence[bytes], parents: bytes) -> tuple[bytes, ...] | None:
    """Those of the heads that were retired just before, which the first entry of a new parcel names as its parents."""
    for count in range(1, len(retired) + 1):
        heads = tuple(sorted(retired[-count:]))
        if keccak256(b"".join(heads)) == parents:
            return heads
    return None
