from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from ledger.encoding import ZERO32, to_hex
from ledger.entries import approvals_hash, verify_history
from ledger.errors import BadInput, InvalidProof
from ledger.model import Application, Approval, Log
from ledger.registers.identity import ARGUMENTS, REGISTER, SCHEMA, STRUCTS, IdentityEntry
from tests.builders import REGISTER_ADDRESS, REGISTRARS, address
from wallet.typed_data import TypedData

CONTRACT = json.loads(Path("contracts/artifacts/IdentityRegister.json").read_text())
RECORD_ID = keccak(b"32 random bytes")
FIELDS = {
    "recordId": to_hex(RECORD_ID),
    "kind": "citizen",
    "validity": "2030-12-31",
    "name": "Siti Rahayu",
    "birthDate": "1979-03-14",
    "birthPlace": "Sleman",
    "address": "Jalan Kaliurang 7",
    "nationality": "ID",
}
END = 1_924_992_000  # 2031-01-01T00:00:00Z: the day of the validity is over
DEADLINE = 1_800_000_000
BLOCK, TIME = 77, 1_700_000_000
NAME = f"eip155:1337:{REGISTER_ADDRESS}"
SIGNED = [Approval(signer, "registrar", bytes([n]) * 65) for n, signer in enumerate(REGISTRARS, 1)]
HOLDERS = [Approval(address("old"), "holder", b"h" * 65), Approval(address("new"), "recipient", b"r" * 65)]
PLAIN = ["suspend", "reinstate", "revoke"]


def entry(sequence: int = 1, **changes: Any) -> IdentityEntry:
    first = IdentityEntry(ZERO32, sequence, TIME, 1, 1, keccak(b"d"), approvals_hash(REGISTRARS), address("old"), END)
    return replace(first, **changes)


BEFORE = entry()
CURRENT = entry(2, previous=BEFORE.head, status=4, controller=address("new"))


def application(action: str, count: int = 1) -> Application:
    record = {"digest": to_hex(keccak(b"new")), "controller": address("new"), "validUntil": str(END + 86400)}
    records = [{"recordId": to_hex(RECORD_ID if n == 0 else keccak(bytes([n]))), **record} for n in range(count)]
    payload: dict[str, Any] = {"deadline": DEADLINE, "records": records}
    if action != "issue":
        payload |= {"head": to_hex(CURRENT.head), "current": CURRENT.as_json(), "before": BEFORE.as_json()}
    return Application("id", NAME, action, payload, "approved", 0, bytes(32))


def arguments(action: str, count: int = 1) -> list[Any]:
    """What the contract gets, by the types that the artifact has."""
    data = REGISTER.calldata(application(action, count), [*HOLDERS, *SIGNED[::-1]])
    assert data[:4] == function_signature_to_4byte_selector(f"{action}({','.join(ARGUMENTS[action])})")
    return list(decode(ARGUMENTS[action], data[4:]))


def is_entry(words: Any, wanted: IdentityEntry) -> bool:
    return keccak(encode([f"({','.join(f.metadata['abi'] for f in _fields())})"], [words])) == wanted.head


def _fields() -> list[Any]:
    return list(IdentityEntry.__dataclass_fields__.values())


REGISTRARS_SIGNED = tuple((a.signer.lower(), a.signature) for a in SIGNED)
NEW = address("new").lower()


@pytest.mark.parametrize("count", [1, 3])
def test_an_issue_is_called_with_every_identity(count: int) -> None:
    identities, deadline, approvals = arguments("issue", count)
    ids = [RECORD_ID, keccak(b"\x01"), keccak(b"\x02")][:count]
    assert list(identities) == [(record_id, keccak(b"new"), NEW, END + 86400) for record_id in ids]
    assert (deadline, tuple(approvals)) == (DEADLINE, REGISTRARS_SIGNED)


