"""What changes cost, measured on a devnet. `python -m tests.contracts.gas` measures again and writes gas.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.devnet import start_hardhat
from tests.contracts.batches import Batches, digests
from tests.contracts.identities import Identities, record
from tests.contracts.offices import Office, address_of, title

GAS = Path(__file__).parent / "gas.json"
BATCHES = (1, 100, 400)
BUNDLED = 50  # ledger.bundler.MOST


def measure(office: Office) -> dict[str, int]:
    """Gas of whole transactions: an issue divided by its titles, a transfer with four signatures."""
    figures = {}
    for count in BATCHES:
        receipt = office.issue([title(1000 * count + i) for i in range(count)])
        figures[f"land/issue/{count}"] = _gas(receipt) // count
    ours = title(1, holder=address_of("holder"))
    office.issue([ours])
    receipt = office.transfer(office.first_entry(ours), ours[0], "holder", "recipient")
    figures["land/transfer"] = _gas(receipt)
    figures |= _identities(Identities(office).deploy()) | _batches(Batches(office).deploy())
    return figures | _bundles(office)


def _bundles(office: Office) -> dict[str, int]:
    """Applications for one title each that travel together, per application."""
    bundle = office.create("Bundle")
    calls = [office.issue_call([title(7_000_000 + number)]) for number in range(BUNDLED)]
    receipt = office.call(bundle, "send", ["address", "bytes[]"], office.register, calls)
    return {f"bundle/issue/{BUNDLED}": _gas(receipt) // BUNDLED}


def _identities(register: Identities) -> dict[str, int]:
    batch = [record(number, address_of(f"controller {number}")) for number in range(400)]
    figures = {"identity/issue/400": _gas(register.issue(batch)) // 400}
    rotated = record(0, address_of("new controller"))
    return figures | {"identity/rotate": _gas(register.change("rotate", rotated, holder="controller 0"))}


def _batches(batches: Batches) -> dict[str, int]:
    """Appends to a series that has a batch already, as nearly all do."""
    first = batches.entry(batches.append(digests(1), None))
    by_root = batches.append(digests(10_000), first)
    with_leaves = batches.append_leaves(digests(1000), batches.entry(by_root))
    return {"batch/append/10000": _gas(by_root), "batch/appendLeaves/1000": _gas(with_leaves) // 1000}


def _gas(receipt: Mapping[str, Any]) -> int:
    return int(receipt["gasUsed"], 16)


if __name__ == "__main__":
    with start_hardhat() as url:
        GAS.write_text(json.dumps(measure(Office(url).deploy()), indent=2) + "\n")
