"""FAULTS rows 38 and 39: archives that are not what they seem, and two names of the same bytes."""

from __future__ import annotations

import subprocess
import tracemalloc
from hashlib import sha256
from pathlib import Path

import pytest

from ledger import car, unixfs
from ledger.adapters.kubo_store import KuboStore
from ledger.car import Archive
from ledger.cid import RAW, Block, Cid, blocks, cid_of, parse
from ledger.document_transfer import restore
from ledger.errors import BadInput, DocumentCorrupt, TooLarge
from tests.faults.documents import BIG, SMALL, bring_all, data_of, documents_at
from tests.kubo import Daemon, ipfs_or_skip, proxied

MIB = 1 << 20


def raw(data: bytes) -> Block:
    return Block(Cid(RAW, sha256(data).digest()), data)


def sections(*found: Block) -> bytes:
    return b"".join(bytes(part) for block in found for part in car.section(block))


LEAVES = [raw(b"one"), raw(b"two")]
ROOT = unixfs.directory({leaf.cid: 3 for leaf in LEAVES})
HEAD = car.header(ROOT.cid)


@pytest.mark.parametrize(
    ("data", "error", "why"),
    [
        pytest.param(car.header(raw(b"other").cid) + sections(*LEAVES, ROOT), BadInput, "its root", id="wrong root"),
        pytest.param(HEAD + sections(*LEAVES), BadInput, "its root .* is not in it", id="no root"),
        pytest.param(
            HEAD + sections(LEAVES[0], ROOT) + sections(LEAVES[1])[:-1] + b"!", BadInput, "are others", id="bad hash"
        ),
        pytest.param(HEAD + sections(*LEAVES, LEAVES[0], ROOT), BadInput, "is in it twice", id="duplicates"),
        pytest.param(
            HEAD + sections(*LEAVES, ROOT, *(raw(b"%d" % number) for number in range(100_000))),
            TooLarge,
            "more than 65536 blocks",
            id="100,000 blocks",
        ),
    ],
)
def test_fault_38_an_archive_that_is_not_what_it_seems_is_refused_within_limits_and_nothing_of_it_is_stored(
    tmp_path: Path, data: bytes, error: type[Exception], why: str
) -> None:
    (tmp_path / "archive.car").write_bytes(data)
    store = documents_at(tmp_path, [])
    tracemalloc.start()
    with (tmp_path / "archive.car").open("rb") as file, pytest.raises(error, match=why):
        restore(Archive.open(file), store)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * MIB
    assert list(store.cids()) == list(store.local.cids()) == []


def test_fault_38_a_document_that_was_cut_into_blocks_in_another_way_is_refused(tmp_path: Path) -> None:
    writer = car.Writer()
    body = b"".join(bytes(part) for part in writer.add(blocks(data_of(BIG, "other profile"), MIB // 4, 174)))
    root = unixfs.directory(writer.documents)
    (tmp_path / "archive.car").write_bytes(car.header(root.cid) + body + sections(root))
    store = documents_at(tmp_path, [])
    with (tmp_path / "archive.car").open("rb") as file, pytest.raises(BadInput, match="another UnixFS profile"):
        restore(Archive.open(file), store)
    assert list(store.cids()) == []


def test_fault_39_version_0_and_1_of_the_same_tree_are_one_document_whatever_the_node_writes(
    tmp_path: Path, daemons: list[Daemon]
) -> None:
    data = data_of(BIG, "version 0")
    cid = cid_of(data)
    version_0 = subprocess.run(
        [ipfs_or_skip(), "cid", "format", "-v", "0", cid], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert version_0.startswith("Qm") and version_0 != cid
    with proxied(daemons[0].address) as proxy:
        proxy.changes["add"] = lambda proxy, status, body: (
            status,
            iter([body.replace(cid.encode(), version_0.encode())]),
        )
        store = documents_at(tmp_path, [proxy.address])
        assert store.put(data) == cid
        bring_all(store)
        assert store.below_quorum([version_0]) == []
        for place in (store, store.local, store.nodes[0]):
            assert place.get(version_0, BIG) == data and place.has(version_0)


def test_fault_39_version_0_of_the_same_bytes_in_another_form_is_another_document(daemons: list[Daemon]) -> None:
    data, store = data_of(SMALL, "version 0"), KuboStore(daemons[0].address)
    cid = store.put(data)
    file = daemons[0].repo / "same"
    file.write_bytes(data)
    version_0 = daemons[0].ipfs("add", "--quieter", "--cid-version=0", str(file)).strip()
    assert version_0.startswith("Qm") and parse(version_0) != parse(cid)
    # Kubo would give the same bytes for both; what was recorded is the name of one form.
    with pytest.raises(DocumentCorrupt):
        store.get(version_0, SMALL)
    assert store.get(cid, SMALL) == data
