"""What every Chain keeps, run over each node we can start; then what a broken or lying node does to EvmChain."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import rlp
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from trie import HexaryTrie

from ledger.adapters.evm_chain import BATCH, EvmChain
from ledger.encoding import address_bytes, to_hex
from ledger.errors import ContractReverted, InvalidProof, NotFound, Refused
from ledger.model import Receipt
from ledger.state_proof import mapping_slot, parse_header
from scripts.deploy import Deployer
from scripts.devnet import start_hardhat
from scripts.tools.geth import find_geth, start_geth
from wallet.keys import new_key
from wallet.signer import LocalSigner

ABSENT = "0x" + "11" * 20
REGISTERS = [to_checksum_address(bytes([n]) * 20) for n in (0xAA, 0xBB, 0xCC)]
FIELDS = [
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty"),
    *(
        "number",
        "gasLimit",
        "gasUsed",
        "timestamp",
        "extraData",
        "mixHash",
        "nonce",
        "baseFeePerGas",
        "withdrawalsRoot",
    ),
    *("blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash", "hash"),
]


def rpc(url: str, method: str, *parameters: Any) -> Any:
    """The node's own answer, without the adapter under test."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["result"]


@dataclass(frozen=True)
class Node:
    """A running node with an Authority whose admin is `run.signer`, and one policy set in a block of its own each."""

    url: str
    chain: EvmChain
    run: Deployer
    authority: str

    def raw(self, nonce: int, data: bytes = b"", signer: LocalSigner | None = None, value: int = 0) -> bytes:
        fees = self.chain.fees()
        return (signer or self.run.signer).sign_transaction(
            {
                "type": 2,
                "chainId": self.chain.chain_id(),
                "nonce": nonce,
                "to": self.authority,
                "value": value,
                "data": data,
                "gas": 500_000,
                "maxFeePerGas": fees.max_fee,
                "maxPriorityFeePerGas": fees.priority_fee,
            }
        )

    def next_nonce(self) -> int:
        return self.chain.next_nonce(self.run.signer.address)


def proved(root: bytes, key: bytes, proof: Iterable[bytes]) -> bytes:
    """The value at a key, by the `trie` package."""
    value: bytes = HexaryTrie.get_from_proof(root, keccak(key), [rlp.decode(item) for item in proof])
    return value


def receipt(chain: EvmChain, raw: bytes) -> Receipt:
    for _ in range(300):
        if found := chain.receipt(keccak(raw)):
            return found
        time.sleep(0.05)
    raise AssertionError("the transaction was not mined")


@pytest.fixture(scope="module", params=["hardhat", "geth"])
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    geth = find_geth() if request.param == "geth" else None
    if request.param == "geth" and geth is None:
        pytest.skip("no geth: run `make tools` (needs Go) or set KHALAYAK_GETH_BIN")
    data: Path = tmp_path_factory.mktemp("chain")
    with start_geth(geth, data, 0) if geth else start_hardhat() as url:
        signer = LocalSigner(new_key())
        gift = {"from": rpc(url, "eth_accounts")[0], "to": signer.address, "value": hex(10**21)}
        rpc(url, "eth_sendTransaction", gift)
        chain = EvmChain(url)
        while rpc(url, "eth_getBalance", signer.address, "latest") == "0x0":
            time.sleep(0.05)
        run = Deployer(chain, signer)
        authority = run.create("Authority", ("address", signer.address))
        for register in REGISTERS:
            run.call(authority, "setPolicy(address,uint64,uint8)", register, 1, 2)
        yield Node(url, chain, run, authority)


@pytest.mark.parametrize("at", [0, 1, "latest", "finalized"])
def test_a_header_is_the_preimage_of_the_hash_the_node_names(node: Node, at: Any) -> None:
    named = rpc(node.url, "eth_getBlockByNumber", hex(at) if isinstance(at, int) else at, False)
    block = node.chain.block(at)
    assert to_hex(keccak(block.header)) == to_hex(block.hash) == named["hash"]
    assert (block.number, block.time) == (int(named["number"], 16), int(named["timestamp"], 16))
    assert to_hex(parse_header(block.header).state_root) == named["stateRoot"]


