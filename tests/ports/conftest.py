from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.adapters.directory_store import DirectoryStore
from ledger.adapters.kubo_store import KuboStore
from ledger.adapters.replicated_store import ReplicatedStore
from ledger.ports import DocumentStore
from scripts.tools.kubo import start_kubo
from tests.databases import open_store, store, url
from tests.kubo import ipfs_or_skip

__all__ = ["open_store", "store", "url"]


@dataclass(frozen=True)
class Shelf:
    """A document store and the folder in which its bytes lie, for tests that damage them."""

    store: DocumentStore
    folder: Path

    def files(self) -> set[Path]:
        return {path for path in self.folder.rglob("*") if path.is_file() and path.suffix in ("", ".data")}


@pytest.fixture(scope="package")
def kubo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    repo = tmp_path_factory.mktemp("kubo")
    with start_kubo(ipfs_or_skip(), repo) as address:
        yield Shelf(KuboStore(address), repo / "blocks")


@pytest.fixture(params=["directory", "kubo", "replicated"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param == "kubo":
        kubo: Shelf = request.getfixturevalue("kubo")
        return kubo
    local = DirectoryStore(tmp_path / "documents")
    if request.param == "directory":
        return Shelf(local, tmp_path / "documents")
    node = request.getfixturevalue("kubo").store
    return Shelf(ReplicatedStore(local, [node], 1, tmp_path / "documents.db"), tmp_path / "documents")
