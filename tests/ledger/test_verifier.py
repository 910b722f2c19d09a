from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ledger.certificate import parse
from ledger.encoding import keccak256, to_hex
from ledger.entries import approvals_hash
from ledger.errors import KhalayakError
from ledger.verdict import Verdict
from ledger.verifier import verify
from tests.builders import (
    BLOCK_NUMBER,
    BLOCK_TIME,
    DOCUMENT,
    FIELDS,
    HOLDER_NAME,
    REGISTRARS,
    World,
    address,
    as_bytes,
    content,
    cosigned,
    entries_of,
    header_rlp,
    trust_root,
    verifier_key,
)

WORLD = World()
VALID = WORLD.certificate().as_json()
MANDATORY = ("area", "nib", "right", "schema", "validity")


def states(verdict: Verdict) -> tuple[str, ...]:
    return tuple(verdict.axes[name].state for name in ("integrity", "status", "issuer"))


def refused_by(verdict: Verdict) -> int:
    assert not verdict.valid
    assert verdict.refusal is not None
    return verdict.refusal.number


def field_of(value: dict[str, Any], name: str) -> dict[str, Any]:
    return next(field for field in value["content"]["fields"] if field["name"] == name)  # type: ignore[no-any-return]


def test_a_true_certificate_is_valid_on_all_three_axes() -> None:
    verdict = verify(as_bytes(VALID), trust_root(), document=DOCUMENT)
    assert states(verdict) == ("valid", "valid", "valid")
    assert verdict.valid
    assert verdict.refusal is None
    assert (verdict.subject, verdict.block_number, verdict.block_time) == ("record", BLOCK_NUMBER, BLOCK_TIME)
    assert {c.outcome for c in verdict.checks} == {"passed"}
    assert [c.number for c in verdict.checks] == list(range(1, 13))


def _drop_mandatory(value: dict[str, Any]) -> None:
    value["content"]["fields"].remove(field_of(value, "validity"))


def _older_entry_only(value: dict[str, Any]) -> None:
    value["entries"].pop()
    value["approvers"].pop()


def _newest_entry_only(value: dict[str, Any]) -> None:
    value["entries"].pop(0)
    value["approvers"].pop(0)


def _other_header(value: dict[str, Any]) -> None:
    header = header_rlp(WORLD.accounts.root_hash, time=BLOCK_TIME - 1)
    value["state"]["header"] = to_hex(header)


TAMPERINGS: list[tuple[int, Callable[[dict[str, Any]], Any]]] = [
    (1, lambda v: v.update(format="khalayak-certificate@2")),
    (1, lambda v: v.update(more=1)),
    (1, lambda v: v.pop("entries")),
    (1, lambda v: v["entries"].clear()),
    (1, lambda v: v["approvers"].pop()),
    (1, lambda v: v.update(kind="ship")),
    (1, lambda v: v["entries"][0].update(sequence=-1)),
    (1, lambda v: v["state"].pop("authority")),
    (1, lambda v: v["state"]["register"]["slots"].update(other=[])),
    (1, lambda v: field_of(v, "document").update(value={"size": 2**53 + 1})),
    (1, lambda v: field_of(v, "document").update(value={"size": float("inf")})),
    (2, lambda v: v.update(register=f"eip155:1337:{address('other')}")),
    (2, lambda v: v.update(register=VALID["register"].replace("1337", "1"))),
    (3, lambda v: v["state"].update(header="0x")),
    (3, lambda v: v["state"].update(header=to_hex(header_rlp(WORLD.accounts.root_hash, time=2**63)))),
    (3, _other_header),
    (3, lambda v: v["state"].update(checkpoint="")),
    (4, lambda v: v["state"]["register"].update(account=VALID["state"]["authority"]["account"])),
    (4, lambda v: v["state"]["register"]["account"].pop()),
    (4, lambda v: v["state"]["register"]["account"].append("0x80")),
    (5, lambda v: v["state"]["register"]["slots"]["head"].pop()),
    (5, lambda v: v["state"]["register"]["slots"].update(head=[])),
    (5, lambda v: v.update(recordId=to_hex(keccak256(b"another parcel")))),
    (6, lambda v: v["entries"][-1].update(area="99999")),
    (6, lambda v: v["entries"][-1].update(holder=address("thief"))),
    (6, lambda v: v["entries"][-1].update(liens=0, status=2)),
    (6, _older_entry_only),
    (6, lambda v: v["entries"].reverse()),
    (7, _newest_entry_only),
    (7, lambda v: v["entries"][0].update(holder=address("thief"))),
    (7, lambda v: v["entries"][0].update(time=1)),
    (8, lambda v: field_of(v, "right").update(value="Hak Pakai")),
    (8, lambda v: field_of(v, "holder").update(value="Budi Santoso")),
    (8, lambda v: field_of(v, "area").update(value="999.99")),
    (8, lambda v: field_of(v, "nib").update(salt="A" * 22)),
    (8, lambda v: field_of(v, "nib")["path"].pop()),
    (8, lambda v: v["content"].update(size=8)),
    (8, lambda v: v["content"].update(size=10)),
    (8, lambda v: v["content"]["fields"].clear()),
    (8, _drop_mandatory),
    (9, lambda v: v["evidence"]["liens"].append({"rank": 1, "creditor": address("bank"), "claim": "0x" + "1a" * 32})),
    (9, lambda v: v["evidence"]["parents"].append("0x" + "1a" * 32)),
    (10, lambda v: v["approvers"][-1].pop()),
    (10, lambda v: v["approvers"][0].clear()),
    (10, lambda v: v["approvers"][-1].reverse()),
    (10, lambda v: v["approvers"][-1].append(address("stranger"))),
    (10, lambda v: v["state"]["authority"]["slots"].pop(REGISTRARS[0])),
    (10, lambda v: v["state"]["authority"]["slots"].update({REGISTRARS[0]: []})),
    (10, lambda v: v["state"]["authority"].update(account=VALID["state"]["register"]["account"])),
]
AXES = {2: ("unknown", "unknown", "invalid"), 10: ("unknown", "unknown", "invalid")}


