"""Following a register into SQLite, beside the same logs by web3.py, and beside fetching them and no more."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import requests
from sqlalchemy import func, select
from web3 import HTTPProvider, Web3

from ledger.adapters.chain_process import ChainProcess
from ledger.adapters.evm_chain import EvmChain
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.adapters.sql_tables import entries
from ledger.encoding import checksum_address, keccak256, to_hex
from ledger.follower import Follower
from ledger.model import Application, Approval
from ledger.registers import register_of_kind
from ledger.settings import Settings
from ledger.trust import TrustedRegister
from scripts.bench.figures import Figures, figure
from scripts.deploy import deploy_devnet
from scripts.devnet import free_port, start_hardhat
from wallet.signer import LocalSigner

CALLS = 250
TITLES_A_CALL = 400
BLOCKS_AT_ONCE = 25
BLOCKS_BY_WEB3 = 15  # it takes a second for these few
ISSUED = keccak256(b"Issued(bytes32,bytes32,address,uint64)")
INPUTS = [
    {"type": "bytes32", "name": "recordId", "indexed": True},
    {"type": "bytes32", "name": "digest", "indexed": False},
    {"type": "address", "name": "holder", "indexed": False},
    {"type": "uint64", "name": "area", "indexed": False},
]


def follower_figures() -> Figures:
    """100,000 titles, 400 a transaction, on a real devnet. Each rate is by the clock, the best of three: the first time
    the processes that read have yet to start."""
    with tempfile.TemporaryDirectory() as folder, start_hardhat(free_port()) as url:
        settings = Settings(data=Path(folder) / "office", rpc_url=url)
        trusted = deploy_devnet(settings).register_of_kind("land")
        _issue(settings, trusted)
        chain, elsewhere = EvmChain(url), ChainProcess(url)
        head, events = chain.block("latest").number, CALLS * TITLES_A_CALL
        fetched = _rate(events, lambda n: _fetch(url, trusted.name.address, head))
        by_web3 = _rate(BLOCKS_BY_WEB3 * TITLES_A_CALL, lambda n: _by_web3(url, trusted.name.address, head))
        followed = _rate(events, lambda n: _follow(Path(folder) / f"{n}.db", trusted, chain, elsewhere, events))
        elsewhere.close()
    return {
        "follower_events_per_s": figure(followed, "events/s", by_web3, "web3.py get_logs and decode"),
        "follower_of_fetching": figure(followed, "events/s", fetched, "fetching the logs alone"),
    }


def _rate(events: int, work: Callable[[int], object]) -> float:
    seconds = []
    for number in range(3):
        started = time.perf_counter()
        work(number)
        seconds.append(time.perf_counter() - started)
    return events / min(seconds)


def _follow(database: Path, trusted: TrustedRegister, chain: EvmChain, elsewhere: ChainProcess, events: int) -> None:
    migrate(f"sqlite:///{database}")
    store = SqlStore(f"sqlite:///{database}")
    Follower(trusted, store, chain, elsewhere=elsewhere).run_once()
    (count,) = store.all(select(func.count()).select_from(entries))
    if count != (events,):
        raise SystemExit("The follower of the benchmark has lost or doubled an entry.")
    store.close()


def _fetch(url: str, address: str, head: int) -> None:
    with requests.Session() as session:
        for first in range(0, head + 1, BLOCKS_AT_ONCE):
            where = {"address": address, "fromBlock": hex(first), "toBlock": hex(min(first + BLOCKS_AT_ONCE - 1, head))}
            asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [where]}
            assert len(session.post(url, json=asked, timeout=60).content) > 0


def _by_web3(url: str, address: str, head: int) -> None:
    web3 = Web3(HTTPProvider(url))
    event = web3.eth.contract(
        address=address, abi=[{"type": "event", "name": "Issued", "inputs": INPUTS, "anonymous": False}]
    ).events.Issued()
    logs = web3.eth.get_logs({"address": address, "fromBlock": head - BLOCKS_BY_WEB3 + 1, "toBlock": head})
    decoded = [event.process_log(log) for log in logs if bytes(log["topics"][0]) == ISSUED]
    assert len(decoded) == BLOCKS_BY_WEB3 * TITLES_A_CALL


def _issue(settings: Settings, trusted: TrustedRegister) -> None:
    """Past the front desk and the publisher, which have benchmarks of their own."""
    register, chain = register_of_kind("land"), EvmChain(settings.rpc_url)
    registrars = sorted(settings.registrar_keystores.glob("*.json"))[:2]
    signers = [LocalSigner.from_keystore(path, settings.password) for path in registrars]
    relayer = LocalSigner.from_keystore(settings.relayer_keystore, settings.password)
    fees = chain.fees()
    for nonce in range(CALLS):
        records = [_title(nonce * TITLES_A_CALL + number) for number in range(TITLES_A_CALL)]
        payload = {"deadline": 1 << 40, "records": records}
        application = Application("", str(trusted.name), "issue", payload, "approved", 0, b"")
        data = register.typed_data(application)
        approvals = [Approval(signer.address, "registrar", signer.sign_typed(data)) for signer in signers]
        transaction = {
            "type": 2,
            "chainId": trusted.name.chain_id,
            "nonce": nonce,
            "to": trusted.name.address,
            "value": 0,
            "data": register.calldata(application, approvals),
            "gas": 1 << 24,
            "maxFeePerGas": fees.max_fee,
            "maxPriorityFeePerGas": 0,
        }
        chain.send(relayer.sign_transaction(transaction))


def _title(number: int) -> dict[str, str]:
    seed = keccak256(number.to_bytes(8, "big"))
    holder = checksum_address(keccak256(seed)[12:])
    return {
        "recordId": to_hex(seed),
        "digest": to_hex(keccak256(seed[::-1])),
        "holder": holder,
        "area": str(1 + number),
    }
