"""What may import what, and how long a file may be (docs/architecture.md). Reads the sources, runs none of them."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("wallet", "ledger", "api", "scripts")  # each may import itself and those before it
PORTS = {"ports", "archive", "custody", "transaction_port"}
SERVICES = {
    "applications",
    "known",
    "nodes",
    "publisher",
    "bundler",
    "sender",
    "follower",
    "steps",
    "certifier",
    "cosigned",
    "witness",
    "cosigner",
    "monitor",
    "application_checks",
    "comparison",
    "custody_checks",
    "document_transfer",
    "health",
    "holds",
    "auditor",
    "dossiers",
    "key_ring",
    "rebuilding",
    "reanchoring",
    "change_checks",
    "readers",
    "handing",
    "eraser",
    "retention",
    "import_rows",
    "import_spool",
    "importing",
}
COMPOSITION = {"bootstrap", "relayers", "upkeep", "watching", "settings"}
ONLY_IN_ADAPTERS = {"web3", "ipfshttpclient", "sqlalchemy", "alembic", "urllib3", "httpx"}
PARTS = ("base", "batch", "evidence", "forms", "leaf", "schema")  # of register definitions
CODE = {".py", ".sol", ".ts", ".js", ".css", ".html"}
MAX_LINES, MAX_MEDIAN = 300, 150


def committed(*suffixes: str) -> list[Path]:
    """The files of the repository with these suffixes, also those not committed yet, but none that git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [ROOT / name for name in listed if Path(name).suffix in suffixes and (ROOT / name).is_file()]


