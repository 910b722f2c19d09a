"""What every DocumentStore keeps, of many documents, big ones, and those that are deleted."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from itertools import chain

import pytest

from ledger.cid import CHUNK_SIZE, RAW, blocks, cid_of, parse
from ledger.errors import BadInput, DocumentCorrupt, DocumentMissing, TooLarge
from tests.ports.conftest import Shelf
from tests.ports.test_document_store import MIB, SIZES, data_of


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("piece", [MIB // 3, 3 * MIB])
def test_a_document_in_pieces_is_the_document(shelf: Shelf, size: int, piece: int) -> None:
    data = data_of(size, "pieces")
    cid = shelf.store.put_stream(in_pieces(data, piece))
    assert cid == cid_of(data)
    assert b"".join(shelf.store.read(cid, size)) == shelf.store.get(cid, size) == data


def test_a_big_document_passes_through_in_flat_memory(shelf: Shelf) -> None:
    piece = data_of(MIB, "big")
    tracemalloc.start()
    cid = shelf.store.put_stream(piece for _ in range(40))
    assert sum(len(read) for read in shelf.store.read(cid, 40 * MIB)) == 40 * MIB
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * MIB


def test_a_read_ends_before_the_first_wrong_byte(shelf: Shelf) -> None:
    before = shelf.files()
    data = data_of(7 * MIB // 2, "a rotten middle")
    cid = shelf.store.put(data)
    second = data[MIB : 2 * MIB]
    for path in shelf.files() - before:
        whole = path.read_bytes()
        if second[:100] in whole:
            path.chmod(0o600)
            path.write_bytes(whole.replace(second[:100], bytes(100)))
    seen = b""
    with pytest.raises(DocumentCorrupt, match=cid):
        for piece in shelf.store.read(cid, len(data)):
            seen += piece
    assert data.startswith(seen)


def test_a_stream_over_the_size_limit_is_refused_before_its_first_byte(shelf: Shelf) -> None:
    cid = shelf.store.put(data_of(7 * MIB // 2))
    with pytest.raises(TooLarge):
        next(shelf.store.read(cid, 3 * MIB))


def test_a_source_that_breaks_off_stores_nothing(shelf: Shelf) -> None:
    before = set(shelf.store.cids())

    def source() -> Iterator[bytes]:
        yield data_of(2 * MIB, "breaks off")
        raise BadInput("the source broke off")

    with pytest.raises(BadInput, match="broke off"):
        shelf.store.put_stream(source())
    assert set(shelf.store.cids()) == before


def test_many_documents_are_each_found_under_their_cid(shelf: Shelf) -> None:
    sizes = [0, 1, *(20_000 + n for n in range(300)), 5 * MIB // 2, 1]
    documents = [data_of(size, "many") for size in sizes]
    cids = shelf.store.put_many(iter(documents))
    assert cids == [cid_of(data) for data in documents]
    assert set(cids) <= set(shelf.store.cids())
    for cid, data in zip(cids[:5] + cids[-3:], documents[:5] + documents[-3:], strict=True):
        assert shelf.store.has(cid)
        assert shelf.store.get(cid, len(data)) == data


def test_more_documents_than_go_at_once_are_all_stored(shelf: Shelf) -> None:
    documents = [b"%d of a great many" % number for number in range(4500)]
    cids = shelf.store.put_many(documents)
    assert set(cids) <= set(shelf.store.cids())
    assert shelf.store.get(cids[-1], 100) == documents[-1]


def test_no_documents_are_stored_as_none(shelf: Shelf) -> None:
    assert shelf.store.put_many([]) == []


def test_every_document_is_listed_once(shelf: Shelf) -> None:
    data = [data_of(size, "listed") for size in (10, 20, 30)]
    cids = [shelf.store.put(data[0]), *shelf.store.put_many(data), *shelf.store.put_many(data[:2])]
    listed = list(shelf.store.cids())
    assert len(listed) == len(set(listed))
    assert set(cids) <= set(listed)


@pytest.mark.parametrize("size", [1000, 7 * MIB // 2])
def test_a_deleted_document_is_gone_and_its_neighbours_stay(shelf: Shelf, size: int) -> None:
    data = data_of(size, "deleted")
    others = [data_of(100 + n, "neighbour") for n in range(5)]
    cid = shelf.store.put(data)
    stored = shelf.store.put_many([*others[:3], data])
    stored += shelf.store.put_many([*others[2:], data])
    shelf.store.delete(cid.upper())
    assert not shelf.store.has(cid)
    assert cid not in shelf.store.cids()
    with pytest.raises(DocumentMissing):
        shelf.store.get(cid, size)
    assert {other for other in stored if other != cid} <= set(shelf.store.cids())
    for other in others:
        assert shelf.store.get(cid_of(other), len(other)) == other
    assert not any(data[:1000] in path.read_bytes() for path in shelf.files())
    shelf.store.delete(cid)


def test_deleting_the_last_document_of_those_stored_together_leaves_none(shelf: Shelf) -> None:
    before, files = set(shelf.store.cids()), shelf.files()
    for cid in shelf.store.put_many([b"the first of two", b"the second of two"]):
        shelf.store.delete(cid)
    assert set(shelf.store.cids()) == before
    assert {path for path in shelf.files() - files if path.stat().st_size} == set()


def test_a_part_of_another_document_stays_when_it_is_deleted(shelf: Shelf) -> None:
    data = data_of(2 * MIB, "parts")
    part, whole = shelf.store.put(data[:MIB]), shelf.store.put(data)
    shelf.store.delete(part)
    assert part not in shelf.store.cids()
    assert shelf.store.get(whole, 2 * MIB) == data


def test_deleting_what_was_never_there_is_no_error(shelf: Shelf) -> None:
    shelf.store.delete(cid_of(b"never stored"))


@pytest.mark.parametrize("size", [20_000, 7 * MIB // 2])
def test_a_damaged_document_is_mended_by_deleting_and_putting_it(shelf: Shelf, size: int) -> None:
    before = shelf.files()
    data = data_of(size, f"mended in {shelf.store.name}")
    cid = shelf.store.put(data)
    for path in shelf.files() - before:
        if path.stat().st_size > 1000:
            path.chmod(0o600)
            path.write_bytes(b"rotten" + path.read_bytes()[6:])
    with pytest.raises(DocumentCorrupt):
        shelf.store.get(cid, size)
    shelf.store.delete(cid)
    shelf.store.put(data)
    assert shelf.store.get(cid, size) == data


def test_pieces_of_odd_sizes_make_the_blocks_of_the_whole() -> None:
    data = data_of(5 * MIB + 3)
    odd = [data[:1], b"", data[1:MIB], data[MIB : MIB + 7], data[MIB + 7 : 4 * MIB], data[4 * MIB :], b""]
    assert [block.cid for block in blocks(odd)] == [block.cid for block in blocks(data)]
    assert b"".join(chain(bytes(b.data) for b in blocks(odd) if b.cid.codec == RAW)) == data
    assert cid_of([]) == cid_of(b"") and parse(cid_of(in_pieces(data, CHUNK_SIZE))) == parse(cid_of(data))
