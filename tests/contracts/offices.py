"""A devnet with our contracts on it, over plain JSON-RPC. Every key, address and time is fixed, so every figure is."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import rlp
from eth_abi.abi import encode
from eth_account import Account

from ledger import codec
from ledger.encoding import address_bytes, checksum_address, keccak256
from ledger.registers.land import ACTIVE, ISSUE, LandEntry
from scripts.compile import ARTIFACTS
from wallet.typed_data import Domain, TypedData, build

CHAIN_ID = 31337
REGISTRAR_ROLE = 1
DEADLINE = 0xFFFFFFFF
# No zero byte: a zero byte of calldata is cheaper, so a time of the day would move the figures.
START = 0xEEEEEEEE
ZERO32 = bytes(32)

Title = tuple[bytes, bytes, str, int]


def key(name: str) -> bytes:
    return keccak256(f"khalayak test key {name}".encode())


def address_of(name: str) -> str:
    return str(Account.from_key(key(name)).address)


def title(number: int, holder: str | None = None) -> Title:
    """A title as random-looking as a real one: recordId, digest, holder, area (dm²)."""
    digest = keccak256(f"content {number}".encode())
    holder = holder or checksum_address(keccak256(f"holder {number}".encode())[12:])
    return keccak256(f"land/10.15.22.05.{number:05}".encode()), digest, holder, 10_000 + 37 * number


@dataclass
class Office:
    """The contracts of `deploy` and the two registrars who must both approve."""

    url: str
    authority: str = ""
    register: str = ""
    time: int = START

    def rpc(self, method: str, *params: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            reply = json.load(answer)
        if "error" in reply:
            raise AssertionError(f"{method}: {reply['error']['message']}")
        return reply["result"]

    def send(self, to: str | None, data: bytes) -> dict[str, Any]:
        """The receipt of a transaction of the devnet's first account, in a block of its own at the next second."""
        self.time += 1
        self.rpc("evm_setNextBlockTimestamp", self.time)
        sender = self.rpc("eth_accounts")[0]
        fields = {"from": sender, "data": "0x" + data.hex(), "gas": hex(1 << 24)} | ({"to": to} if to else {})
        receipt = self.rpc("eth_getTransactionReceipt", self.rpc("eth_sendTransaction", fields))
        assert receipt["status"] == "0x1"
        return dict(receipt)

    def create(self, contract: str, *arguments: tuple[str, Any]) -> str:
        sender = self.rpc("eth_accounts")[0]
        nonce = int(self.rpc("eth_getTransactionCount", sender, "latest"), 16)
        code = json.loads((ARTIFACTS / f"{contract}.json").read_text())["bytecode"]
        self.send(
            None, bytes.fromhex(code[2:]) + encode([kind for kind, _ in arguments], [value for _, value in arguments])
        )
        return checksum_address(keccak256(rlp.encode([address_bytes(sender), nonce]))[12:])

    def call(self, to: str, function: str, types: Sequence[str], *values: Any) -> dict[str, Any]:
        return self.send(to, codec.call(function, types, values))

    def deploy(self) -> Office:
        self.authority = self.create("Authority", ("address", self.rpc("eth_accounts")[0]))
        self.register = self.create("LandRegister", ("address", self.authority), ("uint256", 0))
        self.call(self.authority, "setPolicy", ["address", "uint64", "uint8"], self.register, REGISTRAR_ROLE, 2)
        for registrar in self.registrars:
            values = REGISTRAR_ROLE, address_of(registrar), 0
            self.call(self.authority, "grantRole", ["uint64", "address", "uint32"], *values)
        return self

    @property
    def registrars(self) -> list[str]:
        return sorted(("registrar 1", "registrar 2"), key=lambda name: address_bytes(address_of(name)))

    @property
    def domain(self) -> Domain:
        return Domain("LandRegister", CHAIN_ID, self.register)

    def issue(self, titles: Sequence[Title]) -> dict[str, Any]:
        return self.send(self.register, self.issue_call(titles))

    def issue_call(self, titles: Sequence[Title]) -> bytes:
        members = ("recordId", "digest", "holder", "area")
        data = build(
            self.domain,
            "IssueTitles",
            {"titles": [dict(zip(members, title, strict=True)) for title in titles], "deadline": DEADLINE},
        )
        title_type, approval_type = "(bytes32,bytes32,address,uint64)[]", "(address,bytes)[]"
        types = [title_type, "uint256", approval_type]
        return codec.call("issue", types, [titles, DEADLINE, self._approvals(data)])

    def transfer(self, current: LandEntry, record_id: bytes, holder: str, recipient: str) -> dict[str, Any]:
        """Pass a title from the key named `holder` to that named `recipient`."""
        digest = keccak256(f"content for {recipient}".encode())
        message = {"recordId": record_id, "head": current.head, "recipient": address_of(recipient), "digest": digest}
        data = build(self.domain, "TransferTitle", {**message, "deadline": DEADLINE})
        entry_type = "(bytes32,uint32,uint40,uint8,uint8,bytes32,bytes32,address,uint64,uint16,bytes32,bytes32)"
        types = ["(bytes32,address,bytes32,uint256)", entry_type, "bytes", "bytes", "(address,bytes)[]"]
        change = (record_id, address_of(recipient), digest, DEADLINE)
        signatures = [_sign(data, holder), _sign(data, recipient), self._approvals(data)]
        return self.call(self.register, "transfer", types, change, tuple(vars(current).values()), *signatures)

    def first_entry(self, title: Title) -> LandEntry:
        """The entry that the newest transaction recorded for a title."""
        approvals = keccak256(b"".join(address_bytes(address_of(name)) for name in self.registrars))
        _, digest, holder, area = title
        return LandEntry(ZERO32, 1, self.time, ISSUE, ACTIVE, digest, approvals, holder, area, 0, ZERO32, ZERO32)

    def _approvals(self, data: TypedData) -> list[tuple[str, bytes]]:
        return [(address_of(name), _sign(data, name)) for name in self.registrars]


def _sign(data: TypedData, name: str) -> bytes:
    return bytes(Account.unsafe_sign_hash(data.digest(), key(name)).signature)