@pytest.mark.parametrize(
    ("action", "rest"),
    [
        ("renew", [keccak(b"new"), END + 86400, DEADLINE, REGISTRARS_SIGNED]),
        ("rotate", [NEW, DEADLINE, b"h" * 65, b"r" * 65, REGISTRARS_SIGNED]),
        ("recover", [NEW, DEADLINE, REGISTRARS_SIGNED]),
        *[(action, [DEADLINE, REGISTRARS_SIGNED]) for action in PLAIN],
    ],
)
def test_a_change_is_called_with_the_current_entry_and_what_it_asks_for(action: str, rest: list[Any]) -> None:
    record_id, current, *others = arguments(action)
    assert record_id == RECORD_ID and is_entry(current, CURRENT)
    assert others == rest


@pytest.mark.parametrize(("action", "rest"), [("confirm", []), ("veto", [DEADLINE, b"h" * 65])])
def test_a_recovery_ends_with_the_entry_before_it(action: str, rest: list[Any]) -> None:
    record_id, current, before, *others = arguments(action)
    assert record_id == RECORD_ID and is_entry(current, CURRENT) and is_entry(before, BEFORE)
    assert others == rest


@pytest.mark.parametrize("action", STRUCTS)
def test_what_is_signed_names_the_record_its_head_and_a_deadline(action: str) -> None:
    data = REGISTER.typed_data(application(action))
    assert (data.domain.name, data.domain.chain_id) == ("IdentityRegister", 1337)
    assert data.domain.verifying_contract == REGISTER_ADDRESS
    message = dict(data.message)
    assert (message.pop("recordId"), message.pop("head")) == (RECORD_ID, CURRENT.head)
    assert message.pop("deadline") == DEADLINE
    asked = {
        "renew": {"digest": keccak(b"new"), "validUntil": END + 86400},
        "rotate": {"controller": address("new")},
        "recover": {"controller": address("new")},
    }
    assert message == asked.get(action, {})
    assert TypedData.from_dict(json.loads(json.dumps(data.as_dict()))) == data


def test_no_two_actions_sign_the_same() -> None:
    assert len({REGISTER.typed_data(application(action)).digest() for action in [*STRUCTS, "issue"]}) == 8


def test_nobody_signs_a_confirmation() -> None:
    with pytest.raises(BadInput, match="Nobody signs"):
        REGISTER.typed_data(application("confirm"))


def test_a_rotation_needs_both_controllers_a_veto_the_one_in_force_and_the_rest_none() -> None:
    rotated = replace(application("rotate"), payload={**application("rotate").payload, "current": BEFORE.as_json()})
    assert REGISTER.signers(rotated) == {"holder": address("old"), "recipient": address("new")}
    assert REGISTER.signers(application("veto")) == {"holder": address("old")}
    for action in ("issue", "renew", "recover", "confirm", *PLAIN):
        assert REGISTER.signers(application(action)) == {}


# Status


@pytest.mark.parametrize(
    ("status", "seen"), [(1, "valid"), (2, "invalid"), (3, "invalid"), (4, "unknown"), (9, "invalid")]
)
def test_status_is_that_of_the_entry(status: int, seen: str) -> None:
    state, reason = REGISTER.status({}, entry(status=status), TIME)
    assert state == seen and reason


@given(st.integers(0, 2**40 - 1), st.sampled_from([1, 2, 3, 4]))
def test_an_identity_is_not_valid_from_its_end_on(time: int, status: int) -> None:
    state, _ = REGISTER.status({}, entry(status=status), time)
    assert state == ("invalid" if time >= END else {1: "valid", 4: "unknown"}.get(status, "invalid"))


def test_the_last_second_is_in_and_the_next_is_out() -> None:
    assert REGISTER.status({}, entry(), END - 1) == ("valid", "active")
    assert REGISTER.status({}, entry(), END) == ("invalid", "the identity has expired")


# Content


def test_the_fields_of_an_identity_are_accepted() -> None:
    SCHEMA.validate(FIELDS)
    SCHEMA.validate({name: FIELDS[name] for name in FIELDS if name not in ("address", "nationality")})
    assert REGISTER.record_id(FIELDS) == RECORD_ID


