"""FAULTS rows 30 and 31: an IPFS node is down while issuing, or answers another CID than the one computed here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ledger.adapters.kubo_store import KuboStore
from ledger.cid import cid_of
from ledger.errors import DocumentCorrupt, DocumentMissing
from tests.faults.documents import BIG, SMALL, bring_all, data_of, documents_at, fail_at
from tests.kubo import Daemon, Proxy, ipfs_or_skip, proxied, says, start_kubo


def names_another(proxy: Proxy, status: int, body: bytes) -> tuple[int, Iterator[bytes]]:
    return status, iter([re.sub(rb"baf[a-z2-7]{56}", cid_of(b"another document").encode(), body)])


def test_fault_30_what_is_put_while_a_node_is_down_is_kept_and_queued_and_brought_when_it_is_back(
    tmp_path: Path, daemons: list[Daemon]
) -> None:
    repo = tmp_path / "kubo"
    with start_kubo(ipfs_or_skip(), repo) as address:
        pass
    store = documents_at(tmp_path, [daemons[0].address, address], quorum=2)
    data = [data_of(SMALL, "down"), data_of(BIG, "down")]
    with capture_logs() as logs:
        cids = [store.put(data[0]), store.put_stream([data[1]])]
        fail_at(store, 1)
    assert [store.get(cid, BIG) for cid in cids] == data
    assert [state.waiting for state in store.states()] == [0, 2]
    assert "cannot be reached" in store.states()[1].problem
    assert [log["waiting"] for log in logs if log["event"] == "documents_wait"] == [2]
    assert store.below_quorum(cids) == cids
    # The office is killed and comes back: the queue is on the disk.
    store.close()
    with start_kubo(ipfs_or_skip(), repo) as again:
        assert again == address
        store = documents_at(tmp_path, [daemons[0].address, address], quorum=2)
        bring_all(store)
        assert store.below_quorum(cids) == []
        assert [KuboStore(address).get(cid, BIG) for cid in cids] == data


def test_fault_30_one_node_of_two_that_is_down_holds_up_nobody_where_one_is_enough(
    tmp_path: Path, daemons: list[Daemon]
) -> None:
    store = documents_at(tmp_path, ["/ip4/127.0.0.1/tcp/1", daemons[0].address], quorum=1)
    cids = store.put_many([data_of(SMALL, f"enough {number}") for number in range(10)])
    assert store.below_quorum(cids) == cids
    store.run_once()
    assert store.below_quorum(cids) == []
    assert set(cids) <= set(KuboStore(daemons[0].address).cids())


def test_fault_30_what_is_erased_while_a_node_is_down_is_gone_here_at_once_and_there_when_it_is_back(
    tmp_path: Path, daemons: list[Daemon]
) -> None:
    data = [data_of(SMALL, "erased"), data_of(BIG, "erased")]
    with proxied(daemons[0].address) as proxy:
        store = documents_at(tmp_path, [proxy.address])
        cids = [store.put(each) for each in data]
        bring_all(store)
        for command in ("version", "pin/rm"):
            proxy.changes[command] = says(b'{"Message":"down","Code":0,"Type":"error"}', 500)
        for cid in cids:
            store.delete(cid)
        fail_at(store, 0)
        for cid in cids:
            assert not store.has(cid) and cid not in store.cids() and store.below_quorum([cid]) == [cid]
            with pytest.raises(DocumentMissing, match="was erased"):
                store.get(cid, BIG)
        store.close()
        proxy.changes.clear()
        store = documents_at(tmp_path, [proxy.address])
        bring_all(store)
        assert not any(store.nodes[0].has(cid) for cid in cids)
        assert store.below_quorum(cids) == cids
        # The same bytes may come again, as those of an open document do.
        assert store.put(data[0]) == cids[0]
        bring_all(store)
        assert store.nodes[0].get(cids[0], SMALL) == store.get(cids[0], SMALL) == data[0]


@pytest.mark.parametrize(("size", "command"), [(SMALL, "dag/import"), (BIG, "add")])
def test_fault_31_a_node_that_answers_another_cid_is_refused_and_asked_again(
    tmp_path: Path, daemons: list[Daemon], size: int, command: str
) -> None:
    data = data_of(size, "another")
    with proxied(daemons[0].address) as proxy:
        store = documents_at(tmp_path, [proxy.address])
        cid = store.put(data)
        assert cid == cid_of(data)
        proxy.changes[command] = names_another
        with pytest.raises(DocumentCorrupt, match="stored document"):
            store.nodes[0].put(data) if command == "add" else store.nodes[0].put_many([data])
        with capture_logs() as logs:
            store.run_once()
        assert any(log["event"] == "documents_wait" and "stored document" in log["reason"] for log in logs)
        assert store.below_quorum([cid]) == [cid]
        proxy.changes.clear()
        bring_all(store)
        assert store.below_quorum([cid]) == []
