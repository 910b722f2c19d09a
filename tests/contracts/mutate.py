"""Breaks the contracts in every way of tests.contracts.mutants and tells which breaks no forge test notices.

`python -m tests.contracts.mutate [CONTRACT ...]` takes an hour for all. A mutant that lives must be in docs/mutation.md
with the reason why it may; the exit code is 1 if one is not, or if one there is no more alive.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.compile import CONTRACTS, SETTINGS, _resolve
from scripts.node import MODULES, NODE, WORKSPACE, foundry
from tests.contracts.mutants import Mutant, mutants

LIST = Path(__file__).parents[2] / "docs" / "mutation.md"
LAND = ["LandRegister"]
IDENTITIES = ["IdentityIssue", "IdentityActions", "IdentityControl", "IdentityHistory"]
BATCHES = ["Append", "AppendLeaves", "Correct", "IsGood", "BatchHistory"]
# By contract: what is compiled again, and the test files, the first of which find the most.
PLAN = {
    "Authority": (["Authority"], ["Authority", "Court", "Succession", "Approvals", "Freeze", "Assign"]),
    "Bundle": (["Bundle"], ["Bundle"]),
    "Register": (LAND, ["Approvals", "Transfer", "Freeze"]),
    "Rfc9162": (["Trees", "Bystander", "BatchRegister"], ["Rfc9162", *BATCHES]),
    "BatchRegister": (["BatchRegister"], BATCHES),
    "IdentityHistory": (["IdentityRegister"], IDENTITIES),
    "IdentityRegister": (["IdentityRegister"], IDENTITIES),
    "LandEntries": (LAND, ["Transfer", "Issue", "Amend", "Object", "History", "LandHistory"]),
    "LandTitles": (LAND, ["Transfer", "CoolingOff", "Issue", "Amend", "Retire", "Assign", "Split", "Merge", "History"]),
    "LandCourt": (LAND, ["Assign", "Withdraw", "Freeze", "Court", "LandHistory"]),
    "LandPending": (LAND, ["Object", "Withdraw", "Assign", "CoolingOff", "CoolingHistory", "LandHistory"]),
    "LandLiens": (LAND, ["Liens", "TransferEncumbered", "Merge", "LandHistory"]),
    "LandParcels": (LAND, ["Split", "Merge", "LandHistory"]),
}
HOME = {"Trees": "test/Rfc9162.t.sol", "Bystander": "test/Rfc9162.t.sol"}
DEPLOYED = sorted({name for names, _ in PLAN.values() for name in names})
# One compiler for all mutants: to start one takes longer than to compile.
COMPILER = """
import { createInterface } from 'node:readline'
import solc from 'solc'
for await (const line of createInterface({ input: process.stdin })) console.log(solc.compile(line))
"""
FOUNDRY = """[profile.default]
src = "contracts"
test = "contracts/test"
libs = ["node_modules"]
remappings = ["@openzeppelin/=node_modules/@openzeppelin/"]
solc = "node_modules/.bin/khalayak-solc"
fs_permissions = [{ access = "read", path = "./mutants" }]
offline = true
evm_version = "cancun"
optimizer = false
gas_limit = 1_000_000_000
lint = { lint_on_build = false }
fuzz = { runs = 16, seed = "0x6b68616c6179616b" }
invariant = { runs = 4, depth = 24, fail_on_revert = true }
"""
# The tests deploy what lies in mutants/, so that they are compiled once and for all.
DEPLOY = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

interface Artifacts {
    function getCode(string calldata path) external view returns (bytes memory);
}

function deployed(string memory name, bytes memory arguments) returns (address account) {
    Artifacts vm = Artifacts(address(uint160(uint256(keccak256("hevm cheat code")))));
    bytes memory code = bytes.concat(vm.getCode(string.concat("mutants/", name, ".json")), arguments);
    assembly {
        account := create(0, add(code, 0x20), mload(code))
        if iszero(account) {
            returndatacopy(0, 0, returndatasize())
            revert(0, returndatasize())
        }
    }
}
"""


