"""FAULTS row 34: a pin is lost, blocks are collected, damaged or gone. The audit finds each and mends it."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ledger.adapters.document_audit import Finding, audit
from ledger.adapters.replica_table import HERE
from ledger.adapters.replicated_store import ReplicatedStore
from ledger.cid import blocks
from tests.faults.documents import BIG, SMALL, bring_all, data_of, documents_at, forget_here
from tests.kubo import Daemon, hangs, proxied


@pytest.fixture
def office(tmp_path: Path, daemons: list[Daemon], request: pytest.FixtureRequest) -> tuple[ReplicatedStore, list[str]]:
    """Two nodes with four documents stored together, and a big one."""
    store = documents_at(tmp_path, [daemon.address for daemon in daemons])
    name = request.node.name
    cids = store.put_many([data_of(SMALL, f"{name} {number}") for number in range(4)])
    cids.append(store.put_stream([data_of(BIG, name)]))
    bring_all(store)
    return store, cids


def pin_of(daemon: Daemon, cid: str) -> str:
    """The root whose pin keeps a document."""
    words = daemon.ipfs("pin", "ls", cid).split()
    return words[-1] if "through" in words else words[0]


def check_all_is_well(store: ReplicatedStore, daemons: list[Daemon]) -> None:
    for daemon in daemons:
        daemon.ipfs("repo", "gc")
    with capture_logs() as logs:
        assert list(audit(store)) == []
    assert [log for log in logs if log["log_level"] != "info"] == []


def test_fault_34_garbage_collection_takes_nothing_and_the_audit_raises_no_false_alarm(
    office: tuple[ReplicatedStore, list[str]], daemons: list[Daemon]
) -> None:
    store, cids = office
    store.delete(cids[0])
    read = list[int]()
    store.run_once()
    assert list(audit(store, progress=read.append)) == []
    check_all_is_well(store, daemons)
    assert sum(read) == 3 * (len(cids) - 1)
    for node in store.nodes:
        assert set(cids[1:]) <= set(node.cids()) and not node.has(cids[0])


@pytest.mark.parametrize("collected", [False, True])
def test_fault_34_what_lost_its_pin_is_pinned_again_from_the_copy_here(
    office: tuple[ReplicatedStore, list[str]], daemons: list[Daemon], collected: bool
) -> None:
    store, cids = office
    for root in {pin_of(daemons[0], cid) for cid in cids}:
        daemons[0].ipfs("pin", "rm", root)
    if collected:
        daemons[0].ipfs("repo", "gc")
    fault = "missing" if collected else "unpinned"
    assert set(audit(store)) == {Finding(cid, daemons[0].address, fault, True) for cid in cids}  # type: ignore[arg-type]
    check_all_is_well(store, daemons)


def test_fault_34_damaged_blocks_are_mended_on_a_node_and_here(
    office: tuple[ReplicatedStore, list[str]], daemons: list[Daemon], tmp_path: Path
) -> None:
    store, cids = office
    tree = [str(block.cid) for block in blocks(store.get(cids[4], BIG))]
    for block in (cids[0], tree[1], tree[-1]):
        daemons[0].damage(block)
    next((tmp_path / "documents").rglob(cids[1])).write_bytes(b"rotten")
    forget_here(store, tmp_path, cids[4])
    assert set(audit(store)) == {
        Finding(cids[1], HERE, "corrupt", True),
        Finding(cids[4], HERE, "missing", True),
        Finding(cids[0], daemons[0].address, "corrupt", True),
        Finding(cids[4], daemons[0].address, "corrupt", True),
    }
    check_all_is_well(store, daemons)


def test_fault_34_a_directory_that_cannot_be_read_is_replaced(
    office: tuple[ReplicatedStore, list[str]], daemons: list[Daemon]
) -> None:
    store, cids = office
    daemons[0].damage(pin_of(daemons[0], cids[0]))
    found = set(audit(store))
    assert found == {Finding(cid, daemons[0].address, "unpinned", True) for cid in cids[:4]}
    check_all_is_well(store, daemons)


def test_fault_34_a_document_that_is_nowhere_is_named_and_stays_named(
    office: tuple[ReplicatedStore, list[str]], daemons: list[Daemon], tmp_path: Path
) -> None:
    store, cids = office
    for daemon in daemons:
        daemon.damage(cids[2])
    forget_here(store, tmp_path, cids[2])
    assert set(audit(store)) == {
        Finding(cids[2], HERE, "missing", False),
        Finding(cids[2], daemons[0].address, "corrupt", False),
        Finding(cids[2], daemons[1].address, "corrupt", False),
    }
    assert Finding(cids[2], HERE, "missing", False) in set(audit(store))
    assert store.below_quorum([cids[2]]) == [cids[2]]
    for node in store.nodes:
        node.delete(cids[2])


def test_fault_34_a_node_that_does_not_answer_says_nothing_about_any_document(
    office: tuple[ReplicatedStore, list[str]], daemons: list[Daemon], tmp_path: Path
) -> None:
    store, cids = office
    store.close()
    with proxied(daemons[1].address) as proxy:
        store = documents_at(tmp_path, [daemons[0].address, proxy.address], timeout=0.5)
        bring_all(store)
        proxy.changes["block/get"] = hangs
        assert list(audit(store)) == [Finding("", proxy.address, "unreachable", None)]
        assert store.below_quorum(cids) == []


def test_fault_34_what_a_node_still_waits_for_is_no_finding(
    office: tuple[ReplicatedStore, list[str]], daemons: list[Daemon]
) -> None:
    store, _ = office
    waiting = store.put(data_of(SMALL, "still waits"))
    assert list(audit(store)) == []
    assert store.below_quorum([waiting]) == []


def test_fault_34_a_document_that_only_the_books_of_the_office_know_is_fetched_from_a_node(
    office: tuple[ReplicatedStore, list[str]], daemons: list[Daemon], tmp_path: Path
) -> None:
    _, cids = office
    fresh = documents_at(tmp_path / "another machine", [daemon.address for daemon in daemons])
    assert fresh.below_quorum(cids) == []
    assert set(audit(fresh, cids)) == {Finding(cid, HERE, "missing", True) for cid in cids}
    assert fresh.local.has(cids[0])
