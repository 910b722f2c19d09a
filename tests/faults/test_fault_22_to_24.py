"""FAULTS 22 to 24: a node makes up a log, a receipt, an account, a storage word or a header, or has dropped old states.
What is not true is an error and never a valid certificate; what was certified before verifies without any node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.evm_chain import EvmChain
from ledger.adapters.sql_store import SqlStore
from ledger.encoding import canonical_json
from ledger.errors import InvalidProof, KhalayakError, StateDropped
from ledger.follower import Follower
from ledger.verifier import verify
from tests.databases import empty_store
from tests.faults.proxy import proxied
from tests.forks import start_anvil
from tests.office import TestOffice, office_at, record_of, running_office

Forge = Callable[[Any], Any]


@contextmanager
def lying(desk: TestOffice, method: str, forge: Forge) -> Iterator[EvmChain]:
    def answer(request: dict[str, Any], forward: Callable[[], Any]) -> Any:
        found = forward()
        return found | {"result": forge(found["result"])} if request["method"] == method else found

    with proxied(desk.office.settings.rpc_url, answer) as proxy:
        yield EvmChain(proxy.url)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("lies")) as office:
        office.certify(office.approve(office.issue(office.request())).id)
        yield office


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with empty_store(tmp_path) as opened:
        yield opened


def another_holder(logs: Any) -> Any:
    return [log | {"data": log["data"][:90] + "1234567890" + log["data"][100:]} if two(log) else log for log in logs]


def another_record(logs: Any) -> Any:
    return [log | {"topics": [log["topics"][0], "0x" + "ab" * 32]} if two(log) else log for log in logs]


def another_block(logs: Any) -> Any:
    return [log | {"blockHash": "0x" + "ab" * 32} for log in logs]


def one_more(logs: Any) -> Any:
    made_up = [another_record([log])[0] | {"logIndex": "0x7f"} for log in logs if two(log)]
    return [*logs, *made_up]


def two(log: Any) -> bool:
    return len(log["topics"]) == 2


@pytest.mark.parametrize("forge", [another_holder, another_record, another_block, one_more])
def test_fault_22_a_log_that_is_made_up_is_not_kept(desk: TestOffice, store: SqlStore, forge: Forge) -> None:
    name = str(desk.trusted().name)
    with lying(desk, "eth_getLogs", forge) as chain:
        for _ in range(2):
            with pytest.raises(InvalidProof):
                Follower(desk.trusted(), store, chain).run_once()
    assert store.entries(name) == []
    Follower(desk.trusted(), store, desk.office.chain).run_once()
    assert store.entries(name) == desk.office.store.entries(name) != []


def test_fault_22_a_receipt_that_is_made_up_certifies_nothing(desk: TestOffice) -> None:
    application = desk.approve(desk.issue(desk.request()))
    mined = desk.office.chain.block("latest")
    told = {"blockNumber": hex(mined.number), "blockHash": "0x" + mined.hash.hex(), "status": "0x1"}

    def answer(request: dict[str, Any], forward: Callable[[], Any]) -> Any:
        if request["method"] == "eth_sendRawTransaction":
            return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32000, "message": "already known"}}
        if request["method"] == "eth_getTransactionReceipt":
            return {"jsonrpc": "2.0", "id": request["id"], "result": told}
        return forward()

    office = desk.office
    assert office.publisher
    with proxied(office.settings.rpc_url, answer) as proxy:
        office.publisher.chain = EvmChain(proxy.url)
        try:
            for _ in range(4):
                office.publisher.run_once()
            for follower in office.followers:
                follower.run_once()
            with pytest.raises(KhalayakError):
                office.certifier.newest(desk.trusted(), record_of(application))
        finally:
            office.publisher.chain = office.chain
    assert office.store.history(str(desk.trusted().name), record_of(application)) == []
    assert office.store.application(application.id).state != "certified"


def another_word(proof: Any) -> Any:
    slots = [s | {"proof": [*s["proof"][:-1], s["proof"][-1][:-2] + "ff"]} for s in proof["storageProof"]]
    return proof | {"storageProof": slots}


def another_account(proof: Any) -> Any:
    return proof | {"accountProof": [*proof["accountProof"][:-1], proof["accountProof"][-1][:-2] + "ff"]}


def no_proof(proof: Any) -> Any:
    return proof | {"storageProof": [slot | {"proof": []} for slot in proof["storageProof"]]}


def another_state(block: Any) -> Any:
    return block | {"stateRoot": "0x" + "ab" * 32}


def another_time(block: Any) -> Any:
    return block | {"timestamp": "0x1"}


@pytest.mark.parametrize(
    ("method", "forge"),
    [
        ("eth_getProof", another_word),
        ("eth_getProof", another_account),
        ("eth_getProof", no_proof),
        ("eth_getBlockByNumber", another_state),
        ("eth_getBlockByNumber", another_time),
    ],
)
def test_fault_23_state_that_is_made_up_is_an_error(
    desk: TestOffice, store: SqlStore, method: str, forge: Forge
) -> None:
    record_id = desk.office.store.entries(str(desk.trusted().name))[0].record_id
    certifier = desk.office.certifier
    with lying(desk, method, forge) as chain:
        certifier.chain = chain
        try:
            for question in (
                lambda: certifier.newest(desk.trusted(), record_id),
                lambda: certifier.absence("land", {"nib": "99.99.99.99.99999"}),
            ):
                with pytest.raises(KhalayakError):
                    question()
        finally:
            certifier.chain = desk.office.chain
        with pytest.raises(InvalidProof):
            Follower(desk.trusted(), store, chain).run_once()
    assert store.entries(str(desk.trusted().name)) == []


def test_fault_24_a_stored_certificate_verifies_when_the_node_has_dropped_the_state(tmp_path: Path) -> None:
    with (
        start_anvil("--slots-in-an-epoch", "1", "--prune-history", "8") as chain,
        office_at(chain.url, tmp_path) as desk,
    ):
        application = desk.approve(desk.issue(desk.request()))
        for _ in range(5):
            desk.office.run_once()
            chain.rpc("anvil_mine", "0x2")
        assert desk.office.store.application(application.id).state == "certified"
        name, record_id = str(desk.trusted().name), record_of(application)
        (entry,) = desk.office.store.history(name, record_id)
        for _ in range(40):
            chain.rpc("anvil_mine", "0x1")
        with pytest.raises(StateDropped):
            desk.office.chain.proof(desk.trusted().name.address, [bytes(32)], entry.block_number)
        kept, trust = desk.office.store.certificate(name, record_id), desk.office.trust
    assert verify(canonical_json(kept), trust).valid
