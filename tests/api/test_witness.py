"""What a witness answers over HTTP, at a node that we can start and stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette

from api.witness import Bucket, create_witness_app
from ledger.adapters.evm_chain import EvmChain
from ledger.checkpoint import parse
from ledger.cosigner import WINDOW, Cosigner
from ledger.errors import KhalayakError
from ledger.witness import Witness
from scripts.devnet import free_port
from tests.fakes import FakeClock
from tests.forks import SHARED, Anvil, anvil


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with anvil(1) as running:
        yield running


@pytest.fixture
def cosigner(node: Anvil, tmp_path: Path) -> Cosigner:
    witness = Witness("court", Ed25519PrivateKey.generate(), tmp_path / "log")
    return Cosigner(node.trust(witness.verifier_key), node.chain, witness, FakeClock(100))


@dataclass(frozen=True)
class Client:
    app: Starlette

    def get(self, path: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://witness") as client:
                return await client.get(path)

        return asyncio.run(ask())


def client(cosigner: Cosigner, alarm: Callable[[KhalayakError], object] = print, burst: int = 10) -> Client:
    return Client(create_witness_app(cosigner, alarm, Bucket(0, burst)))


def test_the_answer_is_the_signed_note(cosigner: Cosigner, node: Anvil) -> None:
    answer = client(cosigner).get("/checkpoint/3")
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert parse(answer.text)[0].block_hash == node.chain.block(3).hash


def test_it_answers_only_so_often(cosigner: Cosigner) -> None:
    asked = client(cosigner, burst=2)
    answers = [asked.get("/checkpoint/1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429] and answers[2].headers["retry-after"] == "1"


def test_requests_are_counted_by_the_second() -> None:
    now = [0.0]
    bucket = Bucket(2, 3, lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True] * 3 + [False]
    now[0] = 1
    assert [bucket.take() for _ in range(3)] == [True] * 2 + [False]
    now[0] = 1000
    assert [bucket.take() for _ in range(4)] == [True] * 3 + [False]


@pytest.mark.parametrize("number", ["01", "-1", "1.0", "x", "9" * 19, "٣", "%20", "1%0a"])
def test_what_is_no_block_number_is_refused(cosigner: Cosigner, number: str) -> None:
    assert client(cosigner).get(f"/checkpoint/{number}").status_code == 400


def test_a_node_that_is_away_is_not_named(cosigner: Cosigner) -> None:
    port = free_port()
    cosigner.chain = EvmChain(f"http://127.0.0.1:{port}")
    answer = client(cosigner).get("/checkpoint/3")
    assert answer.status_code == 503 and answer.text == "This witness cannot tell now.\n"


def test_a_fork_is_an_alarm_and_no_answer(cosigner: Cosigner) -> None:
    alarms: list[KhalayakError] = []
    assert client(cosigner).get(f"/checkpoint/{SHARED + 1}").status_code == 200
    with anvil(2) as fork:
        cosigner.chain = fork.chain
        answer = client(cosigner, alarms.append).get(f"/checkpoint/{SHARED + 1}")
    assert answer.status_code == 409 and answer.text.startswith("Split view: court signed block 7")
    assert [error.code for error in alarms] == ["split-view"]


def test_another_chain_is_an_alarm_and_no_answer(cosigner: Cosigner) -> None:
    alarms: list[KhalayakError] = []
    with anvil(1, genesis_time=1_770_000_000) as stranger:
        cosigner.chain = stranger.chain
        assert client(cosigner, alarms.append).get("/checkpoint/1").status_code == 409
    assert [error.code for error in alarms] == ["chain-mismatch"]


def test_old_blocks_are_not_signed_any_more(cosigner: Cosigner) -> None:
    with anvil(1) as long:
        long.rpc("anvil_mine", hex(WINDOW))
        cosigner.chain, oldest = long.chain, long.final - WINDOW + 1
        asked = client(cosigner)
        assert [asked.get(f"/checkpoint/{n}").status_code for n in (oldest - 1, oldest, 1)] == [404, 200, 404]
