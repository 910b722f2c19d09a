"""Who can open a document: sharing, taking back, rotation, handing over. No CID ever changes."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import pyrage
import pytest

from ledger import sealing
from ledger.adapters.directory_store import DirectoryStore
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.age_file import for_passphrase, write_for_recipient
from ledger.cid import cid_of
from ledger.dossiers import Dossiers
from ledger.errors import BadInput, ConfigurationError, DocumentCorrupt, Refused
from ledger.handing import opened, share, unshare
from ledger.key_ring import KeyRing
from ledger.model import Application, StoredContent, StoredDocument
from ledger.readers import Progress, ReaderKeys, parse_public_key, public_key, public_line, rewrap, rotate
from tests.office import DEED

STRANGER = bytes(range(32))
MANY = 700  # more than a step of a rotation


@dataclass
class Desk:
    """A database, a document store and the keys of an office, without its chain."""

    folder: Path
    store: SqlStore
    documents: DirectoryStore
    keys: ReaderKeys
    dossiers: Dossiers

    def add(self, document: bytes = DEED, **named: bytes) -> str:
        """Seal a document for the office's readers, and for those named; its CID."""
        sealer = sealing.Sealer()
        sealed = b"".join(sealer.pieces([document]))
        cid = self.documents.put(sealed)
        with self.keys.sealing() as readers:
            wraps = {name: sealing.wrap(sealer.key, key, cid) for name, key in {**readers, **named}.items()}
        self.save(StoredDocument(cid, sealer.sha256, sealer.size, "application/pdf", wraps))
        return cid

    def save(self, *documents: StoredDocument) -> None:
        """In an application, with its dossier."""
        name = sha256(documents[0].cid.encode()).hexdigest()[:32]
        application = Application(name, "r", "issue", {"records": []}, "submitted", 0, bytes(32))
        fields = [{"salt": "", "name": "document", "value": {"cid": document.cid}} for document in documents]
        contents = [StoredContent(sha256(name.encode()).digest(), bytes(32), fields)]
        self.store.add_application(application, contents, documents, name, bytes(32))
        self.dossiers.run_once(self.store)

    def parts(self) -> list[Callable[[Progress], int]]:
        """What a rotation goes through, as `khalayak documents rotate`."""
        return [partial(rewrap, self.keys, self.store), partial(self.dossiers.renew, self.store), self.dossiers.rewrap]

    def kept(self, cid: str) -> StoredDocument:
        """As a database that is rebuilt from the dossiers has it."""
        dossier = self.dossiers.read(self.store.application_of_document(cid))
        return next(document for document in dossier.documents if document.cid == cid)

    def rotate(self) -> int:
        return rotate(self.keys, self.parts())

    def read(self, cid: str) -> bytes:
        return b"".join(opened(self.store, self.documents, self.keys.private(), cid))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    keys = ReaderKeys(tmp_path / "office-key", tmp_path / "readers")
    keys.current.write_bytes(bytes(31) + b"\x07")
    keys.current.chmod(0o600)
    keys.readers.mkdir()
    url = f"sqlite:///{tmp_path / 'office.db'}"
    migrate(url)
    store = SqlStore(url)
    documents = DirectoryStore(tmp_path / "documents")
    yield Desk(tmp_path, store, documents, keys, Dossiers(KeyRing(tmp_path / "keyring"), documents, keys))
    store.close()


def test_a_document_is_sealed_for_the_office_and_every_reader_in_its_folder(desk: Desk) -> None:
    (desk.keys.readers / "court.pub").write_text(public_line(STRANGER))
    (desk.keys.readers / "office.pub").write_text(public_line(STRANGER))
    cid = desk.add()
    wraps = desk.store.document(cid).wraps
    assert wraps.keys() == {"court", "office"} and desk.read(cid) == DEED
    assert sealing.unwrap(wraps["court"], STRANGER, cid)
    with pytest.raises(DocumentCorrupt):
        sealing.unwrap(wraps["office"], STRANGER, cid)


@pytest.mark.parametrize("text", ["", "0x12", "0x" + "00" * 32, "0x" + "1g" * 32, "\udc80", "age1xyz"])
def test_a_key_that_nothing_can_be_sealed_for_stops_everything(desk: Desk, text: str) -> None:
    (desk.keys.readers / "court.pub").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigurationError, match=r"court\.pub"), desk.keys.sealing():
        pass


def test_a_reader_is_added_and_taken_away_and_the_cid_stays(desk: Desk) -> None:
    cid = desk.add()
    sealed, before = desk.documents.get(cid, 1 << 20), desk.store.document(cid)
    share(desk.store, desk.dossiers, cid, "court", public_key(STRANGER))
    shared = desk.store.document(cid)
    key = sealing.unwrap(shared.wraps["court"], STRANGER, cid)
    assert sealing.unseal(key, sealed) == DEED
    assert desk.kept(cid) == shared
    unshare(desk.store, desk.dossiers, cid, "court")
    assert desk.store.document(cid) == before == desk.kept(cid) and desk.documents.get(cid, 1 << 20) == sealed
    with pytest.raises(BadInput, match="no reader"):
        unshare(desk.store, desk.dossiers, cid, "court")


@pytest.mark.parametrize("name", ["office", "", " ", "x" * 41, "a\nb"])
def test_the_offices_own_wrap_and_names_that_are_none_are_refused(desk: Desk, name: str) -> None:
    cid = desk.add()
    with pytest.raises(BadInput):
        share(desk.store, desk.dossiers, cid, name, public_key(STRANGER))
    with pytest.raises(BadInput):
        unshare(desk.store, desk.dossiers, cid, name)


