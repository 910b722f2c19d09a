"""FAULTS 19: a node of another chain with the same chain id. The office does not start, and says which it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.bootstrap import open_office
from ledger.encoding import to_hex
from ledger.errors import ChainMismatch
from tests.forks import start_anvil
from tests.office import office_at


def test_fault_19_another_genesis_block_is_refused_by_its_hash(tmp_path: Path) -> None:
    with (
        start_anvil("--timestamp", "1760000000") as chain,
        start_anvil("--timestamp", "1760000001") as other,
        office_at(chain.url, tmp_path) as desk,
    ):
        trusted, wrong = chain.chain.genesis_hash(), other.chain.genesis_hash()
        assert trusted != wrong and chain.chain.chain_id() == other.chain.chain_id()
        settings = desk.office.settings.model_copy(update={"rpc_url": other.url})
        with pytest.raises(ChainMismatch, match=f"{to_hex(wrong)}, the trust root's with {to_hex(trusted)}"):
            open_office(settings)
