"""What is signed for each change of a land title, who signs it, and how the contract is called (contracts/Land*.sol).

An application's payload holds `deadline` and `records`. For a change of one title, `records` has that title
(`recordId`; `digest` too where the content changes), `head` and `current` are its newest head and entry. For a split
and a merge `records` are the children (recordId, digest, holder, area) and `parents` the titles they come from, each
with `recordId`, `head`, `current` and, for a merge, `liens`. Beside these: `recipient` (transfer, assign), `creditor`
and `claim` (encumber), `lien` (release), `liens` (those on the title: encumber, release, transfer), `previous`
(withdraw, object: the entry before the newest), `approvers` (complete: those of the newest entry).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger import codec
from ledger.encoding import from_hex
from ledger.land_entry import ENTRY, LIENS, LandEntry, Lien
from ledger.model import Approval

Payload = Mapping[str, Any]

_TITLE = "(bytes32,bytes32,address,uint64)"
_CHANGE = "(bytes32,address,bytes32,uint256)"
_CONSENT = "(bytes,bytes[])"
_ENDED = "(bytes32,(uint16,address,bytes32),uint256)"
_NOTHING_ELSE = ("bytes32", "uint256", ENTRY)


@dataclass(frozen=True)
class LandAction:
    """One function of the contract. `struct` is the primary type that is signed, empty if none is; `message` makes it
    of a payload. `arguments` are those of the call but for the approvals, which are the last if `approvers` names
    the roles that give them. `signers` says whose own signatures the action needs."""

    function: str
    types: tuple[str, ...]
    arguments: Callable[[Payload, Mapping[str, bytes]], list[Any]]
    struct: str = ""
    message: Callable[[Payload], dict[str, Any]] = lambda payload: {}
    signers: Callable[[Payload], dict[str, str]] = lambda payload: {}
    approvers: tuple[str, ...] = ("registrar",)

    @property
    def all_types(self) -> tuple[str, ...]:
        return (*self.types, codec.APPROVALS) if self.approvers else self.types

    def calldata(self, payload: Payload, approvals: Sequence[Approval]) -> bytes:
        arguments = self.arguments(payload, {a.role: a.signature for a in approvals})
        if self.approvers:
            arguments.append(codec.approvals_of(approvals, *self.approvers))
        return codec.call(self.function, self.all_types, arguments)


def action_of(name: str, payload: Payload) -> LandAction:
    """The function that an application's action calls: a transfer of a title with liens calls one of its own."""
    return TRANSFER_ENCUMBERED if name == "transfer" and payload.get("liens") else ACTIONS[name]


def _id(record: Payload) -> bytes:
    return from_hex(record["recordId"], 32)


def _title(record: Payload) -> dict[str, Any]:
    digest, area = from_hex(record["digest"], 32), int(record["area"])
    return {"recordId": _id(record), "digest": digest, "holder": record["holder"], "area": area}


def _title_words(payload: Payload) -> list[tuple[Any, ...]]:
    return [tuple(_title(record).values()) for record in payload["records"]]


def _liens(owner: Payload) -> list[Lien]:
    return [Lien.from_json(lien, f"/liens/{i}") for i, lien in enumerate(owner.get("liens", []))]


def _lien_words(owner: Payload) -> list[tuple[int, str, bytes]]:
    return [lien.words() for lien in _liens(owner)]


def _entry(owner: Payload, name: str = "current") -> LandEntry:
    return LandEntry.from_json(owner[name])


def _base(payload: Payload, **more: Any) -> dict[str, Any]:
    message = {"recordId": _id(payload["records"][0]), "head": from_hex(payload["head"], 32)}
    return {**message, **more, "deadline": payload["deadline"]}


def _digest(payload: Payload) -> bytes:
    return from_hex(payload["records"][0]["digest"], 32)


def _moved(payload: Payload) -> dict[str, Any]:
    return _base(payload, recipient=payload["recipient"], digest=_digest(payload))


def _encumbered(payload: Payload) -> dict[str, Any]:
    return _base(payload, creditor=payload["creditor"], claim=from_hex(payload["claim"], 32))


def _issued(payload: Payload) -> dict[str, Any]:
    return {"titles": [_title(record) for record in payload["records"]], "deadline": payload["deadline"]}


def _split(payload: Payload) -> dict[str, Any]:
    (parent,) = payload["parents"]
    children = [_title(record) for record in payload["records"]]
    head = from_hex(parent["head"], 32)
    return {"recordId": _id(parent), "head": head, "children": children, "deadline": payload["deadline"]}


def _ascending(payload: Payload) -> list[Payload]:
    return sorted(payload["parents"], key=lambda parent: from_hex(parent["head"], 32))


def _merged(payload: Payload) -> dict[str, Any]:
    parents = _ascending(payload)
    ids, heads = [_id(parent) for parent in parents], [from_hex(parent["head"], 32) for parent in parents]
    (child,) = payload["records"]
    return {"recordIds": ids, "heads": heads, "child": _title(child), "deadline": payload["deadline"]}


def _words(message: Mapping[str, Any]) -> tuple[Any, ...]:
    """The Solidity struct that asks for what is signed: without the head, which the contract knows."""
    return tuple(value for name, value in message.items() if name != "head")


def _creditor_roles(owners: Sequence[Payload]) -> dict[str, str]:
    creditors = [lien.creditor for owner in owners for lien in _liens(owner)]
    return {"creditor" if i == 1 else f"creditor {i}": creditor for i, creditor in enumerate(creditors, 1)}


