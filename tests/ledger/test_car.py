from __future__ import annotations

import io
import random
import subprocess
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from ledger import car, unixfs
from ledger.car import Archive
from ledger.cid import DAG_PB, RAW, Block, Cid, blocks, cid_of, parse, varint
from ledger.errors import BadInput, DocumentCorrupt, TooLarge
from tests.kubo import ipfs_or_skip

MIB = 1 << 20


def data_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def archive_of(*documents: bytes) -> bytes:
    writer = car.Writer()
    body = b"".join(bytes(part) for data in documents for part in writer.add(blocks(data)))
    root = unixfs.directory(writer.documents)
    return car.header(root.cid) + body + b"".join(bytes(part) for part in car.section(root))


def as_section(block: Block) -> bytes:
    return b"".join(bytes(part) for part in car.section(block))


def raw(data: bytes) -> Block:
    return Block(Cid(RAW, sha256(data).digest()), data)


def cut(kept: dict[Cid, bytes], cid: Cid, limit: int) -> bytes:
    return kept[cid][: limit + 1]


def opened(data: bytes) -> Archive:
    return Archive.open(io.BytesIO(data))


def test_what_is_written_is_read() -> None:
    documents = [data_of(size) for size in (0, 20_000, MIB, 7 * MIB // 2)]
    archive = opened(archive_of(*documents, documents[1]))
    found = {str(cid): b"".join(archive.read(cid)) for cid in archive.sizes}
    assert found == {cid_of(data): data for data in documents}
    assert {str(cid): size for cid, size in archive.sizes.items()} == {cid_of(data): len(data) for data in documents}


def test_a_document_that_repeats_its_blocks_is_read_whole() -> None:
    data = bytes(3 * MIB)
    archive = opened(archive_of(data))
    assert [b"".join(archive.read(cid)) for cid in archive.sizes] == [data]


def test_kubo_reads_what_is_written_and_writes_what_is_read(tmp_path: Path) -> None:
    environment = {"IPFS_PATH": str(tmp_path), "IPFS_TELEMETRY": "off"}

    def ipfs(*arguments: str, given: bytes = b"") -> bytes:
        command = [ipfs_or_skip(), *arguments]
        return subprocess.run(command, env=environment, input=given, capture_output=True, check=True).stdout

    ipfs("init", "--empty-repo", "--profile=test")
    documents = [data_of(size) for size in (1, 20_000, 3 * MIB)]
    root = unixfs.directory({parse(cid_of(data)): sum(len(b.data) for b in blocks(data)) for data in documents})
    ipfs("dag", "import", "--offline", given=archive_of(*documents))
    assert set(ipfs("ls", str(root.cid)).decode().split()) >= {cid_of(data) for data in documents}
    again = opened(ipfs("dag", "export", "--offline", str(root.cid)))
    assert {str(cid) for cid in again.sizes} == {cid_of(data) for data in documents}


GOOD = archive_of(b"one", b"two")
ROOT = unixfs.directory({parse(cid_of(b"one")): 3})


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "does not begin as CAR"),
        (GOOD[:40], "does not begin as CAR"),
        (b"\x0a\xa1gversion\x02" + GOOD, "does not begin as CAR"),
        (car.header(Cid(RAW, bytes(32))) + GOOD[car.HEADER_SIZE :], "its root .* is not in it"),
        (car.header(raw(b"one").cid) + as_section(raw(b"one")), "its root is no directory"),
        (car.header(ROOT.cid) + as_section(ROOT), "is not in it"),
        (GOOD.replace(b"two", b"owt"), "the bytes of block bafkrei.* are others"),
        (GOOD + as_section(raw(b"one")), "is in it twice"),
        (GOOD + as_section(raw(b"three")), "1 of its blocks belong to no document"),
        (GOOD[:-5], "cut off"),
        (GOOD + b"\x01", "no CID"),
        (GOOD + b"\xff" * 60, "cannot be read"),
        (GOOD + varint(1 << 40) + raw(b"").cid.binary, "a size that no block has"),
        (GOOD + varint(40) + bytes(40), "no CID"),
    ],
)
def test_an_archive_with_something_wrong_is_refused_with_what_it_is(data: bytes, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        opened(data)


def test_a_few_blocks_that_stand_for_endless_ones_are_refused() -> None:
    level = raw(data_of(MIB))
    links = [unixfs.Link(level.cid, MIB, MIB)] * 1024
    found = [level]
    for _ in range(2):
        node = unixfs.file_node(links)
        cid = Cid(DAG_PB, sha256(node).digest())
        size, total = sum(link.size for link in links), len(node) + sum(link.total for link in links)
        found.append(Block(cid, node))
        links = [unixfs.Link(cid, size, total)] * 1024
    root = unixfs.directory({found[-1].cid: total})
    with pytest.raises(TooLarge, match="more than 65536 blocks"):
        opened(car.header(root.cid) + b"".join(map(as_section, [*found, root])))


def test_a_tree_whose_sizes_are_not_those_of_its_blocks_is_refused() -> None:
    one, two = raw(b"one"), raw(b"three")
    for sizes in ((3, 4), (2, 5), (3, 6)):
        node = unixfs.file_node([unixfs.Link(one.cid, sizes[0], 3), unixfs.Link(two.cid, sizes[1], 5)])
        root = Block(Cid(DAG_PB, sha256(node).digest()), node)
        kept = {block.cid: bytes(block.data) for block in (one, two, root)}
        with pytest.raises(DocumentCorrupt):
            list(unixfs.read(root.cid, 100, partial(cut, kept)))


def test_a_node_in_another_form_than_ours_is_no_file() -> None:
    tree = list(blocks(data_of(2 * MIB)))
    node = bytes(tree[-1].data)
    assert unixfs.is_file(node)
    for other in (b"", node[:-1], node + b"\x0a\x00", node + b"\x18\x00", b"\xff" * 20, ROOT.data):
        assert not unixfs.is_file(bytes(other))
    assert unixfs.documents_of(node) is None
    assert unixfs.documents_of(bytes(ROOT.data)) == {parse(cid_of(b"one")): 3}


def test_batches_hold_no_more_than_their_limits() -> None:
    assert [len(batch) for batch in unixfs.batches(range(10_000), lambda _: 1)] == [4096, 4096, 1808]
    sizes = [unixfs.MAX_TOGETHER + 1, 1, unixfs.MAX_TOGETHER - 1, 1]
    assert list(unixfs.batches(sizes, lambda size: size)) == [sizes[:1], sizes[1:3], sizes[3:]]
