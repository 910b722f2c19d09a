from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from ledger.encoding import ZERO32, RegisterName, to_hex
from ledger.entries import approvals_hash, verify_history
from ledger.errors import InvalidProof
from ledger.model import Application, Approval, Log
from ledger.registers.base import HEAD_SLOT, SUSPECT_SINCE_SLOT
from ledger.registers.land import REGISTER, LandEntry, square_decimetres
from ledger.state_proof import MAX_TIME
from tests.builders import FIELDS, NAME, NIB, REGISTER_ADDRESS, REGISTRARS, address, content, entries_of

CONTRACT = json.loads(Path("contracts/artifacts/LandRegister.json").read_text())


def _type(parameter: dict[str, Any]) -> str:
    inner = ",".join(_type(part) for part in parameter.get("components", []))
    return str(parameter["type"]).replace("tuple", f"({inner})")


def types(name: str) -> list[str]:
    """The parameter types of a function or event, from the compiled contract."""
    found = next(item for item in CONTRACT["abi"] if item.get("name") == name and item["type"] in ("function", "event"))
    return [_type(parameter) for parameter in found["inputs"]]


def signature(name: str) -> str:
    return f"{name}({','.join(types(name))})"


ENTRY = types("Recorded")[1]
RECORD_ID = REGISTER.record_id(FIELDS)
DEADLINE = 1_800_000_000
BLOCK, TIME = 77, 1_700_000_000
SIGNED = [Approval(signer, "registrar", bytes([n]) * 65) for n, signer in enumerate(REGISTRARS, 1)]


def application(action: str, records: list[dict[str, Any]], **payload: Any) -> Application:
    payload |= {"deadline": DEADLINE, "records": records}
    return Application("id", str(NAME), action, payload, "approved", 0, bytes(32))


def issue(count: int = 1) -> Application:
    records = [
        {
            "recordId": to_hex(keccak(bytes([n]))),
            "digest": to_hex(keccak(b"d")),
            "holder": address("h"),
            "area": "41250",
        }
        for n in range(count)
    ]
    return application("issue", records)


def transfer(current: LandEntry) -> Application:
    record = {"recordId": to_hex(RECORD_ID), "digest": to_hex(keccak(b"new")), "holder": address("buyer"), "area": "1"}
    signed = {"head": to_hex(current.head), "current": current.as_json(), "recipient": address("buyer")}
    return application("transfer", [record], **signed)


def test_an_entry_is_the_struct_of_the_contract() -> None:
    recorded = next(item for item in CONTRACT["abi"] if item.get("name") == "Recorded")
    struct = [(part["name"], part["type"]) for part in recorded["inputs"][1]["components"]]
    assert [(f.name, f.metadata["abi"]) for f in fields(LandEntry)] == struct


@pytest.mark.parametrize(
    ("contract", "label", "position"),
    [("LandRegister", "headOf", HEAD_SLOT), ("Authority", "suspectSince", SUSPECT_SINCE_SLOT)],
)
def test_the_proved_mappings_lie_where_the_compiler_put_them(contract: str, label: str, position: int) -> None:
    layout = json.loads(Path(f"contracts/artifacts/{contract}.json").read_text())["storageLayout"]
    assert [int(item["slot"]) for item in layout if item["label"] == label] == [position]


def test_the_record_id_is_the_hash_of_the_parcel_number_without_its_dots() -> None:
    assert keccak(b"land/" + NIB.replace(".", "").encode()) == RECORD_ID
    assert REGISTER.record_id({"nib": NIB.replace(".", "")}) == RECORD_ID


@pytest.mark.parametrize("count", [1, 3])
def test_an_issue_is_called_as_the_abi_says(count: int) -> None:
    data = REGISTER.calldata(issue(count), SIGNED[::-1])
    assert data[:4] == function_signature_to_4byte_selector(signature("issue"))
    titles, deadline, approvals = decode(types("issue"), data[4:])
    title = (keccak(b"d"), address("h").lower(), 41250)
    assert list(titles) == [(keccak(bytes([n])), *title) for n in range(count)]
    assert deadline == DEADLINE
    assert list(approvals) == [(a.signer.lower(), a.signature) for a in SIGNED]
    assert data[4:] == encode(types("issue"), [titles, deadline, approvals])


