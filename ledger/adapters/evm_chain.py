"""One node of an EVM chain over JSON-RPC, through web3's HTTP provider."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import requests
from eth_abi.abi import decode
from web3 import HTTPProvider, Web3

from ledger.adapters.block_header import encode_header
from ledger.encoding import checksum_address, from_hex, keccak256, to_hex
from ledger.errors import ChainUnreachable, ContractReverted, InvalidProof, NotFound, Refused
from ledger.model import AccountProof, Block, BlockTag, Fees, Log, Receipt

ARTIFACTS = Path(__file__).parent.parent.parent / "contracts" / "artifacts"

# What geth, anvil, hardhat, Nethermind, Besu and Erigon say when they have the transaction already.
_KNOWN = ("already known", "already imported", "known transaction", "already exists", "alreadyknown")


class EvmChain:
    """See ledger.ports.Chain. `timeout` is in seconds, for each request. Nothing is ever sent twice by itself."""

    def __init__(self, rpc_url: str, timeout: float = 10) -> None:
        provider = HTTPProvider(rpc_url, request_kwargs={"timeout": timeout}, exception_retry_configuration=None)
        # A contract's answer must not make this server fetch a URL (CCIP-Read, CVE-2026-40072).
        provider.global_ccip_read_enabled = False
        self._provider = Web3(provider).provider
        self._url = rpc_url

    def chain_id(self) -> int:
        return int(self._ask("eth_chainId"), 16)

    def genesis_hash(self) -> bytes:
        return self.block(0).hash

    def block(self, at: int | BlockTag) -> Block:
        answer = self._ask("eth_getBlockByNumber", hex(at) if isinstance(at, int) else at, False)
        if answer is None:
            raise NotFound(f"The node has no block {at}.", "It may lag behind, or have no such tag.")
        header = encode_header(answer)
        block_hash, number = from_hex(answer["hash"], 32), int(answer["number"], 16)
        if keccak256(header) != block_hash or (isinstance(at, int) and number != at):
            raise InvalidProof(f"The node's header of block {at} does not have the hash it names.", "Use another node.")
        return Block(number, block_hash, int(answer["timestamp"], 16), header)

    def code(self, address: str) -> bytes:
        return from_hex(self._ask("eth_getCode", address, "latest"), None)

    def call(self, to: str, data: bytes) -> bytes:
        return from_hex(self._ask("eth_call", {"to": to, "data": to_hex(data)}, "latest"), None)

    def next_nonce(self, address: str) -> int:
        return int(self._ask("eth_getTransactionCount", address, "pending"), 16)

    def fees(self) -> Fees:
        history = self._ask("eth_feeHistory", "0x1", "latest", [])
        base = int(history["baseFeePerGas"][-1], 16)
        priority = int(self._ask("eth_maxPriorityFeePerGas"), 16)
        return Fees(2 * base + priority, priority)

    def estimate_gas(self, sender: str, to: str, data: bytes) -> int:
        return int(self._ask("eth_estimateGas", {"from": sender, "to": to, "data": to_hex(data)}), 16)

    def send(self, raw: bytes) -> None:
        answer = self._request("eth_sendRawTransaction", to_hex(raw))
        if "error" not in answer:
            return
        said = str(answer["error"].get("message", ""))
        if any(words in said.lower() for words in _KNOWN) or self.receipt(keccak256(raw)):
            return
        raise Refused(f"The node does not take the transaction: {said[:200]}.", "It is kept and sent again.")

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        answer = self._ask("eth_getTransactionReceipt", to_hex(transaction_hash))
        if answer is None or answer.get("blockHash") is None:
            return None
        return Receipt(
            int(answer["blockNumber"], 16), from_hex(answer["blockHash"], 32), int(answer["status"], 16) == 1
        )

    def logs(self, address: str, first: int, last: int) -> list[Log]:
        answer = self._ask("eth_getLogs", {"address": address, "fromBlock": hex(first), "toBlock": hex(last)})
        logs = [_log(item) for item in answer]
        return sorted(logs, key=lambda log: (log.block_number, log.log_index))

    def proof(self, address: str, slots: Sequence[bytes], block_number: int) -> AccountProof:
        answer = self._ask("eth_getProof", address, [to_hex(slot) for slot in slots], hex(block_number))
        proofs = {int(item["key"], 16): _nodes(item["proof"]) for item in answer["storageProof"]}
        return AccountProof(
            _nodes(answer["accountProof"]), tuple(proofs[int.from_bytes(slot, "big")] for slot in slots)
        )

    def _ask(self, method: str, *parameters: Any) -> Any:
        answer = self._request(method, *parameters)
        if "error" not in answer:
            return answer["result"]
        error = answer["error"]
        data = error.get("data")
        data = data.get("data", data.get("result")) if isinstance(data, dict) else data
        said = str(error.get("message", ""))
        if method in ("eth_call", "eth_estimateGas") and (isinstance(data, str) or "revert" in said.lower()):
            raise _reverted(data if isinstance(data, str) else "0x", said)
        if method == "eth_getBlockByNumber":
            return None
        raise ChainUnreachable(f"The node at {self._url} cannot answer {method}: {said[:200]}.")

    def _request(self, method: str, *parameters: Any) -> Mapping[str, Any]:
        try:
            answer = self._provider.make_request(method, list(parameters))  # type: ignore[arg-type]
        except (requests.RequestException, OSError, ValueError) as error:
            hint = "Start it, or correct KHALAYAK_RPC_URL."
            raise ChainUnreachable(f"The node at {self._url} does not answer: {type(error).__name__}.", hint) from None
        if not isinstance(answer, Mapping) or not ("result" in answer or isinstance(answer.get("error"), Mapping)):
            raise ChainUnreachable(f"What answers at {self._url} is not an Ethereum node.", "Correct KHALAYAK_RPC_URL.")
        return answer


@cache
def _errors() -> dict[str, tuple[str, list[str], list[str]]]:
    """Custom errors of our contracts: selector → name, argument names, argument types."""
    found = {}
    for path in sorted(ARTIFACTS.glob("*.json")):
        for item in json.loads(path.read_text())["abi"]:
            if item["type"] == "error":
                types = [argument["type"] for argument in item["inputs"]]
                selector = to_hex(keccak256(f"{item['name']}({','.join(types)})".encode())[:4])
                found[selector] = (item["name"], [argument["name"] for argument in item["inputs"]], types)
    return found


def _reverted(data: str, said: str) -> ContractReverted:
    known = _errors().get(data[:10])
    if known is None:
        return ContractReverted(f"The contract reverts: {said[:200]}.")
    name, names, types = known
    try:
        values = decode(types, bytes.fromhex(data[10:]))
    except Exception:
        return ContractReverted(f"The contract reverts with {name}.", name=name)
    shown = (to_hex(value) if isinstance(value, bytes) else str(value) for value in values)
    words = ", ".join(f"{n} {v}" for n, v in zip(names, shown, strict=True))
    return ContractReverted(f"The contract reverts with {name}({words}).", name=name)


def _log(item: Mapping[str, Any]) -> Log:
    return Log(
        checksum_address(from_hex(item["address"], 20)),
        tuple(from_hex(topic, 32) for topic in item["topics"]),
        from_hex(item["data"], None),
        int(item["blockNumber"], 16),
        from_hex(item["blockHash"], 32),
        from_hex(item["transactionHash"], 32),
        int(item["logIndex"], 16),
    )


def _nodes(items: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(from_hex(item, None) for item in items)