def test_everything_about_the_person_may_be_withheld() -> None:
    assert SCHEMA.mandatory == {"schema", "recordId", "kind", "validity"}
    assert REGISTER.subject_fields == ("recordId",)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("recordId", ["", "0x00", FIELDS["recordId"][2:], FIELDS["recordId"] + "00", "0X" + "a" * 64, "0x" + "A" * 64]),
        ("kind", ["", "x" * 61]),
        ("validity", ["", "unlimited", "2030-02-30"]),
        ("name", ["", "x" * 201, "a\x00"]),
        ("birthDate", ["", "14-03-1979"]),
        ("birthPlace", ["", "x" * 201]),
        ("address", ["", "x" * 301]),
        ("nationality", ["", "x" * 61]),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(name: str, values: list[Any]) -> None:
    for value in [*values, 7, None]:
        with pytest.raises(BadInput) as caught:
            SCHEMA.validate({**FIELDS, name: value})
        assert caught.value.pointer == f"/fields/{name}"


def test_fields_that_contradict_the_entry_are_told() -> None:
    assert REGISTER.disagreement(FIELDS, RECORD_ID, entry()) is None
    assert REGISTER.disagreement({}, RECORD_ID, entry()) is None
    assert "record id" in str(REGISTER.disagreement(FIELDS, keccak(b"other"), entry()))
    assert "validity" in str(REGISTER.disagreement(FIELDS, RECORD_ID, entry(validUntil=END - 1)))


# Events


def log(topic: bytes, data: bytes, record_id: bytes | None = RECORD_ID, transaction: bytes = b"t" * 32) -> Log:
    topics = (topic, *((record_id,) if record_id else ()))
    return Log(REGISTER_ADDRESS, topics, data, BLOCK, b"b" * 32, transaction, 0)


def approved(signers: tuple[str, ...] = REGISTRARS, transaction: bytes = b"t" * 32) -> Log:
    return log(keccak(b"Approved(address[])"), encode(["address[]"], [signers]), None, transaction)


def issued() -> Log:
    data = encode(["bytes32", "address", "uint40"], [keccak(b"d"), address("old"), END])
    return log(keccak(b"Issued(bytes32,bytes32,address,uint40)"), data)


def recorded(item: IdentityEntry, transaction: bytes = b"t" * 32) -> Log:
    (event,) = (i for i in CONTRACT["abi"] if i.get("name") == "Recorded")
    struct = f"({','.join(part['type'] for part in event['inputs'][1]['components'])})"
    data = encode([struct], [tuple(vars(item).values())])
    return log(keccak(f"Recorded(bytes32,{struct})".encode()), data, transaction=transaction)


def test_a_history_rebuilt_from_events_is_complete() -> None:
    confirmed = entry(3, previous=CURRENT.head, approvals=approvals_hash(()), controller=address("new"), action=5)
    logs = [approved(), issued(), approved(transaction=b"u" * 32), recorded(CURRENT, b"u" * 32)]
    logs += [approved((), b"v" * 32), recorded(confirmed, b"v" * 32)]
    rebuilt = REGISTER.decode(logs, {BLOCK: TIME})
    entries = [IdentityEntry.from_json(item.entry) for item in rebuilt]
    assert entries == [BEFORE, CURRENT, confirmed]
    assert [item.approvers for item in rebuilt] == [REGISTRARS, REGISTRARS, ()]
    verify_history(entries)


@pytest.mark.parametrize(
    "logs",
    [
        [issued()],
        [recorded(entry(approvals=approvals_hash(())), b"u" * 32)],
        [approved(transaction=b"u" * 32), issued()],
        [approved(()), recorded(BEFORE)],
        [approved(REGISTRARS[:1]), recorded(BEFORE)],
        [approved(), issued()._replace(topics=issued().topics[:1])],
        [approved(), issued()._replace(data=b"")],
        [approved(), recorded(BEFORE)._replace(data=b"\x01" * 100)],
        [approved()._replace(data=b"\xff" * 64), issued()],
    ],
)
def test_events_that_no_such_contract_emits_are_refused(logs: list[Log]) -> None:
    with pytest.raises(InvalidProof, match="log 0 of block 77"):
        REGISTER.decode(logs, {BLOCK: TIME})


def test_other_events_are_passed_over() -> None:
    strange = log(keccak(b"EIP712DomainChanged()"), b"")
    assert REGISTER.decode([strange, strange._replace(topics=())], {BLOCK: TIME}) == []