def _consent(given: Mapping[str, bytes], owners: Sequence[Payload]) -> tuple[bytes, list[bytes]]:
    return given["holder"], [given[role] for role in _creditor_roles(owners)]


def _holder(payload: Payload) -> dict[str, str]:
    return {"holder": _entry(payload).holder}


def _parents_holder(payload: Payload) -> dict[str, str]:
    return _holder(payload["parents"][0])


def _parties(payload: Payload) -> dict[str, str]:
    return {**_holder(payload), "recipient": payload["recipient"]}


def _simple(payload: Payload, *more: Any) -> list[Any]:
    return [*_words(_base(payload)), _entry(payload).words(), *more]


def _ended_lien(payload: Payload) -> Lien:
    return Lien.from_json(payload["lien"], "/lien")


def _by_court(function: str, struct: str) -> LandAction:
    return LandAction(function, _NOTHING_ELSE, lambda p, given: _simple(p), struct, _base, approvers=("court",))


ACTIONS: Mapping[str, LandAction] = {
    "issue": LandAction(
        "issue",
        (f"{_TITLE}[]", "uint256"),
        lambda p, given: [_title_words(p), p["deadline"]],
        "IssueTitles",
        _issued,
    ),
    "amend": LandAction(
        "amend",
        ("bytes32", "bytes32", "uint256", ENTRY),
        lambda p, given: [*_words(_base(p, digest=_digest(p))), _entry(p).words()],
        "AmendTitle",
        lambda p: _base(p, digest=_digest(p)),
    ),
    "transfer": LandAction(
        "transfer",
        (_CHANGE, ENTRY, "bytes", "bytes"),
        lambda p, given: [_words(_moved(p)), _entry(p).words(), given["holder"], given["recipient"]],
        "TransferTitle",
        _moved,
        _parties,
    ),
    "encumber": LandAction(
        "encumber",
        (_CHANGE, ENTRY, LIENS, "bytes"),
        lambda p, given: [_words(_encumbered(p)), _entry(p).words(), _lien_words(p), given["holder"]],
        "EncumberTitle",
        _encumbered,
        _holder,
    ),
    "release": LandAction(
        "release",
        (_ENDED, ENTRY, LIENS, "bytes"),
        lambda p, given: [
            (_id(p["records"][0]), _ended_lien(p).words(), p["deadline"]),
            _entry(p).words(),
            _lien_words(p),
            given["creditor"],
        ],
        "ReleaseLien",
        lambda p: _base(p, **vars(_ended_lien(p))),
        lambda p: {"creditor": _ended_lien(p).creditor},
    ),
    "freeze": _by_court("freeze", "FreezeTitle"),
    "unfreeze": _by_court("unfreeze", "UnfreezeTitle"),
    "assign": LandAction(
        "assign",
        (_CHANGE, ENTRY, "bytes"),
        lambda p, given: [_words(_moved(p)), _entry(p).words(), given["recipient"]],
        "AssignTitle",
        _moved,
        lambda p: {"recipient": p["recipient"]},
        ("registrar", "court"),
    ),
    "split": LandAction(
        "split",
        (f"(bytes32,{_TITLE}[],uint256)", ENTRY, "bytes"),
        lambda p, given: [
            (_id(p["parents"][0]), _title_words(p), p["deadline"]),
            _entry(p["parents"][0]).words(),
            given["holder"],
        ],
        "SplitTitle",
        _split,
        _parents_holder,
    ),
    "merge": LandAction(
        "merge",
        (f"(bytes32[],{_TITLE},uint256)", f"{ENTRY}[]", f"{LIENS}[]", _CONSENT),
        lambda p, given: [
            (_merged(p)["recordIds"], _title_words(p)[0], p["deadline"]),
            [_entry(parent).words() for parent in _ascending(p)],
            [_lien_words(parent) for parent in _ascending(p)],
            _consent(given, _ascending(p)),
        ],
        "MergeTitles",
        _merged,
        lambda p: {**_parents_holder(p), **_creditor_roles(_ascending(p))},
    ),
    "retire": LandAction(
        "retire",
        (*_NOTHING_ELSE, "bytes"),
        lambda p, given: _simple(p, given["holder"]),
        "RetireTitle",
        _base,
        _holder,
    ),
    "complete": LandAction(
        "complete",
        ("bytes32", ENTRY, "address[]"),
        lambda p, given: [_id(p["records"][0]), _entry(p).words(), p["approvers"]],
        approvers=(),
    ),
    "withdraw": LandAction(
        "withdraw",
        (*_NOTHING_ELSE, ENTRY),
        lambda p, given: _simple(p, _entry(p, "previous").words()),
        "WithdrawPending",
        _base,
        approvers=("court",),
    ),
    "object": LandAction(
        "objectToTransfer",
        (*_NOTHING_ELSE, ENTRY, "bytes"),
        lambda p, given: _simple(p, _entry(p, "previous").words(), given["holder"]),
        "ObjectToTransfer",
        _base,
        lambda p: {"holder": _entry(p, "previous").holder},
        (),
    ),
}
TRANSFER_ENCUMBERED = LandAction(
    "transferEncumbered",
    (_CHANGE, ENTRY, LIENS, _CONSENT, "bytes"),
    lambda p, given: [
        _words(_moved(p)),
        _entry(p).words(),
        _lien_words(p),
        _consent(given, [p]),
        given["recipient"],
    ],
    "TransferTitle",
    _moved,
    lambda p: {**_parties(p), **_creditor_roles([p])},
)