@pytest.mark.parametrize(("number", "tamper"), TAMPERINGS)
def test_each_tampering_is_refused_by_its_own_check(number: int, tamper: Callable[[dict[str, Any]], Any]) -> None:
    value = copy.deepcopy(VALID)
    tamper(value)
    verdict = verify(as_bytes(value), trust_root(), document=DOCUMENT)
    assert refused_by(verdict) == number
    outcome = verdict.refusal.outcome if verdict.refusal else ""
    expected = AXES.get(number, ("invalid" if outcome == "failed" else "unknown", "unknown", "unknown"))
    assert states(verdict) == expected


def test_a_register_of_another_kind_or_code_is_refused() -> None:
    trusted = trust_root().registers[0]
    for number, wrong in (
        (2, replace(trusted, kind="identity")),
        (4, replace(trusted, code_hash=bytes(32))),
        (10, replace(trusted, authority_code_hash=bytes(32))),
        (10, replace(trusted, authority=address("no contract here"))),
    ):
        assert refused_by(verify(as_bytes(VALID), trust_root(registers=(wrong,)))) == number


def test_a_registrar_who_is_listed_twice_counts_once() -> None:
    twice = (REGISTRARS[0], REGISTRARS[0])
    entry = replace(entries_of(WORLD.record, count=1)[0], approvals=approvals_hash(twice))
    made = replace(World(record=WORLD.record, entries=(entry,)).certificate(), approvers=(twice,))
    assert refused_by(verify(as_bytes(made), trust_root())) == 10


@pytest.mark.parametrize(
    "changes",
    [
        {"nib": "10.15.22.05.00999"},
        {"area": "413.50"},
        {"schema": "land-title@2"},
        {"validity": "for ever"},
        {"holder": "\u202eitiS"},
        {"colour": "red"},
        {"nib": None},
        {"area": None},
    ],
)
def test_content_that_contradicts_the_entry_or_the_schema_is_refused(changes: dict[str, str]) -> None:
    # The office itself recorded this digest: the proofs hold, what they prove does not fit.
    verdict = verify(as_bytes(World(record=content(**changes)).certificate()), trust_root())
    assert refused_by(verdict) == 8
    assert states(verdict) == ("invalid", "unknown", "unknown")


def test_a_certificate_of_another_record_is_refused() -> None:
    other = World(record_id=keccak256(b"land/" + b"9" * 13))
    assert refused_by(verify(as_bytes(other.certificate()), trust_root())) == 8


@pytest.mark.parametrize("signers", [("a",), (), ("b",), ("a", "a"), ("c", "c", "c")])
def test_too_few_witnesses_leave_everything_unknown(signers: tuple[str, ...]) -> None:
    verdict = verify(as_bytes(WORLD.certificate(witnesses=signers)), trust_root(), document=DOCUMENT)
    assert refused_by(verdict) == 3
    assert states(verdict) == ("unknown", "unknown", "unknown")


