"""What every DocumentStore keeps, run over each of them; then what is special to one."""

from __future__ import annotations

import random
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.adapters.directory_store import DirectoryStore
from ledger.adapters.kubo_store import KuboStore
from ledger.cid import cid_of, parse
from ledger.errors import BadInput, DocumentCorrupt, DocumentMissing, DocumentStoreUnavailable, TooLarge
from scripts.tools.kubo import start_kubo
from tests.kubo import ipfs_or_skip
from tests.ports.conftest import Shelf

MIB = 1 << 20
SIZES = [0, 1, 20_000, MIB - 1, MIB, MIB + 1, 7 * MIB // 2]


def data_of(size: int, seed: str = "") -> bytes:
    return random.Random(f"{size}{seed}").randbytes(size)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_put_comes_back_under_its_cid(shelf: Shelf, size: int) -> None:
    data = data_of(size)
    cid = shelf.store.put(data)
    assert cid == cid_of(data)
    assert shelf.store.has(cid)
    assert shelf.store.get(cid, size) == data


def test_any_spelling_of_a_cid_finds_the_document(shelf: Shelf) -> None:
    data = data_of(2 * MIB)
    cid = shelf.store.put(data)
    for spelling in (cid.upper(), "f" + parse(cid).binary.hex()):
        assert shelf.store.has(spelling)
        assert shelf.store.get(spelling, len(data)) == data


def test_putting_twice_changes_nothing(shelf: Shelf) -> None:
    data = data_of(MIB + 1)
    cid = shelf.store.put(data)
    files = shelf.files()
    assert shelf.store.put(data) == cid
    assert shelf.files() == files


def test_putting_at_the_same_time_stores_once(shelf: Shelf) -> None:
    data = data_of(7 * MIB // 2, "concurrent")
    before = shelf.files()
    with ThreadPoolExecutor(8) as pool:
        cids = list(pool.map(shelf.store.put, [data] * 8))
    assert set(cids) == {cid_of(data)}
    assert shelf.store.get(cids[0], len(data)) == data
    stored = sum(path.stat().st_size for path in shelf.files() - before)
    assert len(data) <= stored < len(data) + 1000


def test_a_cid_that_nobody_stored_is_missing(shelf: Shelf) -> None:
    cid = cid_of(b"nobody stored this")
    assert not shelf.store.has(cid)
    with pytest.raises(DocumentMissing, match=cid):
        shelf.store.get(cid, 100)


@pytest.mark.parametrize("size", [20_000, 7 * MIB // 2])
def test_bytes_that_rotted_on_the_disk_are_never_returned(shelf: Shelf, size: int) -> None:
    before = shelf.files()
    data = data_of(size, "rot")
    cid = shelf.store.put(data)
    for path in shelf.files() - before:
        if path.stat().st_size > 1000:
            whole = path.read_bytes()
            path.write_bytes(whole[:500] + bytes((whole[500] ^ 1,)) + whole[501:])
    with pytest.raises(DocumentCorrupt, match=cid):
        shelf.store.get(cid, size)


def test_a_document_whose_bytes_are_gone_is_missing(shelf: Shelf) -> None:
    before = shelf.files()
    cid = shelf.store.put(data_of(20_000, "gone"))
    for path in shelf.files() - before:
        path.unlink()
    with pytest.raises(DocumentMissing, match=cid):
        shelf.store.get(cid, 20_000)


@pytest.mark.parametrize("size", [1000, 7 * MIB // 2])
def test_a_document_over_the_size_limit_is_refused(shelf: Shelf, size: int) -> None:
    cid = shelf.store.put(data_of(size))
    for limit in (0, size - 1):
        with pytest.raises(TooLarge, match=f"larger than {limit} bytes"):
            shelf.store.get(cid, limit)


@pytest.mark.parametrize("cid", ["", "../../etc/passwd", "/ipfs/x", "QmTooShort"])
def test_what_is_no_cid_is_bad_input(shelf: Shelf, cid: str) -> None:
    with pytest.raises(BadInput):
        shelf.store.get(cid, 10)
    with pytest.raises(BadInput):
        shelf.store.has(cid)


def test_both_stores_give_one_cid(kubo: Shelf, tmp_path: Path) -> None:
    directory = DirectoryStore(tmp_path)
    for size in SIZES:
        assert kubo.store.put(data_of(size)) == directory.put(data_of(size))


def test_directory_store_lets_only_its_user_read(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "documents")
    store.put(b"sealed")
    paths = [tmp_path / "documents", *(tmp_path / "documents").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600, 0o700}
    assert all(stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600) for path in paths)


def test_directory_store_mends_a_rotten_file_when_it_is_put_again(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    cid = store.put(b"sealed")
    next(tmp_path.rglob(cid)).write_bytes(b"rotten")
    store.put(b"sealed")
    assert store.get(cid, 6) == b"sealed"


def test_directory_store_whose_disk_is_gone_is_unavailable_and_not_missing(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "documents")
    cid = store.put(b"sealed")
    shutil.rmtree(tmp_path / "documents")
    for action in (lambda: store.get(cid, 10), lambda: store.has(cid), lambda: store.put(b"sealed")):
        with pytest.raises(DocumentStoreUnavailable, match="document folder"):
            action()


def test_directory_store_leaves_no_half_file_when_the_folder_takes_none(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    cid = cid_of(b"sealed")
    (tmp_path / cid[-3:-1]).write_bytes(b"a file where the folder should be")
    with pytest.raises(DocumentStoreUnavailable, match="cannot be written"):
        store.put(b"sealed")
    assert [path.name for path in tmp_path.iterdir()] == [cid[-3:-1]]


def test_kubo_that_was_stopped_is_unavailable_and_keeps_its_documents(tmp_path: Path) -> None:
    ipfs = ipfs_or_skip()
    with start_kubo(ipfs, tmp_path) as address:
        store = KuboStore(address)
        cid = store.put(b"sealed")
    for action in (lambda: store.get(cid, 10), lambda: store.has(cid), lambda: store.put(b"sealed")):
        with pytest.raises(DocumentStoreUnavailable, match="cannot be reached"):
            action()
    with start_kubo(ipfs, tmp_path) as address:
        assert KuboStore(address).get(cid, 10) == b"sealed"