def test_the_chain_is_named_by_its_number_and_its_first_block(node: Node) -> None:
    assert node.chain.chain_id() == int(rpc(node.url, "eth_chainId"), 16)
    assert node.chain.genesis_hash() == node.chain.block(0).hash


def test_a_block_that_is_not_there_is_not_found(node: Node) -> None:
    with pytest.raises(NotFound):
        node.chain.block(10**6)


def test_proofs_of_set_unset_and_odd_slots_verify_with_another_implementation(node: Node) -> None:
    policies = [mapping_slot(address_bytes(REGISTERS[0]).rjust(32, b"\0"), position) for position in range(8)]
    slots = [*policies, *(n.to_bytes(32, "big") for n in (0, 1, 15, 16)), b"\x0f" + bytes(30) + b"\xf0"]
    block = node.chain.block("latest")
    proof = node.chain.proof(node.authority, slots, block.number)
    root = parse_header(block.header).state_root
    account = rlp.decode(proved(root, address_bytes(node.authority), proof.account))
    assert account[3] == keccak(node.chain.code(node.authority))
    words = []
    for slot, nodes in zip(slots, proof.slots, strict=True):
        value = proved(account[2], slot, nodes)
        words.append(rlp.decode(value).rjust(32, b"\0") if value else bytes(32))
        assert to_hex(words[-1]) == rpc(node.url, "eth_getStorageAt", node.authority, to_hex(slot), "latest")
    assert any(map(any, words))
    assert bytes(32) in words


def test_the_absence_of_an_account_is_proved(node: Node) -> None:
    block = node.chain.block("latest")
    proof = node.chain.proof(ABSENT, [bytes(32)], block.number)
    root = parse_header(block.header).state_root
    assert proved(root, address_bytes(ABSENT), proof.account) == b""
    assert node.chain.code(ABSENT) == b""


def test_sending_a_transaction_again_is_success_before_and_after_it_is_mined(node: Node) -> None:
    nonce = node.next_nonce()
    raw = node.raw(nonce, keccak(b"expiration()")[:4])
    node.chain.send(raw)
    node.chain.send(raw)
    assert receipt(node.chain, raw).succeeded
    node.chain.send(raw)
    assert node.next_nonce() == nonce + 1


def test_what_a_node_does_not_take_is_refused_with_its_reason(node: Node) -> None:
    with pytest.raises(Refused, match=r"(?i)nonce too low"):
        node.chain.send(node.raw(0))
    with pytest.raises(Refused, match=r"(?i)funds"):
        node.chain.send(node.raw(0, signer=LocalSigner(new_key())))
    with pytest.raises(Refused):
        node.chain.send(b"\x02\xc0")


def test_a_revert_is_named_with_its_arguments(node: Node) -> None:
    data = keccak(b"grantRole(uint64,address,uint32)")[:4] + bytes(32 * 3)
    with pytest.raises(ContractReverted, match=f"msgsender {ABSENT}") as raised:
        node.chain.estimate_gas(ABSENT, node.authority, data)
    assert raised.value.name == "AccessManagerUnauthorizedAccount"
    with pytest.raises(ContractReverted) as raised:
        node.chain.call(node.authority, data)
    assert raised.value.name == "AccessManagerUnauthorizedAccount"


def test_of_many_calls_each_is_refused_for_its_own_reason(node: Node) -> None:
    refused = keccak(b"grantRole(uint64,address,uint32)")[:4] + bytes(32 * 3)
    taken = keccak(b"policyOf(address)")[:4] + bytes(32)
    first, second, third = node.chain.refusals(node.authority, [refused, taken, refused])
    assert second is None and node.chain.refusals(node.authority, []) == []
    for refusal in (first, third):
        assert refusal is not None and refusal.name == "AccessManagerUnauthorizedAccount"


