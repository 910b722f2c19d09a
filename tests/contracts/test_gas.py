"""What a change costs, as gas.json says: a change of the contracts that costs more shows in its diff."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contracts.offices import Office, address_of, title

GAS = json.loads((Path(__file__).parent / "gas.json").read_text())


def gas_used(receipt: dict[str, str]) -> int:
    return int(receipt["gasUsed"], 16)


@pytest.mark.parametrize("count", [1, 100, 400])
def test_issuing_costs_what_the_table_says_a_title(office: Office, count: int) -> None:
    titles = [title(1000 * count + i) for i in range(count)]
    assert gas_used(office.issue(titles)) // count == GAS[f"land/issue/{count}"]


def test_a_transfer_costs_what_the_table_says(office: Office) -> None:
    ours = title(1, holder=address_of("holder"))
    office.issue([ours])
    receipt = office.transfer(office.first_entry(ours), ours[0], "holder", "recipient")
    assert gas_used(receipt) == GAS["land/transfer"]


def test_a_title_costs_at_most_27000_gas_in_a_batch_and_a_transfer_75000() -> None:
    assert GAS["land/issue/400"] <= 27_000
    assert GAS["land/transfer"] <= 75_000
