"""FAULTS rows 32, 33 and 37: a node sends other bytes, or never stops, or never begins. The next one is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ledger import sealing
from ledger.adapters.kubo_store import KuboStore
from ledger.errors import DocumentCorrupt, DocumentStoreUnavailable, TooLarge
from tests.faults.documents import BIG, SMALL, bring_all, data_of, documents_at, forget_here
from tests.kubo import Daemon, hangs, never_ends, proxied, replaces, says


@pytest.mark.parametrize("size", [SMALL, BIG])
def test_fault_32_corrupted_bytes_are_noticed_before_decryption_and_come_from_the_next_node(
    tmp_path: Path, daemons: list[Daemon], size: int
) -> None:
    data = data_of(size, "corrupted")
    key, sealed = sealing.seal(data)
    with proxied(daemons[0].address) as proxy:
        store = documents_at(tmp_path, [proxy.address, daemons[1].address])
        cid = store.put(sealed)
        bring_all(store)
        forget_here(store, tmp_path, cid)
        proxy.changes["block/get"] = replaces(sealed[-100:], bytes(100))
        with pytest.raises(DocumentCorrupt, match="not that document"):
            store.nodes[0].get(cid, len(sealed))
        with capture_logs() as logs:
            assert b"".join(sealing.unseal_stream(key, store.read(cid, len(sealed)))) == data
        assert "document_corrupt" in [log["event"] for log in logs]


@pytest.mark.parametrize("size", [SMALL, BIG])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_fault_32_a_copy_that_is_damaged_here_comes_to_no_node_and_the_right_one_does(
    tmp_path: Path, daemons: list[Daemon], size: int, elsewhere: bool
) -> None:
    data = data_of(size, f"damaged here {elsewhere}")
    store = documents_at(tmp_path, [daemon.address for daemon in daemons])
    cid = store.put(data)
    if elsewhere:
        store.nodes[1].put(data)
    copy = next((tmp_path / "documents").rglob(cid))
    copy.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    before = [set(node.cids()) for node in store.nodes]
    store.run_once()
    assert [set(node.cids()) for node in store.nodes] == [kept | {cid} if elsewhere else kept for kept in before]
    assert store.waiting() == (0 if elsewhere else 2)


def test_fault_32_a_document_whose_blocks_are_damaged_in_different_places_is_read_from_both_nodes(
    tmp_path: Path, daemons: list[Daemon]
) -> None:
    data = data_of(BIG, "different places")
    with proxied(daemons[0].address) as first, proxied(daemons[1].address) as second:
        store = documents_at(tmp_path, [first.address, second.address])
        cid = store.put(data)
        bring_all(store)
        forget_here(store, tmp_path, cid)
        first.changes["block/get"] = replaces(data[:100], bytes(100))
        second.changes["block/get"] = replaces(data[-100:], bytes(100))
        assert store.get(cid, BIG) == data
        second.changes["block/get"] = replaces(data[:100], bytes(100))
        with pytest.raises(DocumentCorrupt):
            store.get(cid, BIG)


def test_fault_33_a_read_that_never_ends_is_unavailable_and_not_invalid(tmp_path: Path, daemons: list[Daemon]) -> None:
    data = data_of(SMALL, "never ends")
    with proxied(daemons[0].address) as proxy:
        store = documents_at(tmp_path, [proxy.address, daemons[1].address], timeout=0.5)
        cid = store.put(data)
        bring_all(store)
        forget_here(store, tmp_path, cid)
        proxy.changes["block/get"] = hangs
        with pytest.raises(DocumentStoreUnavailable, match=r"did not answer within 0\.5 s"):
            store.nodes[0].get(cid, SMALL)
        assert store.get(cid, SMALL) == data
        asked = len(proxy.asked)
        assert store.get(cid, SMALL) == data
        assert len(proxy.asked) == asked, "a node that hangs is asked last from then on"
        proxy.changes.clear()


def test_fault_33_where_one_node_hangs_and_the_other_lacks_it_nobody_says_that_it_is_missing(
    tmp_path: Path, daemons: list[Daemon]
) -> None:
    with proxied(daemons[0].address) as proxy:
        alone = documents_at(tmp_path, [proxy.address], timeout=0.5)
        cid = alone.put(data_of(SMALL, "on one alone"))
        bring_all(alone)
        alone.close()
        store = documents_at(tmp_path, [proxy.address, daemons[1].address], timeout=0.5)
        forget_here(store, tmp_path, cid)
        proxy.changes["block/get"] = hangs
        with pytest.raises(DocumentStoreUnavailable):
            store.get(cid, SMALL)


def test_fault_37_an_endless_stream_is_cut_at_the_declared_size_and_one_byte(
    tmp_path: Path, daemons: list[Daemon]
) -> None:
    small, big = data_of(SMALL, "endless"), data_of(BIG, "endless")
    with proxied(daemons[0].address) as proxy:
        store = KuboStore(proxy.address)
        cids = [store.put(small), store.put(big)]
        sent = [0]

        def counted(piece: bytes) -> bytes:
            sent[0] += len(piece)
            return piece

        proxy.changes["block/get"] = lambda proxy, status, body: (
            200,
            map(counted, never_ends(bytes(65_536))(proxy, status, body)[1]),
        )
        with pytest.raises(TooLarge, match=f"larger than {SMALL} bytes"):
            store.get(cids[0], SMALL)
        with pytest.raises(DocumentCorrupt):
            store.get(cids[1], BIG)
        assert sent[0] < 40 << 20  # what fits into the buffers between them, on top of 2 MiB that a block may have
        proxy.changes["block/get"] = says(small + b"x")
        with pytest.raises(TooLarge):
            store.get(cids[0], SMALL)
