"""Why a call reverts: the custom errors of our contracts, decoded from their ABI."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from eth_abi.abi import decode

from ledger.encoding import keccak256, to_hex
from ledger.errors import ContractReverted

ARTIFACTS = Path(__file__).parent.parent.parent / "contracts" / "artifacts"


@cache
def _errors() -> dict[str, tuple[str, list[str], list[str]]]:
    """Custom errors of our contracts: selector → name, argument names, argument types."""
    found = {}
    for path in sorted(ARTIFACTS.glob("*.json")):
        for item in json.loads(path.read_text())["abi"]:
            if item["type"] == "error":
                types = [argument["type"] for argument in item["inputs"]]
                selector = to_hex(keccak256(f"{item['name']}({','.join(types)})".encode())[:4])
                found[selector] = (item["name"], [argument["name"] for argument in item["inputs"]], types)
    return found


def reverted(data: str, said: str) -> ContractReverted:
    """The error that revert data in 0x-hex is, or else what the node said of it."""
    known = _errors().get(data[:10])
    if known is None:
        return ContractReverted(f"The contract reverts: {said[:200]}.")
    name, names, types = known
    try:
        values = decode(types, bytes.fromhex(data[10:]))
    except Exception:
        return ContractReverted(f"The contract reverts with {name}.", name=name)
    if name == "CallFailed":
        inner = reverted(to_hex(values[1]), "it gives no reason")
        return ContractReverted(inner.message, inner.hint, inner.name, values[0])
    shown = (to_hex(value) if isinstance(value, bytes) else str(value) for value in values)
    words = ", ".join(f"{n} {v}" for n, v in zip(names, shown, strict=True))
    return ContractReverted(f"The contract reverts with {name}({words}).", name=name)
