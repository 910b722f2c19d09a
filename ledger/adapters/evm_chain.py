"""One node of an EVM chain over JSON-RPC: it is asked directly, and what is to be mined goes through web3."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import rlp
from rlp.exceptions import RLPException

from ledger.adapters.block_header import encode_header
from ledger.adapters.contract_errors import reverted
from ledger.adapters.event_logs import read_logs
from ledger.adapters.json_rpc import JsonRpc
from ledger.encoding import from_hex, keccak256, to_hex
from ledger.errors import (
    BadInput,
    ChainUnreachable,
    ConfigurationError,
    ContractReverted,
    InvalidProof,
    KhalayakError,
    NotFound,
    RangeRefused,
    Refused,
    StateDropped,
)
from ledger.model import AccountProof, Block, BlockTag, Fees, Followed, Log, Receipt
from wallet.late import recursion_limit_kept

if TYPE_CHECKING:
    from web3 import HTTPProvider

T = TypeVar("T")

# What geth, anvil, hardhat, Nethermind, Besu and Erigon say when they have the transaction already.
_KNOWN = ("already known", "already imported", "known transaction", "already exists", "alreadyknown")
_HEADER = "eth_getBlockByNumber"
_LIMITED = (-32005, 429)  # EIP-1474 "limit exceeded": the node has not looked at the request
# How geth, reth, anvil, Erigon, Nethermind and Besu say that they have pruned a block's state.
_DROPPED = r"missing trie node|state .*(not|un)available|prun|world state|proof window|BlockOutOfRange"
# How nodes say of an estimate that it fails, or needs more gas than a transaction or a block may have.
_REVERTED = r"revert|out of gas|gas required exceeds|gas limit"
BATCH = 100  # requests that go together; geth takes 1,000
_NO_BLOCK = (-32602, -39001)  # how nodes without a `finalized` tag, and geth before its first final block, answer


class EvmChain:
    """See ledger.ports.Chain. `name` is the URL without its secrets. `timeout` is in seconds, for each request.
    `confirmations`: how many blocks on top make a block final where the node knows no finality; 0 if only its own word
    counts. Nothing is ever sent twice by itself."""

    def __init__(self, rpc_url: str, timeout: float = 10, confirmations: int = 0) -> None:
        """Raises ConfigurationError when the URL is not an http(s) one."""
        self.name = _without_secrets(rpc_url)
        self._confirmations = confirmations
        self._node = JsonRpc(rpc_url, timeout)
        self._url, self._timeout = rpc_url, timeout

    @cached_property
    def _provider(self) -> HTTPProvider:
        with recursion_limit_kept():
            from web3 import HTTPProvider  # takes most of a second to load, and who only reads has no use for it

        options = {"timeout": self._timeout, "allow_redirects": False}
        provider = HTTPProvider(self._url, request_kwargs=options, exception_retry_configuration=None)
        # A contract's answer must not make this server fetch a URL (CCIP-Read, CVE-2026-40072).
        provider.global_ccip_read_enabled = False
        return provider

    def expect(self, blocks: Iterable[Followed | None]) -> None:
        pass

    def chain_id(self) -> int:
        return self._ask(_number, "eth_chainId")

    def genesis_hash(self) -> bytes:
        return self.block(0).hash

    def block(self, at: int | BlockTag) -> Block:
        try:
            return self._block_at(at)
        except NotFound:
            if at != "finalized" or not self._confirmations:
                raise
        # A chain without finality: as many blocks on top are taken for it as the operator says.
        return self._block_at(max(0, self._block_at("latest").number - self._confirmations))

    def _block_at(self, at: int | BlockTag) -> Block:
        return self._ask(partial(_block, at), _HEADER, hex(at) if isinstance(at, int) else at, False)

    def blocks(self, numbers: Sequence[int]) -> list[Block]:
        found = []
        for first in range(0, len(numbers), BATCH):
            part = numbers[first : first + BATCH]
            answers = self._ask_together([(_HEADER, [hex(number), False]) for number in part])
            found += [self._read(partial(_block, n), answer, _HEADER) for n, answer in zip(part, answers, strict=True)]
        return found

    def code(self, address: str) -> bytes:
        return self._ask(_bytes, "eth_getCode", address, "latest")

    def call(self, to: str, data: bytes) -> bytes:
        return self.calls([(to, data)])[0]

    def calls(self, requests: Sequence[tuple[str, bytes]]) -> list[bytes]:
        return [self._read(_bytes, answer, "eth_call") for answer in self._call_each(requests)]

    def refusals(self, to: str, calls: Sequence[bytes]) -> list[ContractReverted | None]:
        return [self._refused(answer) for answer in self._call_each([(to, data) for data in calls])]

    def _refused(self, answer: Mapping[str, Any]) -> ContractReverted | None:
        try:
            self._read(_bytes, answer, "eth_call")
        except ContractReverted as refusal:
            return refusal
        return None

    def _call_each(self, requests: Sequence[tuple[str, bytes]]) -> Iterator[Mapping[str, Any]]:
        asked = [("eth_call", [{"to": to, "data": to_hex(data)}, "latest"]) for to, data in requests]
        for start in range(0, len(asked), BATCH):
            yield from self._ask_together(asked[start : start + BATCH])

    def next_nonce(self, address: str) -> int:
        return self._ask(_number, "eth_getTransactionCount", address, "pending")

    def spent_nonces(self, address: str, at: int | BlockTag) -> int:
        return self._ask(_number, "eth_getTransactionCount", address, hex(at) if isinstance(at, int) else at)

    def balance(self, address: str) -> int:
        return self._ask(_number, "eth_getBalance", address, "latest")

    def fees(self) -> Fees:
        base = self._ask(lambda found: _number(found["baseFeePerGas"][-1]), "eth_feeHistory", "0x1", "latest", [])
        priority = self._ask(_number, "eth_maxPriorityFeePerGas")
        return Fees(2 * base + priority, priority, base)

    def estimate_gas(self, sender: str, to: str, data: bytes) -> int:
        method = "eth_estimateGas"
        answer = self._ask_web3(method, {"from": sender, "to": to, "data": to_hex(data)})
        return self._read(_number, answer, method)

    def send(self, raw: bytes) -> None:
        answer = self._ask_web3("eth_sendRawTransaction", to_hex(raw))
        if "error" not in answer:
            if answer["result"] != to_hex(keccak256(raw)):
                raise self._unreachable("answers with the hash of another transaction than it was sent")
            return
        said = str(answer["error"].get("message", ""))
        if answer["error"].get("code") in _LIMITED:
            raise self._unreachable(f"takes no more requests now: {said[:200]}")
        if any(words in said.lower() for words in _KNOWN) or self.receipt(keccak256(raw)):
            return
        raise Refused(f"The node does not take the transaction: {said[:200]}.", "It is kept and sent again.")

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        return self._ask(_receipt, "eth_getTransactionReceipt", to_hex(transaction_hash))

    def transaction(self, transaction_hash: bytes) -> bytes | None:
        raw = self._ask(_transaction, "eth_getTransactionByHash", to_hex(transaction_hash))
        if raw is not None and keccak256(raw) != transaction_hash:
            raise self._unreachable("answers with another transaction than it was asked for")
        return raw

    def logs(self, address: str, first: int, last: int) -> list[Log]:
        where = {"address": address, "fromBlock": hex(first), "toBlock": hex(last)}
        # Whoever lags behind answers with the logs it has, without a word; where many nodes share an address, only the
        # same request tells of the same one.
        told, header = self._ask_together([("eth_getLogs", [where]), (_HEADER, [hex(last), False])])
        try:
            self._read(partial(_block, last), header, _HEADER)
        except NotFound:
            raise self._unreachable(f"has no block {last} yet") from None
        return self._read(partial(read_logs, address, first, last), told, "eth_getLogs")

    def proof(self, address: str, slots: Sequence[bytes], block_number: int) -> AccountProof:
        names = [to_hex(slot) for slot in slots]
        return self._ask(partial(_proof, slots), "eth_getProof", address, names, hex(block_number))

    def _ask(self, read: Callable[[Any], T], method: str, *parameters: Any) -> T:
        (answer,) = self._ask_together([(method, list(parameters))])
        return self._read(read, answer, method)

    def _read(self, read: Callable[[Any], T], answer: Mapping[str, Any], method: str) -> T:
        """What `read` makes of the node's result; a result that it cannot read is no answer."""
        if "error" in answer:
            raise self._refusal(method, answer["error"])
        try:
            return read(answer["result"])
        except (BadInput, AttributeError, LookupError, TypeError, ValueError):
            raise self._unreachable(f"answers {method} as no Ethereum node does") from None

    def _refusal(self, method: str, error: Mapping[str, Any]) -> KhalayakError:
        data = error.get("data")
        data = data.get("data", data.get("result")) if isinstance(data, Mapping) else data
        data = data if isinstance(data, str) and data.startswith("0x") else None
        said = str(error.get("message", ""))
        if method in ("eth_call", "eth_estimateGas") and (data or re.search(_REVERTED, said, re.IGNORECASE)):
            return reverted(data or "0x", said)
        if method == _HEADER and (error.get("code") in _NO_BLOCK or "not found" in said.lower()):
            return NotFound(f"The node has no such block: {said[:200]}.", "It may lag behind, or have no such tag.")
        if method == "eth_getLogs":
            return RangeRefused(f"The node at {self.name} gives no logs of this range: {said[:200]}.")
        if method == "eth_getProof" and re.search(_DROPPED, said, re.IGNORECASE):
            return StateDropped(f"The node cannot prove that state: {said[:200]}.", "Ask an archive node.")
        return self._unreachable(f"cannot answer {method}: {said[:200]}")

    def _ask_together(self, asked: Sequence[tuple[str, list[Any]]]) -> list[Mapping[str, Any]]:
        try:
            return self._node.ask(asked)
        except (OSError, ValueError) as error:
            raise self._no_answer(error) from None

    def _ask_web3(self, method: str, *parameters: Any) -> Mapping[str, Any]:
        try:
            answer = self._provider.make_request(method, list(parameters))
        except (OSError, ValueError, RecursionError) as error:
            raise self._no_answer(error) from None
        if not isinstance(answer, Mapping) or not ("result" in answer or isinstance(answer.get("error"), Mapping)):
            raise self._unreachable("is not an Ethereum node")
        return answer

    def _no_answer(self, error: Exception) -> ChainUnreachable:
        status = getattr(getattr(error, "response", None), "status_code", None)
        return self._unreachable(f"does not answer: {f'HTTP {status}' if status else type(error).__name__}")

    def _unreachable(self, what: str) -> ChainUnreachable:
        return ChainUnreachable(f"The node at {self.name} {what}.", "Start it, or correct KHALAYAK_RPC_URL.")


