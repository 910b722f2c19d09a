"""Chains that agree up to a block and differ from then on, each at an anvil of its own."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from ledger.adapters.evm_chain import EvmChain
from ledger.trust import TrustRoot
from scripts.node import foundry
from scripts.tools.process import running, wait_for

GENESIS_TIME = 1_760_000_000
SHARED = 6  # blocks that every chain here has in common, after the genesis
FINALITY = 2  # anvil calls a block final when two epochs of one slot each are behind it


@dataclass(frozen=True)
class Anvil:
    url: str

    @property
    def chain(self) -> EvmChain:
        return EvmChain(self.url)

    @property
    def final(self) -> int:
        return self.chain.block("finalized").number

    def rpc(self, method: str, *parameters: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        with urlopen(Request(self.url, body, {"Content-Type": "application/json"}), timeout=10) as answer:
            return json.load(answer)["result"]

    def mine(self, count: int, seconds: int) -> None:
        """Blocks that are `seconds` apart, empty: their hashes depend on nothing else."""
        for _ in range(count):
            self.rpc("evm_setNextBlockTimestamp", self.chain.block("latest").time + seconds)
            self.rpc("evm_mine")

    def trust(self, *keys: str, threshold: int = 1) -> TrustRoot:
        return TrustRoot("fork.example", self.chain.chain_id(), self.chain.genesis_hash(), (), keys, threshold)


@contextmanager
def anvil(apart: int, port: int = 0, genesis_time: int = GENESIS_TIME) -> Iterator[Anvil]:
    """A chain of SHARED common blocks and six of its own, which are `apart` seconds apart; port 0 is one that the
    system chooses."""
    with start_anvil("--no-mining", "--timestamp", str(genesis_time), "--slots-in-an-epoch", "1", port=port) as node:
        node.mine(SHARED, 1)
        node.mine(6, apart)
        yield node


@contextmanager
def start_anvil(*options: str, port: int = 0) -> Iterator[Anvil]:
    """An empty chain, of chain id 31337, whose accounts are those of the devnet."""
    command = [foundry("anvil"), "--port", str(port), *options]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "anvil.log"

        def address() -> str | None:
            found = re.search(r"Listening on (127\.0\.0\.1:\d+)", log.read_text(errors="replace"))
            return found[1] if found else None

        with running(command, log) as process:
            yield Anvil(f"http://{wait_for(process, log, address)}")
