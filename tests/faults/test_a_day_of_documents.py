"""A day in the life of an office's documents: issued, a node lost, another damaged, collected, rotated, erased.

At its end every document that is not erased is readable from each node that is left, every erased one from none, and
nobody was alarmed without a cause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ledger import sealing
from ledger.adapters.document_audit import Finding, audit
from ledger.adapters.kubo_store import KuboStore
from ledger.errors import DocumentCorrupt, DocumentMissing, NotFound
from ledger.handing import opened
from ledger.model import StoredDocument
from ledger.readers import document_key, rewrap, rotate
from ledger.registers.forms import Change
from ledger.settings import Settings
from scripts.deploy import deploy_devnet
from scripts.devnet import start_hardhat
from tests.faults.documents import bring_all
from tests.kubo import Daemon, ipfs_or_skip, start_kubo
from tests.ledger.test_erasure import cid_of, erase, title
from tests.office import DEED, TestOffice, open_test_office

HOUR = 3600
SEALED = 1 << 20  # bytes, more than the sealed deed has


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Settings]:
    with start_hardhat() as url:
        settings = Settings(data=tmp_path / "office", rpc_url=url)
        deploy_devnet(settings)
        yield settings


def at(settings: Settings, daemons: list[Daemon]) -> Settings:
    addresses = " ".join(daemon.address for daemon in daemons)
    return settings.model_copy(update={"documents": addresses, "documents_quorum": 1})


def live(desk: TestOffice) -> list[StoredDocument]:
    return desk.office.store.documents()


def rotated(desk: TestOffice) -> None:
    office = desk.office
    parts = (partial(rewrap, office.readers, office.store), partial(office.dossiers.renew, office.store))
    rotate(office.readers, (*parts, office.dossiers.rewrap))


def test_a_day_of_documents(chain: Settings, tmp_path: Path) -> None:
    numbers = count(1)
    with ExitStack() as running:

        def start(name: str) -> tuple[ExitStack, Daemon]:
            life = running.enter_context(ExitStack())
            (tmp_path / name).mkdir()
            return life, Daemon(life.enter_context(start_kubo(ipfs_or_skip(), tmp_path / name)), tmp_path / name)

        (lost, first), (_, second) = start("first"), start("second")
        with open_test_office(at(chain, [first, second]), numbers) as desk:
            with capture_logs() as morning:
                titles = [title(desk) for _ in range(3)]
                bring_all(desk.office.documents)  # type: ignore[arg-type]
                assert list(audit(desk.office.documents)) == []  # type: ignore[arg-type]
            assert [log for log in morning if log["log_level"] == "error"] == []
            desk.later(3 * HOUR)
            lost.close()
            titles.append(title(desk))  # one node is enough for the quorum, and the other is waited for
            assert desk.office.documents.waiting()  # type: ignore[attr-defined]

        (_, third) = start("third")  # an empty one in the place of what was lost
        with open_test_office(at(chain, [second, third]), numbers) as desk:
            documents = desk.office.documents
            bring_all(documents)  # type: ignore[arg-type]
            desk.later(3 * HOUR)
            damaged = cid_of(desk, titles[0].digest)
            second.damage(damaged)
            assert list(audit(documents)) == [Finding(damaged, second.address, "corrupt", True)]  # type: ignore[arg-type]
            for daemon in (second, third):
                daemon.ipfs("repo", "gc")
            assert list(audit(documents)) == []  # type: ignore[arg-type]

            desk.later(3 * HOUR)
            before = {document.cid: document.wraps["office"] for document in live(desk)}
            old = desk.office.readers.private()
            rotated(desk)
            assert {d.cid for d in live(desk)} == before.keys()
            assert all(document.wraps["office"] != before[document.cid] for document in live(desk))

            desk.later(3 * HOUR)
            gone = cid_of(desk, titles[1].digest)
            copied = documents.get(gone, SEALED)
            with capture_logs() as evening:
                erase(desk, "land", titles[1].record_id)
                bring_all(documents)  # type: ignore[arg-type]
                for daemon in (second, third):
                    daemon.ipfs("repo", "gc")
                assert list(audit(documents)) == []  # type: ignore[arg-type]
            assert [log for log in evening if log["log_level"] == "error"] == []

            kept = [cid_of(desk, item.digest) for item in (titles[0], *titles[2:])]
            assert sorted(kept) == sorted(document.cid for document in live(desk))
            private = desk.office.readers.private()
            for node in (KuboStore(second.address), KuboStore(third.address)):
                for cid in kept:
                    key = document_key(desk.office.store.document(cid), private)
                    assert sealing.unseal(key, node.get(cid, SEALED)) == DEED
                with pytest.raises(DocumentMissing):
                    node.get(gone, SEALED)
            for cid in kept:
                assert b"".join(opened(desk.office.store, documents, private, cid)) == DEED
            with pytest.raises(NotFound):
                desk.office.store.document(gone)
            # Whoever copied ciphertext and wrap in the morning can open them with no key that is left.
            assert set(private).isdisjoint(old)
            assert b"PDF" in sealing.unseal(sealing.unwrap(before[gone], old[0], gone), copied)
            with pytest.raises(DocumentCorrupt):
                sealing.unwrap(before[gone], private[0], gone)
            desk.done("land", Change("issue", [desk.request()]))
            assert all(desk.verdict("land", item.record_id).valid for item in (titles[0], *titles[2:]))