def test_a_transfer_is_called_as_the_abi_says() -> None:
    current = entries_of(content(), count=1)[0]
    approvals = [Approval(current.holder, "holder", b"h" * 65), Approval(address("buyer"), "recipient", b"r" * 65)]
    data = REGISTER.calldata(transfer(current), [*approvals, *SIGNED])
    assert data[:4] == function_signature_to_4byte_selector(signature("transfer"))
    change, entry, holder, receiver, registrars = decode(types("transfer"), data[4:])
    assert keccak(encode([ENTRY], [entry])) == current.head
    assert change == (RECORD_ID, address("buyer").lower(), keccak(b"new"), DEADLINE)
    assert (holder, receiver) == (b"h" * 65, b"r" * 65)
    assert [signer for signer, _ in registrars] == [signer.lower() for signer in REGISTRARS]


def test_the_typed_data_names_the_register_and_what_is_recorded() -> None:
    current = entries_of(content(), count=1)[0]
    issued, moved = REGISTER.typed_data(issue(2)), REGISTER.typed_data(transfer(current))
    for data in (issued, moved):
        assert (data.domain.name, data.domain.chain_id) == ("LandRegister", 1337)
        assert data.domain.verifying_contract == REGISTER_ADDRESS
        assert data.message["deadline"] == DEADLINE
    assert [title["area"] for title in issued.message["titles"]] == [41250, 41250]
    assert (moved.message["recordId"], moved.message["head"]) == (RECORD_ID, current.head)
    assert moved.message["recipient"] == address("buyer")
    other = replace(issue(2), register=str(RegisterName(1, REGISTER_ADDRESS)))
    assert REGISTER.typed_data(other).digest() != issued.digest()


def test_a_transfer_needs_holder_and_recipient_and_an_issue_neither() -> None:
    current = entries_of(content(), count=1)[0]
    assert REGISTER.signers(transfer(current)) == {"holder": current.holder, "recipient": address("buyer")}
    assert REGISTER.signers(issue()) == {}


def log(event: str, data: bytes, record_id: bytes | None = None, transaction: bytes = b"t" * 32, index: int = 0) -> Log:
    topics = (keccak(signature(event).encode()), *((record_id,) if record_id else ()))
    return Log(REGISTER_ADDRESS, topics, data, BLOCK, b"b" * 32, transaction, index)


def approved(signers: tuple[str, ...] = REGISTRARS, transaction: bytes = b"t" * 32) -> Log:
    return log("Approved", encode(["address[]"], [signers]), transaction=transaction)


def issued(record_id: bytes = RECORD_ID, transaction: bytes = b"t" * 32) -> Log:
    data = encode(["bytes32", "address", "uint64"], [keccak(b"d"), address("h"), 41250])
    return log("Issued", data, record_id, transaction)


def recorded(entry: LandEntry, transaction: bytes = b"t" * 32) -> Log:
    return log("Recorded", encode([ENTRY], [tuple(vars(entry).values())]), RECORD_ID, transaction)


def test_entries_rebuilt_from_events_have_the_heads_the_chain_stores() -> None:
    logs = [approved(), issued(), issued(keccak(b"other"))]
    first, second = REGISTER.decode(logs, {BLOCK: TIME})
    words = (ZERO32, 1, TIME, 1, 1, keccak(b"d"), approvals_hash(REGISTRARS), address("h"), 41250, 0, ZERO32, ZERO32)
    assert LandEntry.from_json(first.entry).head == keccak(encode([ENTRY], [words]))
    assert (first.record_id, second.record_id) == (RECORD_ID, keccak(b"other"))
    assert (first.approvers, first.block_number) == (REGISTRARS, BLOCK)


def test_a_history_rebuilt_from_events_is_complete() -> None:
    entries = entries_of(content(), count=3)
    logs = [
        item
        for n, e in enumerate(entries)
        for item in (approved(transaction=bytes([n]) * 32), recorded(e, bytes([n]) * 32))
    ]
    rebuilt = [LandEntry.from_json(item.entry) for item in REGISTER.decode(logs, {BLOCK: TIME})]
    assert rebuilt == list(entries)
    verify_history(rebuilt)


def test_events_of_other_contracts_features_are_passed_over() -> None:
    strange = log("EIP712DomainChanged", b"")
    assert REGISTER.decode([strange, strange._replace(topics=())], {BLOCK: TIME}) == []


