"""What is put together beside an office at work: rebuild and audit of its database, and the move to another chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

from ledger.adapters.directory_store import DirectoryStore
from ledger.adapters.sql_audit import SqlAudit
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.application_checks import ApplicationChecks
from ledger.auditor import Auditor
from ledger.bootstrap import Office, read_trust
from ledger.custody_checks import CustodyChecks
from ledger.errors import ConfigurationError
from ledger.follower import Follower
from ledger.model import Finding
from ledger.reanchoring import OldOffice, Reanchored, Reanchoring
from ledger.rebuilding import Places, Rebuilding, Rebuilt
from wallet.files import exclusive, read_private, write_private

Progress = Callable[[], None]


def rebuild(office: Office, missing: bool, progress: Progress) -> tuple[Rebuilt, Iterator[str]]:
    """Restore what the database lacks from chain, documents and key ring: all of an empty one, or with `missing` what
    one restored from a backup lacks; and what others than this office recorded. Open the office as `rebuilding`. Raises
    ConfigurationError where the database is not empty, Unavailable; the same again goes on where it stopped."""
    mark = office.settings.rebuild_mark
    if not missing and not mark.exists():
        if not office.store.is_empty():
            raise ConfigurationError(
                "The database is not empty.", "Add --missing to restore what it lacks, or set it aside."
            )
        write_private(mark, b"")
    with exclusive(office.settings.data / "relayer.lock"):
        places = Places(office.trust, office.store, office.chain, office.applications)
        rebuilding = Rebuilding(places, office.dossiers, office.followers)
        done = rebuilding.run(progress)
        done.lost += [(f"line {n} of the key ring", "It is no legal hold.") for n in office.retention.holds.all()[1]]
        office.eraser.run_once()  # the orders are on the chain
    mark.unlink(missing_ok=True)
    return done, rebuilding.strange()


def audit(office: Office, progress: Progress) -> Iterator[Finding]:
    """Every row of the database that chain, documents, key ring or signatures contradict; nothing is changed. The
    registers are followed once more, into a file that is removed. Raises Unavailable, WalletError where it cannot be
    told."""
    with TemporaryDirectory(prefix="khalayak-fsck-") as folder:
        url = f"sqlite:///{folder}/followed.db"
        migrate(url)
        own, other = SqlAudit(office.settings.database), SqlAudit(url)
        with closing(own), closing(other), closing(SqlStore(url)) as followed:
            places = Places(office.trust, followed, office.chain, office.applications)
            checks = ApplicationChecks(office.trust, office.chain, office.documents, office.readers)
            follower = partial(Follower, store=followed, start=office.settings.start_block, elsewhere=office.reading)
            follow = (follower, other.number_next, partial(own.differences, other))
            parts = (places, checks, CustodyChecks(office.retention, own, followed))
            auditor = Auditor(office.trust, office.store, office.chain, office.dossiers, own, *follow, *parts)
            yield from auditor.run(progress)


def reanchor(office: Office, folder: Path, progress: Progress) -> Reanchored:
    """Apply at an office for all that another had, whose chain is lost: its folder, with an SQLite database, is left as
    it is. Raises ConfigurationError, Unavailable, WalletError; the same again goes on where it stopped."""
    old = office.settings.model_copy(update={"data": folder, "database_url": ""})
    trust = read_trust(old.trust_file)
    if trust.genesis == office.trust.genesis:
        raise ConfigurationError("That office is of this very chain.", "Name the folder of one whose chain is lost.")
    database = folder / "office.db"
    if not database.exists():
        raise ConfigurationError(f"There is no database {database}.", "Restore a backup of it into that folder.")
    keys = [path for path in (old.office_key.with_name("office-key.next"), old.office_key) if path.exists()]
    # A copy, because to open a database is to bring its schema up to date. It is removed, and private until then.
    with TemporaryDirectory(prefix="reanchor-", dir=office.settings.data) as copied:
        for path in folder.glob("office.db*"):
            copyfile(path, Path(copied) / path.name)
        url = f"sqlite:///{copied}/office.db"
        migrate(url)
        with closing(SqlStore(url)) as store:
            left = OldOffice(trust, store, DirectoryStore(folder / "documents"), [read_private(path) for path in keys])
            return Reanchoring(left, office.applications).run(progress)