def _without_secrets(url: str) -> str:
    """Scheme, host and port. Providers put their keys into the path, others a password before the host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError("The RPC URL is not an http or https one.", "Correct KHALAYAK_RPC_URL.")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _number(text: str) -> int:
    if not re.fullmatch(r"0x[0-9a-fA-F]{1,64}", text):
        raise ValueError(text)
    return int(text, 16)


def _bytes(text: object) -> bytes:
    return from_hex(text, None)


def _block(at: int | BlockTag, found: Mapping[str, Any] | None) -> Block:
    if found is None:
        raise NotFound(f"The node has no block {at}.", "It may lag behind, or have no such tag.")
    block_hash, number = from_hex(found["hash"], 32), _number(found["number"])
    try:
        header = encode_header(found)
    except RLPException:
        header = b""
    if keccak256(header) != block_hash or (isinstance(at, int) and number != at):
        raise InvalidProof(f"The node's header of block {at} does not have the hash it names.", "Use another node.")
    return Block(number, block_hash, _number(found["timestamp"]), header)


def _receipt(found: Mapping[str, Any] | None) -> Receipt | None:
    if found is None or found["blockHash"] is None:
        return None
    return Receipt(_number(found["blockNumber"]), from_hex(found["blockHash"], 32), _number(found["status"]) == 1)


def _transaction(found: Mapping[str, Any] | None) -> bytes | None:
    """EIP-1559: 0x02 and the RLP of these members."""
    if found is None or found["type"] != "0x2":
        return None
    numbers = (_number(found[name]) for name in ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas"))
    signature = (_number(found[name]) for name in ("v", "r", "s"))
    to, value, data = _bytes(found["to"] or "0x"), _number(found["value"]), _bytes(found["input"])
    access = [[_bytes(a["address"]), [_bytes(k) for k in a["storageKeys"]]] for a in found.get("accessList", [])]
    return b"\x02" + bytes(rlp.encode([*numbers, to, value, data, access, *signature]))


def _proof(slots: Sequence[bytes], found: Mapping[str, Any]) -> AccountProof:
    proofs = {int(item["key"], 16): _nodes(item["proof"]) for item in found["storageProof"]}
    return AccountProof(_nodes(found["accountProof"]), tuple(proofs[int.from_bytes(slot, "big")] for slot in slots))


def _nodes(items: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(_bytes(item) for item in items)
