"""What docs/ says of the tests and of what is signed is so."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from ledger.registers.batch import BatchRegister
from ledger.registers.identity import IdentityRegister
from ledger.registers.land import LandRegister
from ledger.status import OBSTACLES
from wallet.typed_data import TYPES

ROOT = Path(__file__).resolve().parent.parent
SOLIDITY = ROOT / "contracts" / "test"
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
DOCUMENTS = (ROOT / "docs" / "protocol.md", *sorted((ROOT / "docs" / "adr").glob("*.md")))
FUNCTIONS = {
    name
    for path in (*SOLIDITY.glob("*.sol"), *(ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"^\s*(?:def|function) ((?:test|invariant)_\w+)\(", path.read_text(), re.MULTILINE)
}


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


def is_missing(name: str) -> bool:
    """Whether this is the name of a test, or of a file of tests, and there is none."""
    if re.fullmatch(r"(test|invariant)_\w+", name):
        return name not in FUNCTIONS
    if name.startswith(("contracts/test/", "tests/")):
        return not (ROOT / name).exists()
    return name.endswith(".t.sol") and not (SOLIDITY / name).exists()


def rows(text: str) -> list[list[str]]:
    """The cells of each row of the tables whose last column is `test`."""
    tables = re.findall(r"^\|.*\| test \|\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for table in tables for row in table.splitlines()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_the_tests_that_are_named_are_there(document: Path) -> None:
    assert [name for name in quoted(document.read_text()) if is_missing(name)] == []


def test_every_rule_names_its_tests() -> None:
    assert len(rows(PROTOCOL)) > 60
    assert [row for row in rows(PROTOCOL) if not re.fullmatch(r"`[^`]+`(, `[^`]+`)*", row[-1])] == []


@pytest.mark.parametrize(
    ("title", "actions"),
    [
        ("Land titles", LandRegister.actions),
        ("Identities", IdentityRegister.actions),
        ("Batches", BatchRegister.actions),
    ],
)
def test_every_action_has_its_rules(title: str, actions: Mapping[int, str]) -> None:
    section = PROTOCOL.split(f"\n### {title}\n")[1].split("\n##")[0]
    numbered = [re.fullmatch(r"(\d+) (\w+)", row[0]) for row in rows(section)]
    assert {int(match[1]): match[2] for match in numbered if match} == actions


def test_every_struct_that_is_signed_is_stated() -> None:
    section = PROTOCOL.split("\n## 4. ")[1].split("\n## ")[0]
    assert [name for name in TYPES if not re.search(rf"^    .*\b{name}\b", section, re.MULTILINE)] == []


def alarms_of_the_code() -> set[str]:
    """What is logged at level error, in every module, and every obstacle."""
    found = set(OBSTACLES)
    for path in (path for package in ("wallet", "ledger", "api", "scripts") for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("log.error", "_log.error"):
                found |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()
    return found


def test_every_alarm_is_explained_and_every_one_explained_is_raised() -> None:
    section = (ROOT / "docs" / "operations.md").read_text().split("\n## Alarms\n")[1].split("\n## ")[0]
    explained = re.findall(r"^\| `([^`]+)` \| \S.* \| \S.* \|$", section, re.MULTILINE)
    assert sorted(explained) == sorted(alarms_of_the_code())


def test_every_metric_is_explained_and_every_one_explained_is_there() -> None:
    source = (ROOT / "api" / "metrics.py").read_text()
    counters = set(re.findall(r"Counter\(\s*\"(khalayak_\w+)\"", source))
    metrics = {name + "_total" * (name in counters) for name in re.findall(r'"(khalayak_\w+)"', source)}
    named = re.findall(r"\bkhalayak_\w+", (ROOT / "docs" / "operations.md").read_text())
    assert {name.removesuffix("_count") for name in named} == metrics