class Workshop:
    """A copy of the contracts and their tests in a folder of its own, where mutants are compiled and tried."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(CONTRACTS, folder / "contracts", ignore=shutil.ignore_patterns("artifacts", "symbolic"))
        self.sources = {str(p.relative_to(CONTRACTS)): p.read_text() for p in CONTRACTS.rglob("*.sol")}
        (folder / "node_modules").symlink_to(MODULES)
        (folder / "foundry.toml").write_text(FOUNDRY)
        (folder / "contracts" / "test" / "Deploy.sol").write_text(DEPLOY)
        (folder / "mutants").mkdir()
        for path in (folder / "contracts" / "test").glob("*.sol"):
            path.write_text(_deploying(path.read_text()))
        command = [str(NODE), "--input-type=module", "-e", COMPILER]
        self._solc = subprocess.Popen(command, cwd=WORKSPACE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def compile(self, names: list[str], mutant: Mutant | None = None) -> bool:
        """Put the bytecode of these contracts into mutants/. False if they do not compile."""
        codes = self._codes(names, mutant, {"enabled": False})
        for name, code in codes.items():
            artifact = {"abi": [], "bytecode": {"object": f"0x{code}"}}
            (self.folder / "mutants" / f"{name}.json").write_text(json.dumps(artifact))
        return bool(codes)

    def is_equivalent(self, names: list[str], mutant: Mutant) -> bool:
        """Whether the optimizer makes the same of the mutant as of the contract."""
        return self._codes(names, mutant, SETTINGS["optimizer"]) == self._codes(names, None, SETTINGS["optimizer"])

    def is_noticed(self, tests: list[str]) -> bool:
        """Whether a test of these files fails, or none ends in time."""
        files = ",".join(f"contracts/test/{name}.t.sol" for name in tests)
        command = [str(foundry("forge")), "test", "--fail-fast", "--threads", "1", "--match-path", f"{{{files}}}"]
        try:
            run = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            return True
        if run.returncode and "Failing tests" not in run.stdout:
            raise RuntimeError(run.stdout + run.stderr)
        return run.returncode != 0

    def close(self) -> None:
        self._solc.terminate()

    def _codes(self, names: list[str], mutant: Mutant | None, optimizer: dict[str, Any]) -> dict[str, str]:
        """The creation bytecode of these contracts; nothing if they do not compile."""
        changed = {f"{mutant.contract}.sol": mutant.apply(self.sources[f"{mutant.contract}.sol"])} if mutant else {}
        selection: dict[str, dict[str, list[str]]] = {}
        for name in names:
            selection.setdefault(HOME.get(name, f"{name}.sol"), {})[name] = ["evm.bytecode.object"]
        sources = _closure(list(selection), self.sources | changed)
        standard_input = {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in sources.items()},
            "settings": {**SETTINGS, "optimizer": optimizer, "outputSelection": selection},
        }
        assert self._solc.stdin and self._solc.stdout
        self._solc.stdin.write(json.dumps(standard_input) + "\n")
        self._solc.stdin.flush()
        output = json.loads(self._solc.stdout.readline())
        if any(error["severity"] == "error" for error in output.get("errors", [])):
            return {}
        compiled = {name: contract for file in output["contracts"].values() for name, contract in file.items()}
        return {name: compiled[name]["evm"]["bytecode"]["object"] for name in names}


def _closure(wanted: list[str], sources: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = sources[name] if name in sources else (MODULES / name).read_text()
            imports = re.findall(r'^import\s[^"]*"([^"]+)";', found[name], re.MULTILINE)
            wanted.extend(_resolve(name, imported) for imported in imports)
    return found


def _deploying(text: str) -> str:
    """The test file, with what it deploys taken from mutants/."""
    pattern = rf"new ({'|'.join(DEPLOYED)})\(((?:[^()]|\([^()]*\))*)\)"
    changed, count = re.subn(pattern, r'\1(deployed("\1", abi.encode(\2)))', text)
    return changed.replace("\n\n", '\n\nimport {deployed} from "./Deploy.sol";\n', 1) if count else text


def survivors(contract: str, workshop: Workshop) -> Iterator[Mutant]:
    """The mutants of a contract that no test notices; says how many there were."""
    names, tests = PLAN[contract]
    if workshop.is_noticed(tests):
        raise SystemExit(f"The tests of {contract} fail already where nothing is broken.")
    start, killed, alive = time.monotonic(), 0, 0
    for mutant in mutants(contract, workshop.sources[f"{contract}.sol"]):
        if not workshop.compile(names, mutant):
            continue
        if workshop.is_noticed(tests):
            killed += 1
        elif not workshop.is_equivalent(names, mutant):
            alive += 1
            yield mutant
    workshop.compile(names)
    print(f"{contract}: {killed} killed, {alive} alive, {time.monotonic() - start:.0f} s", flush=True)


def listed() -> dict[str, set[str]]:
    """By contract, the mutants that docs/mutation.md lets live, as `change` writes them."""
    found: dict[str, set[str]] = {contract: set() for contract in PLAN}
    for contract, change in re.findall(r"^\| (\w+) \| \d+ \| `(.*?)` \|", LIST.read_text(), re.MULTILINE):
        found[contract].add(change.replace("\\|", "|"))
    return found


def change(mutant: Mutant) -> str:
    """The changed line, or the one that is removed."""
    return mutant.after.strip() or f"(removed) {mutant.before.strip()}"


def main(contracts: list[str]) -> int:
    wrong = False
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder))
        try:
            workshop.compile(DEPLOYED)
            for contract in contracts:
                allowed = listed()[contract]
                alive = {change(mutant): mutant for mutant in survivors(contract, workshop)}
                for text in alive.keys() - allowed:
                    print(f"No test notices, and docs/mutation.md does not list: {contract}:{alive[text].line} {text}")
                for text in allowed - alive.keys():
                    print(f"docs/mutation.md lists what a test notices, or what is no more: {contract} {text}")
                wrong = wrong or alive.keys() != allowed
        finally:
            workshop.close()
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(PLAN)))
