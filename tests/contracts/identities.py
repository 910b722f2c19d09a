"""A register of identities on the devnet of an Office, called by the program's own codec."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import rlp
from eth_abi.abi import encode
from eth_account import Account

from ledger.encoding import address_bytes, checksum_address, from_hex, keccak256, to_hex
from ledger.entries import Entry
from ledger.model import Application, Approval, Log
from ledger.registers.identity import REGISTER, IdentityEntry
from ledger.registers.schema import end_of_day
from scripts.compile import ARTIFACTS
from tests.contracts.offices import CHAIN_ID, DEADLINE, REGISTRAR_ROLE, Office, address_of, key

DELAY = 86_400
VALIDITY = "2126-11-30"


def record(number: int, controller: str, validity: str = VALIDITY) -> dict[str, Any]:
    """As a payload holds it; `controller` is an address."""
    digest = keccak256(f"identity content {number} {validity}".encode())
    signed = {"controller": controller, "validUntil": str(end_of_day(validity))}
    return {"recordId": to_hex(keccak256(f"random id {number}".encode())), "digest": to_hex(digest), **signed}


@dataclass
class Identities:
    """`entries` holds the history of each record id, as read from the events."""

    office: Office
    address: str = ""
    entries: dict[bytes, list[IdentityEntry]] = field(default_factory=dict)

    def deploy(self) -> Identities:
        self.address = create(
            self.office,
            json.loads((ARTIFACTS / "IdentityRegister.json").read_text())["bytecode"],
            encode(["address", "uint40"], [self.office.authority, DELAY]),
        )
        types = ["address", "uint64", "uint8"]
        self.office.call(self.office.authority, "setPolicy", types, self.address, REGISTRAR_ROLE, 2)
        return self

    def issue(self, records: list[dict[str, Any]]) -> dict[str, Any]:
        return self._send("issue", {"records": records}, {})

    def change(
        self, action: str, record: Mapping[str, Any], holder: str = "controller", recipient: str = "new controller"
    ) -> dict[str, Any]:
        """`holder` and `recipient` are the names of keys."""
        history = self.entries[from_hex(record["recordId"], 32)]
        payload = {"records": [record], "head": to_hex(history[-1].head), "current": history[-1].as_json()}
        if action in ("confirm", "veto"):
            payload["before"] = history[-2].as_json()
        return self._send(action, payload, {"holder": holder, "recipient": recipient})

    def head(self, record_id: bytes) -> bytes:
        data = keccak256(b"headOf(bytes32)")[:4] + record_id
        return from_hex(self.office.rpc("eth_call", {"to": self.address, "data": to_hex(data)}, "latest"), 32)

    def _send(self, action: str, payload: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
        name = f"eip155:{CHAIN_ID}:{self.address}"
        payload["deadline"] = DEADLINE
        application = Application("id", name, action, payload, "approved", 0, bytes(32))
        approvals = [] if action == "confirm" else self._approvals(application, names)
        receipt = self.office.send(self.address, REGISTER.calldata(application, approvals))
        logs = [_log(item) for item in receipt["logs"]]
        for item in REGISTER.decode(logs, {int(receipt["blockNumber"], 16): self.office.time}):
            self.entries.setdefault(item.record_id, []).append(IdentityEntry.from_json(item.entry))
        return receipt

    def _approvals(self, application: Application, names: Mapping[str, str]) -> list[Approval]:
        digest = REGISTER.typed_data(application).digest()
        signers = [(names[role], role) for role in REGISTER.signers(application)]
        signers += [(name, "registrar") for name in self.office.registrars if application.action != "veto"]
        return [Approval(address_of(name), role, sign(digest, name)) for name, role in signers]


def create(office: Office, code: str, arguments: bytes = b"") -> str:
    """Deploy a contract and return its address."""
    sender = office.rpc("eth_accounts")[0]
    nonce = int(office.rpc("eth_getTransactionCount", sender, "latest"), 16)
    office.send(None, bytes.fromhex(code.removeprefix("0x")) + arguments)
    return checksum_address(keccak256(rlp.encode([address_bytes(sender), nonce]))[12:])


def sign(digest: bytes, name: str) -> bytes:
    return bytes(Account.unsafe_sign_hash(digest, key(name)).signature)


def status(entry: Entry, time: int) -> str:
    return REGISTER.status({}, entry, time)[0]


def _log(item: Mapping[str, Any]) -> Log:
    return Log(
        checksum_address(from_hex(item["address"], 20)),
        tuple(from_hex(topic, 32) for topic in item["topics"]),
        bytes.fromhex(item["data"][2:]),
        int(item["blockNumber"], 16),
        from_hex(item["blockHash"], 32),
        from_hex(item["transactionHash"], 32),
        int(item["logIndex"], 16),
    )
