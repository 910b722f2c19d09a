"""Dossiers and the key ring: what outlives the database, and what can be erased from it."""

from __future__ import annotations

import os
import resource
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ledger.adapters.directory_store import DirectoryStore
from ledger.dossiers import Dossiers
from ledger.encoding import canonical_json
from ledger.errors import ConfigurationError, DocumentCorrupt, DocumentMissing, NotFound, StoreUnavailable
from ledger.key_ring import KeyRing
from ledger.model import (
    Application,
    Approval,
    Dossier,
    StoredCertificate,
    StoredContent,
    StoredDocument,
)
from ledger.readers import ReaderKeys
from ledger.transaction import Attempt, Transaction
from wallet.files import write_private

REGISTER = "eip155:31337:0x5FbDB2315678afecb367f032d93F642f64180aa3"
SIGNER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def digest_of(name: str) -> bytes:
    return sha256(name.encode()).digest()


def dossier(name: str = "one", key: str = "") -> Dossier:
    record, digest = digest_of(f"record {name}"), digest_of(f"digest {name}")
    payload = {"records": [{"recordId": f"0x{record.hex()}", "digest": f"0x{digest.hex()}"}], "deadline": 2}
    application = Application(name, REGISTER, "issue", payload, "submitted", 1, digest_of("token"))
    fields = [{"salt": "s" * 22, "name": "holder", "value": f"Siti Nurhaliza {name}"}]
    document = StoredDocument(f"cid-{name}", digest_of("pdf"), 20, "application/pdf", {"office": b"\x00\xff"})
    return Dossier(
        application, key or f"key {name}", digest_of("body"), (StoredContent(digest, record, fields),), (document,)
    )


def ended(of: Dossier) -> Dossier:
    name = of.application.id
    final = Attempt(digest_of("tx"), b"\x02raw", 90, 9, 5, "final", 3, digest_of("block"))
    sent = Transaction(SIGNER, 7, ("other", name), (replace(final, state="replaced", block_number=None), final))
    record = digest_of(f"record {name}")
    file = canonical_json({"b": [f"Siti Nurhaliza {name}"], "a": None})
    kept = StoredCertificate(REGISTER, record, 1, digest_of("head"), file)
    application = of.application.moved("certified")
    return replace(of, application=application, transactions=(sent,), certificates=(kept,))


def new_readers(folder: Path) -> ReaderKeys:
    write_private(folder / "office-key", X25519PrivateKey.generate().private_bytes_raw())
    return ReaderKeys(folder / "office-key", folder / "readers")


@pytest.fixture
def dossiers(tmp_path: Path) -> Dossiers:
    return Dossiers(KeyRing(tmp_path / "keyring"), DirectoryStore(tmp_path / "documents"), new_readers(tmp_path))


def accept(dossiers: Dossiers, given: Dossier) -> None:
    dossiers.keep(given)()


def test_what_was_accepted_comes_back_as_it_was_in_its_order(dossiers: Dossiers) -> None:
    given = [dossier(name) for name in ("one", "two", "three")]
    for item in given:
        accept(dossiers, item)
    assert list(dossiers.all()) == [(item.application.id, item) for item in given]
    assert dossiers.read("two") == given[1]


def test_nothing_counts_before_its_line_is_in_the_ring(dossiers: Dossiers) -> None:
    dossiers.keep(dossier())
    assert list(dossiers.all()) == []


def test_approvals_and_the_end_join_the_dossier(dossiers: Dossiers) -> None:
    accept(dossiers, dossier())
    first, second = Approval(SIGNER, "registrar", b"1" * 65), Approval(SIGNER, "court", b"2" * 65)
    for approval in (first, second, replace(first, signature=b"3" * 65)):
        dossiers.keep_approval("one", approval)
    end = ended(dossier())
    dossiers.ring.append(dossiers._lines(end, known=True))
    found = dossiers.read("one")
    assert found == replace(end, approvals=(second, first))
    assert dossiers.ended() == {"one"}


def test_the_store_alone_reveals_nothing_and_the_ring_is_its_owners(dossiers: Dossiers, tmp_path: Path) -> None:
    accept(dossiers, dossier())
    for path in (p for p in tmp_path.rglob("*") if p.is_file()):
        assert b"Nurhaliza" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
    (tmp_path / "other").mkdir()
    stranger = Dossiers(dossiers.ring, dossiers.documents, new_readers(tmp_path / "other"))
    ((_, refused),) = stranger.all()
    assert isinstance(refused, DocumentCorrupt)


@pytest.mark.parametrize("rest", [1, 40, 200])
def test_a_line_torn_by_a_crash_is_cut_and_the_next_one_is_whole(dossiers: Dossiers, rest: int) -> None:
    accept(dossiers, dossier("one"))
    whole = dossiers.ring.path.stat().st_size
    accept(dossiers, dossier("two"))
    os.truncate(dossiers.ring.path, whole + rest)
    assert [name for name, _ in dossiers.all()] == ["one"]
    accept(dossiers, dossier("three"))
    assert [name for name, _ in dossiers.all()] == ["one", "three"]
    assert b"two" not in dossiers.ring.path.read_bytes()