def test_many_calls_are_answered_in_their_order_or_the_one_that_reverts_is_named(node: Node) -> None:
    has_role, policy = keccak(b"hasRole(uint64,address)")[:4], keccak(b"policyOf(address)")[:4]
    registers = [REGISTERS[n % 3] if n % 2 else ABSENT for n in range(2 * BATCH + 1)]
    asked = [(node.authority, policy + address_bytes(register).rjust(32, b"\0")) for register in registers]
    answers = node.chain.calls(asked)
    assert answers == [node.chain.call(*request) for request in asked]
    assert {answer[-1] for answer in answers} == {0, 2}
    assert node.chain.calls([]) == []
    with pytest.raises(ContractReverted):
        node.chain.calls([asked[0], (node.authority, has_role), asked[1]])


def test_a_revert_without_data_has_no_name(node: Node) -> None:
    with pytest.raises(ContractReverted) as raised:
        node.chain.call(node.authority, b"\xff\xff\xff\xff")
    assert raised.value.name == ""


def test_a_transaction_that_reverts_is_mined_and_its_receipt_says_so(node: Node) -> None:
    raw = node.raw(node.next_nonce(), b"\xff\xff\xff\xff")
    node.chain.send(raw)
    assert not receipt(node.chain, raw).succeeded
    node.chain.send(raw)


def test_a_transaction_nobody_sent_has_no_receipt(node: Node) -> None:
    assert node.chain.receipt(bytes(32)) is None


def test_logs_are_those_of_one_contract_in_blocks_first_to_last_in_order(node: Node) -> None:
    topic = keccak(b"PolicySet(address,uint64,uint8)")
    head = node.chain.block("latest").number
    logs = [log for log in node.chain.logs(node.authority, 0, head) if log.topics[0] == topic]
    assert [to_checksum_address(log.topics[1][12:]) for log in logs] == REGISTERS
    assert {log.address for log in logs} == {to_checksum_address(node.authority)}
    assert all(log.block_hash == node.chain.block(log.block_number).hash for log in logs)
    first, middle, last = (log.block_number for log in logs)
    assert node.chain.logs(node.authority, middle, last) == logs[1:]
    assert node.chain.logs(node.authority, first, first) == logs[:1]
    assert node.chain.logs(ABSENT, 0, head) == []


@dataclass
class Server:
    """An HTTP server of ours at `url`; `requests` are the bodies it was sent."""

    url: str
    requests: list[bytes]


@contextmanager
def serving(answer: Callable[[bytes], bytes], status: int = 200, location: str = "") -> Iterator[Server]:
    seen: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.rfile.read(int(self.headers["Content-Length"])))
            body = answer(seen[-1])
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_port}", seen)
    finally:
        server.shutdown()
        server.server_close()


def result(value: Any) -> Callable[[bytes], bytes]:
    return lambda _: json.dumps({"jsonrpc": "2.0", "id": 0, "result": value}).encode()


def error(code: int, message: str) -> Callable[[bytes], bytes]:
    return lambda _: json.dumps({"jsonrpc": "2.0", "id": 0, "error": {"code": code, "message": message}}).encode()


@pytest.mark.parametrize("field", FIELDS)
def test_a_header_with_one_forged_field_is_no_proof(node: Node, field: str) -> None:
    block = rpc(node.url, "eth_getBlockByNumber", "0x1", False)
    changed = "0x01" if block[field] == "0x" else block[field][:-1] + ("1" if block[field][-1] != "1" else "2")
    forged = {**block, field: changed}
    with serving(result(forged)) as liar, pytest.raises(InvalidProof):
        EvmChain(liar.url).block("latest")


def test_a_true_header_of_another_block_is_no_proof(node: Node) -> None:
    with serving(result(rpc(node.url, "eth_getBlockByNumber", "0x1", False))) as liar, pytest.raises(InvalidProof):
        EvmChain(liar.url).block(2)
