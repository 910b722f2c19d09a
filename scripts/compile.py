"""Compiles contracts/ with py-solc-x into contracts/artifacts/. `--check` says whether what is committed is stale."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from ledger.errors import ConfigurationError
from scripts.node import MODULES, SOLC

CONTRACTS = Path(__file__).parent.parent / "contracts"
ARTIFACTS = CONTRACTS / "artifacts"
COMPILED = ("Authority", "BatchRegister", "Bundle", "IdentityRegister", "LandRegister")
SETTINGS: dict[str, Any] = {
    "optimizer": {"enabled": True, "runs": 20_000},
    "viaIR": False,
    "evmVersion": "cancun",
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
    "outputSelection": {
        "*": {"*": ["abi", "evm.bytecode.object", "evm.deployedBytecode", "storageLayout"]},
    },
}
SOLC_VERSION = "0.8.37"


def compile_all() -> dict[str, dict[str, Any]]:
    """By contract name: abi, bytecode, deployedBytecode, immutableReferences, storageLayout, sourceHash.
    Raises ConfigurationError with the compiler's message."""
    import solcx

    sources = _sources()
    standard_input = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": SETTINGS,
    }
    try:
        output = solcx.compile_standard(standard_input, solc_binary=SOLC)
    except solcx.exceptions.SolcError as error:
        raise ConfigurationError(f"The contracts do not compile: {error.message}") from None
    source_hash = _hash([SOLC_VERSION, SETTINGS, sources])
    return {name: _artifact(output["contracts"][f"{name}.sol"][name], source_hash) for name in COMPILED}


def write() -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    for name, artifact in compile_all().items():
        (ARTIFACTS / f"{name}.json").write_text(_dump(artifact))


def stale() -> list[str]:
    """The names of contracts whose committed artifact is not what their sources compile to."""
    return [name for name, artifact in compile_all().items() if _read(name) != _dump(artifact)]


def _read(name: str) -> str:
    path = ARTIFACTS / f"{name}.json"
    return path.read_text() if path.exists() else ""


def _dump(artifact: dict[str, Any]) -> str:
    return json.dumps(artifact, indent=1, sort_keys=True) + "\n"


def _sources() -> dict[str, str]:
    """Every source that the compiled contracts import, ours under its file name, others under their package path."""
    sources: dict[str, str] = {}
    wanted = [f"{name}.sol" for name in COMPILED]
    while wanted:
        name = wanted.pop()
        if name in sources:
            continue
        path = MODULES / name if name.startswith("@") else CONTRACTS / name
        sources[name] = text = path.read_text()
        for imported in re.findall(r'^import\s[^"]*"([^"]+)";', text, re.MULTILINE):
            wanted.append(_resolve(name, imported))
    return dict(sorted(sources.items()))


def _resolve(importer: str, imported: str) -> str:
    if not imported.startswith("."):
        return imported
    parts = [*importer.split("/")[:-1]]
    for part in imported.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _artifact(contract: dict[str, Any], source_hash: str) -> dict[str, Any]:
    deployed = contract["evm"]["deployedBytecode"]
    layout = [{key: item[key] for key in ("label", "slot", "offset")} for item in contract["storageLayout"]["storage"]]
    return {
        "abi": contract["abi"],
        "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + deployed["object"],
        "immutableReferences": deployed["immutableReferences"],
        "storageLayout": layout,
        "sourceHash": source_hash,
    }


def _hash(value: Any) -> str:
    return "0x" + hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def main() -> int:
    if sys.argv[1:] != ["--check"]:
        write()
        return 0
    if names := stale():
        print(f"Stale: {', '.join(names)}. Run `make compile` and commit contracts/artifacts.")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
