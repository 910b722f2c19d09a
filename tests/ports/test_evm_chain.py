"""What a broken, slow or lying node does to EvmChain. The servers here are real; what they answer is made up."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ledger.adapters.evm_chain import EvmChain
from ledger.encoding import to_hex
from ledger.errors import ChainUnreachable, ConfigurationError, NotFound, Refused, StateDropped
from scripts.devnet import free_port
from tests.ports.test_chain import ABSENT, error, result, serving

EMPTY_ROOT = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
GOERLI_HASH = "0xbf7e331f7f7c1dd2e05159666b3bf8bc7a8a3a9eb1d518969eab529dd9b88c1a"
# Block 0 of Goerli, a proof-of-authority chain (EIP-225): 97 bytes of extra data, and no field of a later fork.
GOERLI = {
    "parentHash": to_hex(bytes(32)),
    "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
    "miner": to_hex(bytes(20)),
    "stateRoot": "0x5d6cded585e73c4e322c30c2f782a336316f17dd85a4863b9d838d2d4b8b3008",
    "transactionsRoot": EMPTY_ROOT,
    "receiptsRoot": EMPTY_ROOT,
    "logsBloom": to_hex(bytes(256)),
    "difficulty": "0x1",
    "number": "0x0",
    "gasLimit": "0xa00000",
    "gasUsed": "0x0",
    "timestamp": "0x5c51a607",
    "extraData": "0x22466c6578692069732061207468696e6722202d204166726900000000000000"
    "e0a2bd4258d2768837baa26a28fe71dc079f84c7" + "00" * 65,
    "mixHash": to_hex(bytes(32)),
    "nonce": to_hex(bytes(8)),
    "hash": GOERLI_HASH,
}

CALLS: dict[str, Callable[[EvmChain], Any]] = {
    "chain_id": lambda chain: chain.chain_id(),
    "block": lambda chain: chain.block("latest"),
    "code": lambda chain: chain.code(ABSENT),
    "call": lambda chain: chain.call(ABSENT, b""),
    "calls": lambda chain: chain.calls([(ABSENT, b""), (ABSENT, b"")]),
    "refusals": lambda chain: chain.refusals(ABSENT, [b"", b""]),
    "next_nonce": lambda chain: chain.next_nonce(ABSENT),
    "spent_nonces": lambda chain: chain.spent_nonces(ABSENT, "latest"),
    "balance": lambda chain: chain.balance(ABSENT),
    "fees": lambda chain: chain.fees(),
    "estimate_gas": lambda chain: chain.estimate_gas(ABSENT, ABSENT, b""),
    "send": lambda chain: chain.send(b"\x02"),
    "receipt": lambda chain: chain.receipt(bytes(32)),
    "logs": lambda chain: chain.logs(ABSENT, 0, 1),
    "proof": lambda chain: chain.proof(ABSENT, [bytes(32)], 1),
}
JUNK = {
    "html": b"<html>Bad gateway</html>",
    "nothing": b"",
    "no text": b"\xff\xfe",
    "a list": b"[]",
    "null": b"null",
    "no result": b"{}",
    "an error without a code": b'{"error": "no"}',
    "a word": result("zz")(b""),
    "an object": result({})(b""),
    "a list of numbers": result([1])(b""),
    "numbers for a batch": b"[1, 2]",
    "answers of mixed ids": b'[{"id": "a", "result": "0x"}, {"id": 1, "result": "0x"}]',
    "half a batch": b'[{"id": 1, "result": "0x"}]',
    "no answer in a batch": b'[{"id": 1, "result": "0x"}, {"id": 2}]',
    "an error for a batch": error(-32600, "batch too large")(b""),
    "a limit": error(-32005, "daily request count exceeded")(b""),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("method", CALLS)
def test_an_answer_that_no_node_gives_is_no_answer(method: str, junk: str) -> None:
    with serving(lambda _: JUNK[junk]) as server, pytest.raises(ChainUnreachable):
        CALLS[method](EvmChain(server.url))


@pytest.mark.parametrize(
    "said", ["missing trie node 1a2b (path ) state 0x1a is not available", "old data not available due to pruning"]
)
def test_a_node_that_has_dropped_the_state_says_so(said: str) -> None:
    with serving(error(-32000, said)) as server, pytest.raises(StateDropped):
        CALLS["proof"](EvmChain(server.url))


@pytest.mark.parametrize("status", [302, 307, 400, 404, 429, 500, 502, 503])
def test_a_status_that_is_not_success_is_no_answer_and_is_followed_nowhere(status: int) -> None:
    with (
        serving(result("0x1")) as elsewhere,
        serving(lambda _: b"{}", status, elsewhere.url) as server,
        pytest.raises(ChainUnreachable),
    ):
        EvmChain(server.url).chain_id()
    assert elsewhere.requests == []


@contextmanager
def tcp(answer: bytes | None) -> Iterator[tuple[str, list[bytes]]]:
    """A TCP server that says `answer` to each connection and closes it, or says nothing for as long as it is asked."""
    seen: list[bytes] = []
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            seen.append(connection.recv(65536))
            if answer is None:
                held.append(connection)
            else:
                connection.sendall(answer)
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in held:
        connection.close()


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"])
def test_a_server_that_breaks_off_is_asked_once(answer: bytes) -> None:
    with tcp(answer) as (url, seen):
        with pytest.raises(ChainUnreachable):
            EvmChain(url).send(b"\x02")
        assert len(seen) == 1


def test_a_server_that_says_nothing_is_given_up() -> None:
    with tcp(None) as (url, _), pytest.raises(ChainUnreachable):
        EvmChain(url, timeout=0.2).chain_id()


@pytest.mark.parametrize("method", CALLS)
def test_a_port_where_nobody_listens_is_unreachable(method: str) -> None:
    with pytest.raises(ChainUnreachable):
        CALLS[method](EvmChain(f"http://127.0.0.1:{free_port()}"))


def test_no_error_shows_the_secrets_of_a_url() -> None:
    for url in (
        f"http://user:hunter2@127.0.0.1:{free_port()}/v3/hunter2?key=hunter2",
        "ftp://hunter2",
        "http://[hunter2",
    ):
        with pytest.raises((ChainUnreachable, ConfigurationError)) as raised:
            EvmChain(url).chain_id()
        assert "hunter2" not in f"{raised.value}{raised.value.message}{raised.value.hint}"


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1", "http://", "127.0.0.1:8545"])
def test_a_url_that_is_not_http_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError):
        EvmChain(url)


def test_a_proxy_that_the_environment_names_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(result("0x1")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert EvmChain("http://node.example:8545").chain_id() == 1


@pytest.mark.parametrize("call", ["chain_id()", "send(b'')"])
def test_deeply_nested_json_does_not_kill_the_process(call: str) -> None:
    with serving(lambda _: b"[" * 1_000_000) as server:
        code = f"from ledger.adapters.evm_chain import EvmChain; EvmChain({server.url!r}).{call}"
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 1
    assert "ChainUnreachable" in ended.stderr


def test_a_header_of_a_proof_of_authority_chain_from_before_london_is_read() -> None:
    with serving(result(GOERLI)) as server:
        assert EvmChain(server.url).genesis_hash() == bytes.fromhex(GOERLI_HASH[2:])


@pytest.mark.parametrize("code, message", [(-39001, "Unknown block"), (-32000, "finalized block not found")])
def test_a_node_without_a_finalized_block_has_none(code: int, message: str) -> None:
    with serving(error(code, message)) as server, pytest.raises(NotFound):
        EvmChain(server.url).block("finalized")


def test_a_node_that_fails_to_look_for_a_block_does_not_say_there_is_none() -> None:
    with serving(error(-32603, "internal error")) as server, pytest.raises(ChainUnreachable):
        EvmChain(server.url).block("finalized")


KNOWN = ["already known", "Known transaction", "ALREADY_EXISTS: already known", "AlreadyKnown", "tx already imported"]


@pytest.mark.parametrize("message", KNOWN)
def test_a_transaction_that_the_node_knows_is_sent(message: str) -> None:
    with serving(error(-32000, message)) as server:
        EvmChain(server.url).send(b"\x02")
        assert len(server.requests) == 1


MINED = {"blockNumber": "0x1", "blockHash": to_hex(bytes(32)), "status": "0x1"}


def refusing(code: int, message: str, receipt: object) -> Callable[[bytes], bytes]:
    """A node that does not take a transaction and has this receipt of it."""

    def answer(body: bytes) -> bytes:
        asked = json.loads(body)["method"] == "eth_getTransactionReceipt"
        return result(receipt)(body) if asked else error(code, message)(body)

    return answer


def test_a_spent_nonce_is_success_where_the_transaction_itself_is_mined() -> None:
    with serving(refusing(-32000, "nonce too low", MINED)) as server:
        EvmChain(server.url).send(b"\x02")


def test_a_spent_nonce_is_refused_where_another_transaction_has_it() -> None:
    with serving(refusing(-32000, "nonce too low", None)) as server, pytest.raises(Refused, match="nonce too low"):
        EvmChain(server.url).send(b"\x02")


@pytest.mark.parametrize("code", [-32005, 429])
def test_a_node_that_limits_requests_has_refused_nothing(code: int) -> None:
    with serving(refusing(code, "too many requests", None)) as server, pytest.raises(ChainUnreachable):
        EvmChain(server.url).send(b"\x02")


def test_a_node_that_answers_with_another_hash_has_not_taken_the_transaction() -> None:
    with serving(result(to_hex(bytes(32)))) as server, pytest.raises(ChainUnreachable):
        EvmChain(server.url).send(b"\x02")