def test_what_was_changed_meanwhile_is_not_written_over(desk: Desk) -> None:
    seen = desk.store.document(desk.add())
    assert desk.store.rewrap([(seen, {**seen.wraps, "court": b"1"})]) == 1
    assert desk.store.rewrap([(seen, {**seen.wraps, "press": b"2"})]) == 0
    assert desk.store.document(seen.cid).wraps["court"] == b"1"


def test_a_document_that_the_office_does_not_read_is_refused_and_a_wrong_key_noticed(desk: Desk) -> None:
    cid = desk.add()
    document = desk.store.document(cid)
    with pytest.raises(DocumentCorrupt, match="office's key"):
        b"".join(opened(desk.store, desk.documents, [STRANGER], cid))
    desk.store.rewrap([(document, {})])
    with pytest.raises(Refused):
        desk.read(cid)


def test_a_rotation_replaces_the_offices_wraps_alone(desk: Desk) -> None:
    (desk.keys.readers / "court.pub").write_text(public_line(STRANGER))
    cids = [desk.add(DEED + bytes([n])) for n in range(3)]
    before, old = [desk.store.document(cid) for cid in cids], desk.keys.private()
    # One wrap of each document, its dossier in which that stands, and no key of a dossier beside them.
    assert desk.rotate() == 3 + 3
    after, new = [desk.store.document(cid) for cid in cids], desk.keys.private()
    assert len(old) == len(new) == 1 and old != new
    for number, cid in enumerate(cids):
        assert replace(after[number], wraps={}) == replace(before[number], wraps={})
        assert after[number].wraps["court"] == before[number].wraps["court"]
        assert desk.read(cid) == DEED + bytes([number]) and desk.kept(cid) == after[number]
        with pytest.raises(DocumentCorrupt):
            sealing.unwrap(after[number].wraps["office"], old[0], cid)
    assert sorted(path.name for path in desk.folder.glob("office-key*")) == ["office-key", "office-key.lock"]


def test_what_comes_in_during_a_rotation_is_sealed_for_the_new_key(desk: Desk) -> None:
    before = desk.add()
    desk.keys.begin_rotation()
    during = desk.add(DEED + b"1")
    assert desk.read(before) == DEED and desk.read(during) == DEED + b"1"
    assert desk.rotate() == 1 + 1
    assert desk.read(before) == DEED and desk.read(during) == DEED + b"1"


def test_a_rotation_that_was_killed_goes_on_and_loses_nothing(desk: Desk) -> None:
    cid = desk.add()
    (key,) = desk.keys.private()
    desk.save(*(StoredDocument(c, bytes(32), 1, "x", {"office": _wrap(secret, key, c)}) for c, secret in _cids(MANY)))
    code = (
        "import os, sys; from pathlib import Path; from ledger.readers import ReaderKeys, rewrap, rotate;"
        "from ledger.adapters.sql_store import SqlStore; folder = Path(sys.argv[1]);"
        "keys = ReaderKeys(folder / 'office-key', folder / 'readers');"
        "store = SqlStore(f'sqlite:///{folder}/office.db');"
        "rotate(keys, [lambda progress: rewrap(keys, store, progress)], lambda done: os.kill(os.getpid(), 9))"
    )
    assert subprocess.run([sys.executable, "-c", code, desk.folder]).returncode == -signal.SIGKILL
    assert len(desk.keys.private()) == 2 and desk.read(cid) == DEED
    done = desk.rotate()
    assert 0 < done < MANY + 1 + 2
    assert desk.read(cid) == DEED
    private = desk.keys.private()
    for cid, secret in _cids(MANY):
        assert sealing.unwrap(desk.store.document(cid).wraps["office"], private[0], cid) == secret


def _cids(count: int) -> list[tuple[str, bytes]]:
    return [(cid_of(b"%d" % number), sha256(b"%d" % number).digest()) for number in range(count)]


def _wrap(secret: bytes, private: bytes, cid: str) -> bytes:
    return sealing.wrap(secret, public_key(private), cid)


def test_the_old_key_stays_while_one_document_needs_it(desk: Desk) -> None:
    cid = desk.add()
    damaged = desk.store.document(desk.add(DEED + b"1"))
    desk.store.rewrap([(damaged, {"office": bytes(80)})])
    with pytest.raises(DocumentCorrupt):
        desk.rotate()
    assert len(desk.keys.private()) == 2 and desk.read(cid) == DEED


def test_an_age_file_is_opened_by_age_and_holds_the_same_bytes(desk: Desk) -> None:
    document = DEED * 3
    cid, identity, out = desk.add(document), pyrage.x25519.Identity.generate(), io.BytesIO()
    private = desk.keys.private()
    write_for_recipient(opened(desk.store, desk.documents, private, cid), str(identity.to_public()), out)
    assert pyrage.decrypt(out.getvalue(), [identity]) == document
    words = for_passphrase(opened(desk.store, desk.documents, private, cid), "empat kuda tua lari")
    assert pyrage.passphrase.decrypt(words, "empat kuda tua lari") == document


def test_a_recipient_that_is_none_a_short_passphrase_and_a_damaged_document_are_refused(desk: Desk) -> None:
    with pytest.raises(BadInput, match="recipient"):
        write_for_recipient([b""], "age1nobody", io.BytesIO())
    with pytest.raises(BadInput, match="passphrase"):
        for_passphrase([b""], "short")
    sealed = sealing.Sealer()
    pieces = b"".join(sealed.pieces([DEED]))
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    with pytest.raises(DocumentCorrupt, match="cannot be opened"):
        write_for_recipient(sealing.unseal_stream(sealed.key, [pieces[:-1]]), recipient, io.BytesIO())


def test_a_public_key_is_read_in_any_case(desk: Desk) -> None:
    line = public_line(STRANGER).strip()
    assert parse_public_key(line) == parse_public_key("0x" + line[2:].upper()) == public_key(STRANGER)
