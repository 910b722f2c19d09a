"""The devnet over one connection that stays open: many transactions, what they log and why they are refused."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ledger.encoding import checksum_address, from_hex, keccak256, to_hex
from ledger.model import Log
from scripts.compile import ARTIFACTS

# for (i = 0; i != calldatasize; i += 32) mstore(i, sload(calldataload(i))); return(0, calldatasize)
READ_STORAGE = "0x60005b80361460145780355481526020016002565b366000f3"


class Node:
    """See the module. `url` is that of the devnet's RPC."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
        self.accounts = self.rpc("eth_accounts")

    def rpc(self, method: str, *params: Any) -> Any:
        (answer,) = self.ask([(method, params)])
        assert "error" not in answer, answer
        return answer["result"]

    def ask(self, requests: Sequence[tuple[str, Sequence[Any]]]) -> list[dict[str, Any]]:
        """The answers to requests that travel together, in their order."""
        asked = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(requests)
        ]
        self.connection.request("POST", "/", json.dumps(asked), {"Content-Type": "application/json"})
        return sorted(json.loads(self.connection.getresponse().read()), key=lambda answer: answer["id"])

    def call_all(self, to: str, calls: Sequence[bytes]) -> list[bytes]:
        """The answers to read-only calls, in their order."""
        answers = self.ask([("eth_call", ({"to": to, "data": to_hex(data)}, "latest")) for data in calls])
        return [from_hex(answer["result"], None) for answer in answers]

    def storage(self, address: str, slots: Sequence[bytes]) -> list[bytes]:
        """What is stored at these positions, read in one call: a call with other code sees the same storage."""
        request = {"to": address, "data": to_hex(b"".join(slots))}
        words = from_hex(self.rpc("eth_call", request, "latest", {address: {"code": READ_STORAGE}}), 32 * len(slots))
        return [words[i : i + 32] for i in range(0, len(words), 32)]

    def transact(self, to: str, data: bytes, sender: int, time: int) -> tuple[list[Log], str]:
        """The logs of a transaction in a block of that time, and the name of its error, of which one is empty. `sender`
        chooses one of the devnet's accounts."""
        account = self.accounts[sender % len(self.accounts)]
        fields = {"from": account, "to": to, "data": to_hex(data), "gas": hex(1 << 24)}
        _, answer = self.ask([("evm_setNextBlockTimestamp", [time]), ("eth_sendTransaction", [fields])])
        if "error" in answer:
            return [], error_names()[answer["error"]["data"][:10]]
        receipt = self.rpc("eth_getTransactionReceipt", answer["result"])
        assert receipt["status"] == "0x1"
        return [parse_log(log) for log in receipt["logs"]], ""


@cache
def error_names() -> dict[str, str]:
    names = {}
    for path in ARTIFACTS.glob("*.json"):
        for item in json.loads(path.read_text())["abi"]:
            if item["type"] == "error":
                signature = f"{item['name']}({','.join(argument['type'] for argument in item['inputs'])})"
                names[to_hex(keccak256(signature.encode())[:4])] = item["name"]
    return names


def parse_log(log: Mapping[str, Any]) -> Log:
    topics = tuple(from_hex(topic, 32) for topic in log["topics"])
    block, index = int(log["blockNumber"], 16), int(log["logIndex"], 16)
    hashes = from_hex(log["blockHash"], 32), from_hex(log["transactionHash"], 32)
    return Log(
        checksum_address(from_hex(log["address"], 20)), topics, from_hex(log["data"], None), block, *hashes, index
    )