@pytest.mark.parametrize(
    "logs",
    [
        [issued()],
        [approved(transaction=b"u" * 32), issued()],
        [approved(REGISTRARS[:1]), recorded(entries_of(content(), count=1)[0])],
        [approved(), issued()._replace(topics=issued().topics[:1])],
        [approved(), issued()._replace(data=b"")],
        [approved(), issued()._replace(data=b"\xff" * 96)],
        [approved(), recorded(entries_of(content())[0])._replace(data=b"\x01" * 100)],
        [approved()._replace(data=b"\xff" * 64), issued()],
    ],
)
def test_events_that_no_such_contract_emits_are_refused(logs: list[Log]) -> None:
    with pytest.raises(InvalidProof, match="log 0 of block 77"):
        REGISTER.decode(logs, {BLOCK: TIME})


@given(st.integers(0, 10**12 - 1), st.integers(0, 99))
def test_an_area_is_read_exactly(metres: int, hundredths: int) -> None:
    assert square_decimetres(f"{metres}.{hundredths:02}") == metres * 100 + hundredths < 2**64


def test_a_right_ends_at_midnight_after_its_last_day() -> None:
    entry, end = entries_of(content())[-1], 1_709_251_200  # 2024-03-01T00:00:00Z
    assert REGISTER.status({"validity": "2024-02-29"}, entry, end - 1)[0] == "valid"
    assert REGISTER.status({"validity": "2024-02-29"}, entry, end)[0] == "invalid"
    assert REGISTER.status({"validity": "9999-12-31"}, entry, MAX_TIME)[0] == "valid"
    assert REGISTER.status({}, entry, end)[0] == "unknown"


@pytest.mark.parametrize(
    ("status", "action", "words"),
    [
        (2, 6, "frozen by a court"),
        (3, 11, "retired for ever: the title has ended"),
        (3, 9, "retired for ever: the parcel was split"),
        (3, 10, "retired for ever: the parcel was merged"),
        (4, 8, "pending: a court assigns the title to the holder named; not before 2024-03-31 00:00 UTC"),
        (4, 3, "pending: the title passes to the holder named when the register's cooling-off window is over, unless"),
        (9, 1, "the title is not active"),
    ],
)
def test_a_title_that_does_not_move_is_invalid_and_says_why(status: int, action: int, words: str) -> None:
    entry = replace(entries_of(content())[-1], status=status, action=action, time=1_709_251_200)
    state, reason = REGISTER.status({"validity": "unlimited"}, entry, MAX_TIME)
    assert (state, reason.startswith(words)) == ("invalid", True)


def test_a_window_that_begins_as_late_as_a_block_can_be_still_has_an_end() -> None:
    entry = replace(entries_of(content())[-1], status=4, action=8, time=MAX_TIME)
    assert "not before 9999-01-30 23:59 UTC" in REGISTER.status({"validity": "unlimited"}, entry, MAX_TIME)[1]


def test_the_liens_of_an_active_title_are_counted() -> None:
    entry = entries_of(content())[-1]
    for liens, words in ((0, "active, no lien"), (2, "active, 2 lien(s)")):
        assert REGISTER.status({"validity": "unlimited"}, replace(entry, liens=liens), 0) == ("valid", words)


def test_the_creditors_of_all_liens_sign_a_transfer_in_the_order_of_their_ranks() -> None:
    current = entries_of(content(), count=1)[0]
    liens = [{"rank": n, "creditor": address(f"bank {n}"), "claim": to_hex(keccak(bytes([n])))} for n in (1, 2, 3)]
    moved = transfer(current)
    moved = replace(moved, payload={**moved.payload, "liens": liens})
    assert list(REGISTER.signers(moved).items())[2:] == [
        ("creditor", address("bank 1")),
        ("creditor 2", address("bank 2")),
        ("creditor 3", address("bank 3")),
    ]
    given = [Approval(signer, role, role.encode()) for role, signer in REGISTER.signers(moved).items()]
    data = REGISTER.calldata(moved, [*given[::-1], *SIGNED])
    _, _, rows, consent, receiver, registrars = decode(types("transferEncumbered"), data[4:])
    assert data[:4] == function_signature_to_4byte_selector(signature("transferEncumbered"))
    assert consent == (b"holder", (b"creditor", b"creditor 2", b"creditor 3"))
    assert ([row[0] for row in rows], receiver, len(registrars)) == ([1, 2, 3], b"recipient", 2)
    assert REGISTER.typed_data(moved) == REGISTER.typed_data(transfer(current))
