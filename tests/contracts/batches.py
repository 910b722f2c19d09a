"""A batch register beside the land register of an office, called through the codec of ledger/registers/batch.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_account import Account

from ledger.batch_entry import BatchEntry
from ledger.encoding import RegisterName, keccak256, to_hex
from ledger.merkle import inclusion_path, leaf_hash
from ledger.model import Application, Approval, Log, RecordedEntry
from ledger.registers.transactions import REGISTER
from tests.contracts.offices import CHAIN_ID, DEADLINE, REGISTRAR_ROLE, Office, address_of, key

SERIES = REGISTER.record_id({"buyer": "id-kemenkeu", "period": "2026-07"})
MANIFEST, REASON = keccak256(b"manifest"), keccak256(b"reason")


def digests(count: int) -> list[bytes]:
    """Content digests without a zero byte, so that the calldata of each costs the same."""
    return [keccak256(f"transaction {n}".encode()).replace(b"\0", b"\1") for n in range(count)]


def records(contents: Sequence[bytes]) -> list[dict[str, str]]:
    return [{"digest": to_hex(digest)} for digest in contents]


def place(batch: BatchEntry, contents: Sequence[bytes], index: int) -> dict[str, Any]:
    path = inclusion_path([leaf_hash(digest) for digest in contents], index)
    where = {"series": to_hex(SERIES), "batch": batch.as_json(), "digest": to_hex(contents[index])}
    return {**where, "index": index, "path": [to_hex(node) for node in path]}


@dataclass
class Batches:
    office: Office
    address: str = ""

    def deploy(self) -> Batches:
        office = self.office
        self.address = office.create("BatchRegister", ("address", office.authority))
        office.call(office.authority, "setPolicy", ["address", "uint64", "uint8"], self.address, REGISTRAR_ROLE, 2)
        return self

    def do(self, action: str, current: BatchEntry | None, **payload: Any) -> dict[str, Any]:
        """The receipt of a change that two registrars approve."""
        name = str(RegisterName(CHAIN_ID, self.address))
        payload |= {"deadline": DEADLINE, "current": current and current.as_json()}
        application = Application("id", name, action, payload, "approved", 0, bytes(32))
        signed = REGISTER.typed_data(application).digest()
        approvals = [
            Approval(address_of(name), "registrar", bytes(Account.unsafe_sign_hash(signed, key(name)).signature))
            for name in self.office.registrars
        ]
        return self.office.send(self.address, REGISTER.calldata(application, approvals))

    def append(self, contents: Sequence[bytes], current: BatchEntry | None) -> dict[str, Any]:
        series, manifest = to_hex(SERIES), to_hex(MANIFEST)
        return self.do("append", current, series=series, records=records(contents), manifest=manifest)

    def append_leaves(self, contents: Sequence[bytes], current: BatchEntry | None) -> dict[str, Any]:
        return self.do("appendLeaves", current, series=to_hex(SERIES), records=records(contents))

    def recorded(self, receipt: dict[str, Any]) -> RecordedEntry:
        """The one entry that a change recorded, as a follower reads it."""
        logs = [
            Log(
                self.address,
                tuple(bytes.fromhex(topic[2:]) for topic in log["topics"]),
                bytes.fromhex(log["data"][2:]),
                int(log["blockNumber"], 16),
                bytes.fromhex(log["blockHash"][2:]),
                bytes.fromhex(log["transactionHash"][2:]),
                int(log["logIndex"], 16),
            )
            for log in receipt["logs"]
        ]
        (entry,) = REGISTER.decode(logs, {logs[0].block_number: self.office.time})
        return entry

    def entry(self, receipt: dict[str, Any]) -> BatchEntry:
        return BatchEntry.from_json(self.recorded(receipt).entry)

    def read(self, data: bytes) -> bytes:
        answer = self.office.rpc("eth_call", {"to": self.address, "data": "0x" + data.hex()}, "latest")
        return bytes.fromhex(answer[2:])
