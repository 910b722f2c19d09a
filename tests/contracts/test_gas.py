"""What a change costs, as gas.json says: a contract that costs more shows in its diff."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.contracts.batches import Batches, digests
from tests.contracts.gas import GAS, measure
from tests.contracts.offices import Office

STATED = json.loads(GAS.read_text())
DOCUMENT = Path(__file__).parents[2] / "docs" / "gas.md"


def test_changes_cost_what_gas_json_says(office: Office) -> None:
    assert measure(office) == STATED, "run `python -m tests.contracts.gas`, and commit gas.json if you meant it"


def test_a_title_costs_at_most_27000_gas_in_a_batch_and_a_transfer_75000() -> None:
    assert STATED["land/issue/400"] <= 27_000
    assert STATED["land/transfer"] <= 75_000


def test_an_identity_costs_what_a_title_does() -> None:
    assert STATED["identity/issue/400"] <= 27_000
    assert STATED["identity/rotate"] <= 75_000


def test_ten_thousand_records_cost_at_most_150000_gas_in_a_batch() -> None:
    assert STATED["batch/append/10000"] <= 150_000


def test_building_the_root_costs_at_most_a_twentieth_more_than_the_calldata_floor(office: Office) -> None:
    batches = Batches(office).deploy()
    receipt = batches.append_leaves(digests(1000), None)
    data = bytes.fromhex(office.rpc("eth_getTransactionByHash", receipt["transactionHash"])["input"][2:])
    floor = 21_000 + 10 * (4 * len(data) - 3 * data.count(0))  # EIP-7623
    assert floor <= int(receipt["gasUsed"], 16) <= 1.05 * floor


def test_the_document_has_the_figures_of_gas_json() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|.*\| ([0-9,]+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert {name: int(gas.replace(",", "")) for name, gas in rows} == STATED