@pytest.mark.parametrize("signers", [("a", "b"), ("b", "c"), ("c", "a"), ("a", "b", "c")])
def test_any_two_of_three_witnesses_are_enough(signers: tuple[str, ...]) -> None:
    assert verify(as_bytes(WORLD.certificate(witnesses=signers)), trust_root()).valid


def test_signatures_of_unknown_keys_do_not_count() -> None:
    trust = trust_root(witnesses=(verifier_key("a"), verifier_key("c")))
    assert refused_by(verify(as_bytes(WORLD.certificate(witnesses=("a", "b"))), trust)) == 3


@pytest.mark.parametrize("origin", ["demo/eip155:1", "other/eip155:1337"])
def test_a_checkpoint_of_another_chain_or_office_is_not_believed(origin: str) -> None:
    value = VALID | {"state": VALID["state"] | {"checkpoint": cosigned(WORLD.header, ("a", "b"), origin)}}
    verdict = verify(as_bytes(value), trust_root())
    assert (refused_by(verdict), states(verdict)[0]) == (3, "unknown")


def test_a_made_up_state_is_never_called_valid_on_any_axis() -> None:
    # Anybody can build a whole chain state in which the right contracts hold a title of their own.
    forged = World(record=content(holder="Maling"), time=BLOCK_TIME + 12)
    value = forged.certificate().as_json()
    value["state"]["checkpoint"] = VALID["state"]["checkpoint"]
    for trust in (trust_root(), trust_root(witnesses=()), None):
        assert states(verify(as_bytes(value), trust)) == ("unknown", "unknown", "unknown")


def test_a_supplied_block_hash_is_believed_without_witnesses() -> None:
    value = as_bytes(WORLD.certificate(witnesses=()))
    assert verify(value, trust_root(), block_hashes={BLOCK_NUMBER: keccak256(WORLD.header)}).valid
    assert verify(value, trust_root(witnesses=()), block_hashes={BLOCK_NUMBER: keccak256(WORLD.header)}).valid
    wrong = verify(value, trust_root(), block_hashes={BLOCK_NUMBER: bytes(32)})
    assert (refused_by(wrong), states(wrong)) == (3, ("invalid", "unknown", "unknown"))
    other = verify(value, trust_root(), block_hashes={BLOCK_NUMBER + 1: keccak256(WORLD.header)})
    assert (refused_by(other), states(other)) == (3, ("unknown", "unknown", "unknown"))


def test_a_supplied_block_hash_outweighs_the_witnesses() -> None:
    assert refused_by(verify(as_bytes(VALID), trust_root(), block_hashes={BLOCK_NUMBER: bytes(32)})) == 3


def test_without_a_trust_root_there_is_no_issuer() -> None:
    verdict = verify(as_bytes(VALID), None, block_hashes={BLOCK_NUMBER: keccak256(WORLD.header)})
    assert states(verdict) == ("valid", "valid", "unknown")
    assert refused_by(verdict) == 2


def test_a_verdict_holds_no_personal_data() -> None:
    for tamper in (lambda v: None, *(tamper for _, tamper in TAMPERINGS)):
        value = copy.deepcopy(VALID)
        tamper(value)
        text = json.dumps(verify(as_bytes(value), trust_root(), document=DOCUMENT).as_json(), ensure_ascii=False)
        for private in (HOLDER_NAME, FIELDS["holderBirth"], FIELDS["location"], "Budi Santoso"):
            assert private not in text
        assert not any(field["salt"] in text for field in VALID["content"]["fields"])


def test_nothing_to_verify_is_a_failure() -> None:
    for data in (b"", b"{}", b"[]", b"null", b"%PDF-1.7", b"\x00" * 100, b"[" * 100_000, b" " * ((4 << 20) + 1)):
        verdict = verify(data, trust_root())
        assert (refused_by(verdict), states(verdict)) == (1, ("invalid", "unknown", "unknown"))
        assert verdict.block_number is None


def test_what_the_verifier_takes_can_be_parsed_and_written_again() -> None:
    parsed = parse(as_bytes(VALID))
    assert parsed.as_json() == VALID
    with pytest.raises(KhalayakError):
        parse(as_bytes(VALID | {"entries": []}))