def test_a_damaged_line_is_named_and_the_others_are_read(dossiers: Dossiers) -> None:
    for name in ("one", "two", "three"):
        accept(dossiers, dossier(name))
    lines = dossiers.ring.path.read_bytes().splitlines(keepends=True)
    dossiers.ring.path.write_bytes(lines[0] + b'{"appl\n' + lines[2])
    found = dict(dossiers.all())
    assert isinstance(found.pop("line 2 of the key ring"), DocumentCorrupt)
    assert list(found) == ["one", "three"]


def test_a_dossier_that_is_gone_is_named_and_the_others_are_read(dossiers: Dossiers, tmp_path: Path) -> None:
    for name in ("one", "two"):
        accept(dossiers, dossier(name))
    next(dossiers.ring.lines())
    cid = next(dossiers.ring.lines()).value["cid"]  # type: ignore[index]
    next((tmp_path / "documents").rglob(cid)).unlink()
    found = dict(dossiers.all())
    assert isinstance(found["one"], DocumentMissing) and found["two"] == dossier("two")


def test_of_one_request_kept_twice_the_later_one_was_accepted(dossiers: Dossiers) -> None:
    """The database failed after the first was kept, and the applicant sent the request again."""
    for name in ("one", "two"):
        accept(dossiers, dossier(name, key="the same"))
    assert [name for name, _ in dossiers.all()] == ["two"]


def test_one_that_was_approved_is_never_taken_for_a_failed_attempt(dossiers: Dossiers) -> None:
    """A database was restored to before it, and the applicant sent the request again."""
    accept(dossiers, dossier("one", key="the same"))
    dossiers.keep_approval("one", Approval(SIGNER, "registrar", b"1" * 65))
    accept(dossiers, dossier("two", key="the same"))
    found = {name: item.idempotency_key for name, item in dossiers.all() if isinstance(item, Dossier)}
    assert found == {"one": "superseded/one", "two": "the same"}


def test_what_is_replaced_can_be_opened_by_nobody_and_approvals_stay(dossiers: Dossiers) -> None:
    accept(dossiers, dossier("one"))
    approval = Approval(SIGNER, "registrar", b"1" * 65)
    dossiers.keep_approval("one", approval)
    accept(dossiers, dossier("two"))
    dossiers.ring.append(dossiers._lines(ended(dossier("one")), known=True))
    old = [line.value for line in dossiers.ring.lines()]
    without = replace(dossiers.read("one"), contents=(), documents=(), certificates=())
    dossiers.replace(without)
    assert dossiers.read("one") == without and without.approvals == (approval,)
    assert [name for name, _ in dossiers.all()] == ["one", "two"]
    kept = dossiers.ring.path.read_bytes()
    for line, gone in zip(old, (True, False, False, True), strict=True):
        assert line is not None
        assert (line.get("key", "no key").encode() in kept) is ("key" in line and not gone)


def test_a_replacement_that_a_crash_cut_short_is_ended_by_the_next(dossiers: Dossiers) -> None:
    accept(dossiers, dossier())
    first = next(dossiers.ring.lines()).value
    without = replace(dossier(), contents=())
    accept(dossiers, without)  # the crash came before the old line was overwritten
    assert dossiers.read("one") == without
    dossiers.replace(without)
    assert first is not None and first["key"].encode() not in dossiers.ring.path.read_bytes()
    assert dossiers.read("one") == without


def test_what_is_not_there_is_not_replaced(dossiers: Dossiers) -> None:
    with pytest.raises(NotFound):
        dossiers.replace(dossier())


def test_a_ring_that_others_may_read_is_refused(dossiers: Dossiers) -> None:
    accept(dossiers, dossier())
    dossiers.ring.path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        accept(dossiers, dossier("two"))


def test_many_writers_at_once_lose_no_line_and_mix_none(dossiers: Dossiers) -> None:
    def write(number: int) -> None:
        KeyRing(dossiers.ring.path).append([{"application": str(number), "n": n, "text": "x" * 300} for n in range(5)])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    found = [(line.value or {}) for line in dossiers.ring.lines()]
    assert sorted({int(line["application"]) for line in found}) == list(range(40))
    assert [line["n"] for line in found] == list(range(5)) * 40


def test_a_disk_that_is_full_adds_nothing_and_the_next_line_is_whole(dossiers: Dossiers) -> None:
    accept(dossiers, dossier("one"))
    before = dossiers.ring.path.read_bytes()
    keep = dossiers.keep(dossier("two"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
    try:
        with pytest.raises(StoreUnavailable):
            keep()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert dossiers.ring.path.read_bytes() == before
    keep()
    assert [name for name, _ in dossiers.all()] == ["one", "two"]
