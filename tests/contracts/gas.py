"""What changes cost, measured on a devnet. `python -m tests.contracts.gas` measures again and writes gas.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.devnet import free_port, start_hardhat
from tests.contracts.identities import Identities, record
from tests.contracts.offices import Office, address_of, title

GAS = Path(__file__).parent / "gas.json"
BATCHES = (1, 100, 400)


def measure(office: Office) -> dict[str, int]:
    """Gas of whole transactions: an issue divided by its titles, a transfer with four signatures."""
    figures = {}
    for count in BATCHES:
        receipt = office.issue([title(1000 * count + i) for i in range(count)])
        figures[f"land/issue/{count}"] = _gas(receipt) // count
    ours = title(1, holder=address_of("holder"))
    office.issue([ours])
    receipt = office.transfer(office.first_entry(ours), ours[0], "holder", "recipient")
    return figures | {"land/transfer": _gas(receipt)} | _identities(Identities(office).deploy())


def _identities(register: Identities) -> dict[str, int]:
    batch = [record(number, address_of(f"controller {number}")) for number in range(400)]
    figures = {"identity/issue/400": _gas(register.issue(batch)) // 400}
    rotated = record(0, address_of("new controller"))
    return figures | {"identity/rotate": _gas(register.change("rotate", rotated, holder="controller 0"))}


def _gas(receipt: Mapping[str, Any]) -> int:
    return int(receipt["gasUsed"], 16)


if __name__ == "__main__":
    with start_hardhat(free_port()) as url:
        GAS.write_text(json.dumps(measure(Office(url).deploy()), indent=2) + "\n")