def imports(path: Path) -> set[str]:
    """The absolute names of the modules a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.relative_to(ROOT)}:{node.lineno} imports relatively"
            module = node.module or ""
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


SOURCES = {path.relative_to(ROOT): path for path in committed(".py") if path.relative_to(ROOT).parts[0] in OURS}
LEDGER = [relative for relative in SOURCES if relative.parts[0] == "ledger"]


def layer(relative: Path) -> str:
    """The layer of a file in ledger/: pure, ports, services, adapters or composition."""
    name = relative.parts[1].removesuffix(".py")
    for kind, names in (
        ("ports", PORTS),
        ("services", SERVICES),
        ("composition", COMPOSITION),
        ("adapters", {"adapters"}),
    ):
        if name in names:
            return kind
    return "pure"


def imported_layers(relative: Path) -> set[str]:
    """The layers that a file of ledger/ imports."""
    names = {name for name in imports(SOURCES[relative]) if name.startswith("ledger.")}
    return {layer(Path("ledger", name.split(".")[1])) for name in names}


@pytest.mark.parametrize("relative", SOURCES, ids=str)
def test_packages_import_only_those_below_them(relative: Path) -> None:
    package = relative.parts[0]
    above = set(OURS[OURS.index(package) + 1 :])
    assert not tops(SOURCES[relative]) & (above | {"tests"})


@pytest.mark.parametrize("relative", LEDGER, ids=str)
def test_the_layers_of_the_ledger_import_only_those_below_them(relative: Path) -> None:
    allowed = {
        "pure": {"pure"},
        "ports": {"pure", "ports"},
        "services": {"pure", "ports", "services"},
        "adapters": {"pure", "ports", "adapters", "composition"},
        "composition": {"pure", "ports", "services", "adapters", "composition"},
    }[layer(relative)]
    assert imported_layers(relative) <= allowed


@pytest.mark.parametrize("relative", LEDGER, ids=str)
def test_adapters_are_put_together_in_composition_alone(relative: Path) -> None:
    names = imports(SOURCES[relative])
    if layer(relative) == "adapters":
        assert "ledger.bootstrap" not in names
    elif relative.name not in ("bootstrap.py", "upkeep.py", "watching.py"):
        assert not any(name.startswith("ledger.adapters") for name in names)


@pytest.mark.parametrize("relative", SOURCES, ids=str)
def test_libraries_that_reach_the_outside_are_used_in_their_place_alone(relative: Path) -> None:
    used = tops(SOURCES[relative])
    if relative.parts[:2] not in (("ledger", "adapters"), ("scripts", "bench")):  # which measures peers too
        assert not used & {"web3", "ipfshttpclient"}
    if relative.parts[0] == "ledger" and layer(relative) in ("pure", "ports", "services"):
        assert not used & (ONLY_IN_ADAPTERS | {"fastapi", "typer", "rich", "socket", "subprocess", "time"})
    if relative.parts[0] == "ledger" and layer(relative) in ("pure", "ports"):
        assert not used & {"os", "pathlib", "io", "fcntl", "shutil", "tempfile", "random"}
    if relative.parts[0] != "scripts":
        assert "solcx" not in used


def test_contracts_and_the_devnet_import_nothing_of_ours() -> None:
    for path in committed(".sol", ".ts", ".js", ".mjs", ".cjs", ".py"):
        if path.relative_to(ROOT).parts[0] in ("contracts", "hardhat-local"):
            wanted = re.findall(r"""(?:from|import|require\()\s*["']([^"']+)["']""", path.read_text())
            assert not [name for name in wanted if re.search(rf"(^|/)({'|'.join(OURS)})/", name)], path
            assert path.suffix != ".py" or not tops(path) & set(OURS), path


def test_no_file_is_long_and_most_are_short() -> None:
    own = [path for path in committed(*CODE) if "alembic" not in path.parts and path.name != "__init__.py"]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in own}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}
    assert statistics.median(lengths.values()) < MAX_MEDIAN


def test_every_error_of_ours_is_in_the_one_tree() -> None:
    """A class whose base is named in no error module, or that stands elsewhere, is caught by nobody."""
    bases: dict[str, set[str]] = {}
    libraries = [relative for relative in SOURCES if relative.parts[0] != "scripts"]
    for relative in libraries:
        for node in ast.walk(ast.parse(SOURCES[relative].read_text())):
            if isinstance(node, ast.ClassDef):
                names = {base.id if isinstance(base, ast.Name) else ast.unparse(base) for base in node.bases}
                if relative.name == "errors.py":
                    bases[node.name] = names
                else:
                    assert not any(re.search(r"(Error|Exception)$", name) for name in names), f"{relative}: {node.name}"
    assert bases.pop("KhalayakError") == {"Exception"}
    for parents in bases.values():
        while "KhalayakError" not in parents:
            (parent,) = parents
            parents = bases[parent]


def test_a_register_is_one_file_that_nothing_else_names() -> None:
    kinds = [path for relative, path in SOURCES.items() if relative.parts[:2] == ("ledger", "registers")]
    registers = [path for path in kinds if path.stem not in ("__init__", *PARTS)]
    assert registers
    for path in registers:
        assert "REGISTER = " in path.read_text()
        module = f"ledger.registers.{path.stem}"
        others = [relative for relative, other in SOURCES.items() if module in imports(other) and other != path]
        assert others == []


def test_who_raises_the_recursion_limit_is_loaded_where_it_is_kept() -> None:
    for relative, path in SOURCES.items():
        if tops(path) & {"web3", "eth_account", "py_ecc"} and relative.parts[:2] != ("scripts", "bench"):
            assert "recursion_limit_kept()" in path.read_text(), relative


HEAVY = ONLY_IN_ADAPTERS | {"eth_account", "py_ecc", "fastapi", "starlette", "solcx", "structlog", "uvicorn"}


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("ledger.verifier", HEAVY | {"typer"}),
        ("scripts.cli", HEAVY),
        ("ledger.bootstrap", {"alembic", "httpx", "ipfshttpclient", "web3", "eth_account", "py_ecc"}),
    ],
)
def test_nothing_is_loaded_that_only_others_need(module: str, heavy: set[str]) -> None:
    code = f"import {module}, sys; print([name for name in {sorted(heavy)!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
