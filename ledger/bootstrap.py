"""The only composition root: settings in, a running office out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.adapters.chain_process import ChainProcess
from ledger.adapters.directory_store import DirectoryStore
from ledger.adapters.failover_chain import open_chain
from ledger.adapters.sql_engine import check_integrity
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.adapters.system_clock import SystemClock
from ledger.adapters.verifier_process import VerifierProcess
from ledger.applications import Applications
from ledger.certifier import Certifier
from ledger.cosigned import Cosign
from ledger.dossiers import Dossiers
from ledger.eraser import Eraser
from ledger.errors import ConfigurationError, Unavailable
from ledger.follower import Follower
from ledger.health import FOLLOWER_LEASE, Health
from ledger.holds import Holds
from ledger.key_ring import KeyRing
from ledger.known import FinalState
from ledger.nodes import check_chain
from ledger.ports import Chain, Clock, DocumentStore
from ledger.publisher import Publisher
from ledger.readers import ReaderKeys
from ledger.rebuilding import note_if_behind
from ledger.relayers import check_bundle, holder_of, open_publisher
from ledger.retention import Retention
from ledger.settings import Settings
from ledger.trust import TrustedRegister, TrustRoot
from ledger.witness import Witness, load_witness_key
from wallet.errors import WalletError
from wallet.files import exclusive, read_private

if TYPE_CHECKING:
    from ledger.adapters.replicated_store import ReplicatedStore

LEASE_SECONDS = 60
HEALTH_SECONDS = 3  # that a node may take to say how it is

Step = Callable[[], None]
Turn = Callable[[str, Step], None]


def at_once(_part: str, step: Step) -> None:
    step()


@dataclass(frozen=True)
class Office:
    """One office with its registers. Close it to let go of its database and connections. Without its relayer's key it
    has no publisher, and `closed` says why: it verifies, serves and follows, and takes no applications."""

    settings: Settings
    trust: TrustRoot
    chain: Chain
    store: SqlStore
    documents: ReplicatedStore
    readers: ReaderKeys
    applications: Applications
    publisher: Publisher | None
    followers: tuple[Follower, ...]
    certifier: Certifier
    verifier: VerifierProcess
    reading: ChainProcess
    eraser: Eraser
    retention: Retention
    dossiers: Dossiers
    health: Health
    closed: WalletError | None = None

    def state(self, trusted: TrustedRegister) -> FinalState:
        """What is known of a register, as far as it was followed."""
        return FinalState(trusted, self.store, self.chain)

    def run_once(self, turn: Turn = at_once) -> None:
        """One step of everything that runs by itself. `turn` is given each part's name and its step, and may put it off
        or keep what it raises, so that the other parts go on. Raises Unavailable, also while an office elsewhere has a
        lease; run it again later, nothing is lost. The processes of one office take turns."""
        self.bring_once(turn)
        self.issue_once(turn)

    def bring_once(self, turn: Turn = at_once) -> None:
        """The part of `run_once` that waits for document nodes, and nothing else waits for. A thread may run it beside
        `issue_once`."""
        turn("documents", self._bring_documents)

    def issue_once(self, turn: Turn = at_once) -> None:
        """`run_once` without documents."""
        with exclusive(self.settings.data / "relayer.lock"):
            if self.publisher:
                turn("publisher", self.publisher.run_once)
            for follower in self.followers:
                part = f"follower {follower.trusted.kind}"
                turn(part, partial(self._leased, FOLLOWER_LEASE, follower.run_once))
            turn("certifier", partial(self._leased, FOLLOWER_LEASE, self.certifier.run_once))
            turn("dossiers", partial(self.dossiers.run_once, self.store))
            turn("eraser", partial(self._leased, FOLLOWER_LEASE, self.eraser.run_once))

    def _bring_documents(self) -> None:
        self.documents.run_once()

    def let_go(self) -> None:
        """Of the leases, so that another office goes on at once. What cannot be let go runs out later."""
        with suppress(Unavailable):
            self.store.lease(FOLLOWER_LEASE, holder_of(self.settings), 0)
        if self.publisher:
            self.publisher.let_go()

    def _leased(self, name: str, step: Step) -> None:
        self.store.lease(name, holder_of(self.settings), LEASE_SECONDS)
        step()

    def close(self) -> None:
        self.verifier.close()
        self.reading.close()
        self.store.close()
        self.documents.close()


def open_office(settings: Settings, *, rebuilding: bool = False) -> Office:
    """Raises ConfigurationError (also where a rebuild has not ended, unless it is to go on), ChainMismatch,
    ChainUnreachable, WalletError (a secret that all need is missing), each before anything is changed."""
    if settings.rebuild_mark.exists() and not rebuilding:
        raise ConfigurationError("The rebuild of this database has not ended.", "Run `khalayak rebuild` again.")
    trust = read_trust(settings.trust_file)
    settings.check_secrets(trust.chain_id)
    chain = open_chain(settings.rpc_url, confirmations=settings.confirmations)
    check_chain(chain, trust)
    check_bundle(settings.bundle_file, chain)
    readers = ReaderKeys(settings.office_key, settings.readers)
    with readers.sealing():
        pass  # keys that cannot be read stop the start, and not the first application
    secret = read_private(settings.token_secret)
    clock = SystemClock()
    check_integrity(settings.database)
    migrate(settings.database)
    store = SqlStore(settings.database)
    chain.expect([store.followed(str(trusted.name)) for trusted in trust.registers])
    documents = open_documents(settings)
    ring = KeyRing(settings.key_ring)
    dossiers, holds = Dossiers(ring, documents, readers), Holds(trust, chain, ring)
    publisher, closed = open_publisher(settings, trust, store, chain, clock, documents)
    if publisher and not rebuilding:
        note_if_behind(store, chain, publisher.relayers)
    verifier = VerifierProcess(trust)
    reading = ChainProcess(settings.rpc_url, confirmations=settings.confirmations)
    follower = partial(Follower, store=store, chain=chain, start=settings.start_block, elsewhere=reading)
    desk = Applications(trust, store, documents, chain, clock, readers, secret, dossiers, closed=bool(closed))
    return Office(
        settings,
        trust,
        chain,
        store,
        documents,
        readers,
        desk,
        publisher,
        tuple(map(follower, trust.registers)),
        Certifier(trust, store, chain, open_witnesses(settings, clock), verifier.verify),
        verifier,
        reading,
        Eraser(trust, store, documents, dossiers, holds),
        Retention(trust, store, holds, clock, settings.index_key),
        dossiers,
        _health(settings, trust, store, documents, publisher, closed),
        closed,
    )


@contextmanager
def open_health(settings: Settings) -> Iterator[Health]:
    """How an office is, without opening it: its node or its database may be away, and its schema is left as it is.
    Raises ConfigurationError."""
    trust, store = read_trust(settings.trust_file), SqlStore(settings.database)
    chain = open_chain(settings.rpc_url, timeout=HEALTH_SECONDS, confirmations=settings.confirmations)
    try:
        documents = open_documents(settings)
        publisher, closed = open_publisher(settings, trust, store, chain, SystemClock(), documents)
        yield _health(settings, trust, store, documents, publisher, closed)
    finally:
        store.close()


def _health(
    settings: Settings,
    trust: TrustRoot,
    store: SqlStore,
    documents: ReplicatedStore,
    publisher: Publisher | None,
    closed: WalletError | None,
) -> Health:
    # A connection of its own: it loses patience sooner than those who have work to do.
    chain = open_chain(settings.rpc_url, timeout=HEALTH_SECONDS, confirmations=settings.confirmations)
    relayers = list(publisher.relayers) if publisher else []
    check, reason = partial(check_chain, chain, trust), closed.message if closed else ""
    hindered = publisher.obstacles if publisher else tuple
    clock, waiting = SystemClock(), documents.waiting
    return Health(trust, store, chain, documents, clock, relayers, check, reason, hindered, waiting)


def read_trust(path: Path) -> TrustRoot:
    """Raises ConfigurationError, BadInput."""
    try:
        return TrustRoot.parse(path.read_bytes())
    except OSError:
        raise ConfigurationError(
            f"There is no trust root at {path}.", "Run `khalayak deploy`, or set KHALAYAK_DATA."
        ) from None


def open_documents(settings: Settings) -> ReplicatedStore:
    """Raises ConfigurationError, DocumentStoreUnavailable. No node is contacted yet."""
    from ledger.adapters.kubo_store import KuboStore
    from ledger.adapters.replicated_store import ReplicatedStore

    addresses = [] if settings.documents == "directory" else settings.documents.split()
    return ReplicatedStore(
        DirectoryStore(settings.data / "documents"),
        [KuboStore(address) for address in addresses],
        settings.documents_quorum,
        settings.data / "documents.db",
    )


def documents_of_database(settings: Settings) -> Iterator[str]:
    """The CID of every document that the office's database names; none before there is a database. Raises
    StoreUnavailable."""
    if settings.database_url or (settings.data / "office.db").exists():
        store, after = SqlStore(settings.database), ""
        try:
            while page := store.documents(after):
                yield from (document.cid for document in page)
                after = page[-1].cid
        finally:
            store.close()


def open_document_store(place: str) -> DocumentStore:
    """The node at a multiaddr, else the folder, which is made where it is missing. Raises ConfigurationError,
    DocumentStoreUnavailable."""
    from ledger.adapters.kubo_store import KuboStore

    return KuboStore(place) if place.startswith("/ip") else DirectoryStore(Path(place))


def open_witnesses(settings: Settings, clock: Clock) -> list[Cosign]:
    """The witnesses that the settings name; where they name none, those whose keys lie in the data folder, as the
    devnet's do, which share one node with the office. Raises ConfigurationError, WalletError."""
    if settings.witnesses.split():
        from ledger.adapters.http_witness import HttpWitness

        return [HttpWitness(url) for url in settings.witnesses.split()]

    def cosigner(witness: Witness) -> Cosign:
        return lambda checkpoint: witness.cosign(checkpoint, clock.now())

    return [cosigner(open_witness(path)) for path in sorted(settings.witness_keys.glob("*.pem"))]


def open_witness(key: Path) -> Witness:
    """The witness of a key file, which has its name; its log lies beside it. Raises WalletError."""
    return Witness(key.stem, load_witness_key(key), key.with_suffix(".log"))
