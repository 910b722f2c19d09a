"""Every action of a land title, from a payload to the devnet: what Python signs and sends is what the contract takes,
and the entries it records are read back from its events with the heads that it stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ledger.encoding import RegisterName, keccak256, to_hex
from ledger.entries import approvals_hash, verify_history
from ledger.errors import BadInput
from ledger.land_entry import ASSIGNMENT_WINDOW, LandEntry, Lien, lien_lists, lien_root, parents_of
from ledger.model import Application, Approval, Log
from ledger.registers.land import REGISTER
from tests.contracts.offices import CHAIN_ID, DEADLINE, REGISTRAR_ROLE, Office, _sign, address_of, title

COURT_ROLE = 2
COOLING_OFF = 7 * 86400
COURT = ("judge 1", "judge 2")
NAMES = ("holder", "heir", "bank", "friend", *COURT, "registrar 1", "registrar 2")
KEYS = {address_of(name): name for name in NAMES}


class LandOffice:
    """Applies for actions on the titles of one register, signs them for everybody, and keeps what is recorded."""

    def __init__(self, office: Office, register: str) -> None:
        self.office, self.register = office, register
        self.histories: dict[bytes, list[LandEntry]] = {}
        self.lists: dict[bytes, tuple[Lien, ...]] = {bytes(32): ()}
        office.call(office.authority, "setCourtPolicy", ["address", "uint64", "uint8"], register, COURT_ROLE, 2)
        for judge in COURT:
            values = COURT_ROLE, address_of(judge), 0
            office.call(office.authority, "grantRole", ["uint64", "address", "uint32"], *values)

    def newest(self, record_id: bytes) -> LandEntry:
        return self.histories[record_id][-1]

    def owner(self, record_id: bytes) -> dict[str, Any]:
        """A title as payloads name it."""
        entry = self.newest(record_id)
        liens = [lien.as_json() for lien in self.lists[entry.lienRoot]]
        names = {"recordId": to_hex(record_id), "head": to_hex(entry.head), "current": entry.as_json()}
        return {**names, "liens": liens}

    def change(self, action: str, record_id: bytes, digest: bytes | None = None, **more: Any) -> LandEntry:
        record = {"recordId": to_hex(record_id)} | ({"digest": to_hex(digest)} if digest else {})
        payload = {**self.owner(record_id), "records": [record], **more}
        payload.pop("recordId")
        self.apply(action, payload)
        return self.newest(record_id)

    def apply(self, action: str, payload: Mapping[str, Any]) -> None:
        register = str(RegisterName(CHAIN_ID, self.register))
        application = Application("id", register, action, {"deadline": DEADLINE, **payload}, "approved", 0, bytes(32))
        receipt = self.office.send(self.register, REGISTER.calldata(application, self.approvals(application)))
        logs = [_log(log) for log in receipt["logs"]]
        self.lists.update(lien_lists(logs))
        for recorded in REGISTER.decode(logs, {log.block_number: self.office.time for log in logs}):
            entry = LandEntry.from_json(recorded.entry)
            self.histories.setdefault(recorded.record_id, []).append(entry)
            assert self.head(recorded.record_id) == entry.head
            assert REGISTER.actions[entry.action] == action
            verify_history(self.histories[recorded.record_id])

    def approvals(self, application: Application) -> list[Approval]:
        if application.action == "complete":
            return []
        data = REGISTER.typed_data(application)
        officials = {"registrar": self.office.registrars, "court": COURT}
        if application.action == "object":
            officials = {}
        given = [(name, role) for role, names in officials.items() for name in names]
        given += [(KEYS[signer], role) for role, signer in REGISTER.signers(application).items()]
        return [Approval(address_of(name), role, _sign(data, name)) for name, role in given]

    def head(self, record_id: bytes) -> bytes:
        data = "0x" + (keccak256(b"headOf(bytes32)")[:4] + record_id).hex()
        return bytes.fromhex(self.office.rpc("eth_call", {"to": self.register, "data": data}, "latest")[2:])

    def issue(self, number: int) -> bytes:
        record_id, digest, holder, area = title(number, address_of("holder"))
        self.apply("issue", {"records": [_record(record_id, digest, area, holder)]})
        return record_id


def addresses(*names: str) -> list[str]:
    return sorted((address_of(name) for name in names), key=str.lower)


def _record(record_id: bytes, digest: bytes, area: int, holder: str) -> dict[str, Any]:
    return {"recordId": to_hex(record_id), "digest": to_hex(digest), "holder": holder, "area": str(area)}


def _log(log: Mapping[str, Any]) -> Log:
    topics = tuple(bytes.fromhex(topic[2:]) for topic in log["topics"])
    block, index = int(log["blockNumber"], 16), int(log["logIndex"], 16)
    hashes = bytes.fromhex(log["blockHash"][2:]), bytes.fromhex(log["transactionHash"][2:])
    return Log(log["address"], topics, bytes.fromhex(log["data"][2:]), block, *hashes, index)


@pytest.fixture(scope="module")
def land(office: Office) -> LandOffice:
    return LandOffice(office, office.register)


@pytest.fixture(scope="module")
def cooling(office: Office) -> LandOffice:
    """A register whose transfers wait for a week."""
    register = office.create("LandRegister", ("address", office.authority), ("uint256", COOLING_OFF))
    office.call(office.authority, "setPolicy", ["address", "uint64", "uint8"], register, REGISTRAR_ROLE, 2)
    return LandOffice(office, register)


def test_a_title_is_amended(land: LandOffice) -> None:
    entry = land.change("amend", land.issue(1), keccak256(b"corrected"))
    assert (entry.sequence, entry.digest, entry.status) == (2, keccak256(b"corrected"), 1)


def test_liens_are_taken_carried_by_a_transfer_and_released(land: LandOffice) -> None:
    parcel, claims = land.issue(2), [keccak256(b"first"), keccak256(b"second")]
    for creditor, claim in zip(("bank", "friend"), claims, strict=True):
        land.change("encumber", parcel, creditor=address_of(creditor), claim=to_hex(claim))
    liens = (Lien(1, address_of("bank"), claims[0]), Lien(2, address_of("friend"), claims[1]))
    assert land.lists[land.newest(parcel).lienRoot] == liens
    moved = land.change("transfer", parcel, keccak256(b"sold"), recipient=address_of("heir"))
    assert (moved.holder, moved.liens, moved.lienRoot) == (address_of("heir"), 2, lien_root(liens))
    left = land.change("release", parcel, lien=liens[0].as_json())
    assert (left.liens, left.lienRoot) == (1, lien_root(liens[1:]))


def test_a_title_without_liens_is_transferred(land: LandOffice) -> None:
    assert land.change("transfer", land.issue(3), keccak256(b"s"), recipient=address_of("heir")).liens == 0


def test_a_title_is_frozen_and_set_free(land: LandOffice) -> None:
    parcel = land.issue(4)
    assert REGISTER.statuses[land.change("freeze", parcel).status] == "frozen"
    assert REGISTER.statuses[land.change("unfreeze", parcel).status] == "active"


def test_a_title_is_retired(land: LandOffice) -> None:
    assert REGISTER.statuses[land.change("retire", land.issue(5)).status] == "retired"


def test_a_parcel_is_split_and_its_parts_are_merged_again(land: LandOffice) -> None:
    parcel = land.issue(6)
    land.change("encumber", parcel, creditor=address_of("bank"), claim=to_hex(keccak256(b"mortgage")))
    parent, holder = land.newest(parcel), address_of("holder")
    areas = (1, parent.area - 1)
    parts = [keccak256(b"part 1"), keccak256(b"part 2")]
    children = [_record(part, part, area, holder) for part, area in zip(parts, areas, strict=True)]
    land.apply("split", {"parents": [land.owner(parcel)], "records": children})
    assert REGISTER.statuses[land.newest(parcel).status] == "retired"
    for part, area in zip(parts, areas, strict=True):
        entry = land.newest(part)
        assert (entry.area, entry.lienRoot, entry.parents) == (area, parent.lienRoot, parents_of([parent.head]))
    heads, whole = [land.newest(part).head for part in parts], keccak256(b"whole")
    merged = {
        "parents": [land.owner(part) for part in parts],
        "records": [_record(whole, whole, parent.area, holder)],
    }
    land.apply("merge", merged)
    entry = land.newest(whole)
    assert (entry.area, entry.liens, entry.parents) == (parent.area, 2, parents_of(heads))
    assert {land.newest(part).status for part in parts} == {3}


def test_an_assignment_is_withdrawn_and_another_completed(land: LandOffice) -> None:
    parcel, heir = land.issue(7), address_of("heir")
    before = land.newest(parcel)
    pending = land.change("assign", parcel, keccak256(b"will"), recipient=heir)
    assert (REGISTER.statuses[pending.status], pending.holder) == ("pending", heir)
    back = land.change("withdraw", parcel, previous=before.as_json())
    assert (back.holder, back.digest, back.status) == (before.holder, before.digest, before.status)
    pending = land.change("assign", parcel, keccak256(b"will"), recipient=heir)
    land.office.time = pending.time + ASSIGNMENT_WINDOW
    entry = land.change("complete", parcel, approvers=addresses(*land.office.registrars, *COURT))
    assert (entry.holder, entry.status, entry.approvals) == (heir, 1, pending.approvals)


def test_a_transfer_that_the_holder_objects_to_is_as_if_it_never_was(cooling: LandOffice) -> None:
    parcel = cooling.issue(8)
    cooling.change("encumber", parcel, creditor=address_of("bank"), claim=to_hex(keccak256(b"mortgage")))
    before = cooling.newest(parcel)
    pending = cooling.change("transfer", parcel, keccak256(b"sold"), recipient=address_of("heir"))
    assert REGISTER.statuses[pending.status] == "pending"
    assert "cooling-off" in REGISTER.status({}, pending, pending.time)[1]
    back = cooling.change("object", parcel, previous=before.as_json())
    assert (back.holder, back.digest, back.status, back.lienRoot) == (
        before.holder,
        before.digest,
        before.status,
        before.lienRoot,
    )
    assert back.approvals == approvals_hash(())


def test_a_transfer_without_objection_is_completed(cooling: LandOffice) -> None:
    parcel, heir = cooling.issue(9), address_of("heir")
    pending = cooling.change("transfer", parcel, keccak256(b"sold"), recipient=heir)
    cooling.office.time = pending.time + COOLING_OFF
    entry = cooling.change("complete", parcel, approvers=addresses(*cooling.office.registrars))
    assert (entry.holder, entry.status, entry.approvals) == (heir, 1, pending.approvals)


def test_a_court_withdraws_a_transfer(cooling: LandOffice) -> None:
    parcel = cooling.issue(10)
    before = cooling.newest(parcel)
    cooling.change("transfer", parcel, keccak256(b"sold"), recipient=address_of("heir"))
    back = cooling.change("withdraw", parcel, previous=before.as_json())
    assert (back.holder, back.digest, back.status) == (before.holder, before.digest, before.status)


def test_nobody_signs_the_end_of_a_window() -> None:
    application = Application("id", "eip155:1:0x", "complete", {"records": []}, "approved", 0, bytes(32))
    with pytest.raises(BadInput, match="Nothing is signed"):
        REGISTER.typed_data(application)
