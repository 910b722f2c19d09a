"""The only composition root: settings in, a running office out."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import gethostname
from tempfile import TemporaryDirectory

import structlog
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ledger.adapters.directory_store import DirectoryStore
from ledger.adapters.evm_chain import EvmChain
from ledger.adapters.http_witness import HttpWitness
from ledger.adapters.kubo_store import KuboStore
from ledger.adapters.sql_audit import SqlAudit
from ledger.adapters.sql_engine import check_integrity
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.adapters.system_clock import SystemClock
from ledger.application_checks import ApplicationChecks
from ledger.applications import Applications
from ledger.auditor import Auditor
from ledger.certifier import Certifier, Cosign
from ledger.cosigner import Cosigner, check_genesis
from ledger.dossiers import Dossiers
from ledger.encoding import keccak256
from ledger.errors import ChainMismatch, ConfigurationError
from ledger.follower import Follower
from ledger.key_ring import KeyRing
from ledger.known import FinalState
from ledger.model import Finding
from ledger.monitor import Monitor, Say, Watches
from ledger.ports import Chain, Clock, DocumentStore
from ledger.publisher import Publisher
from ledger.rebuilding import Places, Progress, Rebuilding, Rebuilt
from ledger.settings import Settings
from ledger.trust import TrustedRegister, TrustRoot
from ledger.witness import Witness, load_witness_key
from wallet.files import read_private, write_private
from wallet.signer import LocalSigner

LEASE_SECONDS = 60  # a step that takes longer is safe too: no nonce is given twice (RecordStore.add_transaction)
MAX_HOLDER = 255

log = structlog.get_logger()


@dataclass(frozen=True)
class Office:
    """One office with its registers. Close it to let go of its database and connections."""

    settings: Settings
    trust: TrustRoot
    chain: Chain
    store: SqlStore
    documents: DocumentStore
    applications: Applications
    publisher: Publisher
    followers: tuple[Follower, ...]
    certifier: Certifier
    dossiers: Dossiers

    def state(self, trusted: TrustedRegister) -> FinalState:
        """What is known of a register, as far as it was followed."""
        return FinalState(trusted, self.store, self.chain)

    def run_once(self) -> None:
        """One step of everything that runs by itself. Raises Unavailable, also while an office elsewhere has the lease
        of the relayer's key; run it again later, nothing is lost. The processes of one office take turns."""
        with _exclusive(self.settings.data / "relayer.lock"):
            self._lease_relayer()
            self.publisher.run_once()
            for follower in self.followers:
                follower.run_once()
            self.certifier.run_once()
            self.dossiers.run_once(self.store)

    def _lease_relayer(self) -> None:
        # The holder is the folder and not the process, so that an office that was killed goes on at once.
        holder = f"{gethostname()}:{self.settings.data.absolute()}"[-MAX_HOLDER:]
        self.store.lease(f"relayer {self.publisher.relayer.address}", holder, LEASE_SECONDS)

    def rebuild(self, missing: bool, progress: Progress) -> tuple[Rebuilt, Iterator[str]]:
        """Restore what the database lacks from chain, documents and key ring: all of an empty one, or with `missing`
        what one restored from a backup lacks; and what others than this office recorded. Raises ConfigurationError
        where the database is not empty, Unavailable; the same again goes on where it stopped."""
        mark = self.settings.rebuild_mark
        if not missing and not mark.exists():
            if not self.store.is_empty():
                raise ConfigurationError(
                    "The database is not empty.", "Add --missing to restore what it lacks, or set it aside."
                )
            write_private(mark, b"")
        with _exclusive(self.settings.data / "relayer.lock"):
            places = Places(self.trust, self.store, self.chain, self.applications)
            rebuilding = Rebuilding(places, self.dossiers, self.followers)
            done = rebuilding.run(progress)
        mark.unlink(missing_ok=True)
        return done, rebuilding.strange()

    def audit(self, progress: Callable[[], None]) -> Iterator[Finding]:
        """Every row of the database that chain, documents, key ring or signatures contradict; nothing is changed.
        Raises Unavailable, WalletError where it cannot be told. The registers are followed once more, into a file
        that is removed."""
        open_key = partial(read_private, self.settings.office_key)
        with TemporaryDirectory(prefix="khalayak-fsck-") as folder:
            url = f"sqlite:///{folder}/followed.db"
            migrate(url)
            own, other = SqlAudit(self.settings.database), SqlAudit(url)
            with closing(own), closing(other), closing(SqlStore(url)) as followed:
                places = Places(self.trust, followed, self.chain, self.applications)
                checks = ApplicationChecks(self.trust, self.chain, self.documents, open_key)
                auditor = Auditor(self.trust, self.store, self.chain, self.dossiers, own, followed, places, checks)
                yield from auditor.run(partial(own.differences, other), progress)

    def close(self) -> None:
        self.store.close()


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Wait for the lock of a file; it is let go when the process ends, however it ends."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def open_office(settings: Settings, *, rebuilding: bool = False) -> Office:
    """Raises ConfigurationError (also where a rebuild has not ended, unless it is to go on), ChainMismatch,
    ChainUnreachable, WalletError, each before anything is changed."""
    if settings.rebuild_mark.exists() and not rebuilding:
        raise ConfigurationError("The rebuild of this database has not ended.", "Run `khalayak rebuild` again.")
    trust = read_trust(settings.trust_file)
    settings.check_secrets(trust.chain_id)
    chain = EvmChain(settings.rpc_url, confirmations=settings.confirmations)
    check_chain(chain, trust)
    relayer = LocalSigner.from_keystore(settings.relayer_keystore, settings.password)
    reader = X25519PrivateKey.from_private_bytes(read_private(settings.office_key)).public_key().public_bytes_raw()
    secret = read_private(settings.token_secret)
    clock = SystemClock()
    check_integrity(settings.database)
    migrate(settings.database)
    store = SqlStore(settings.database)
    if not rebuilding:
        _note_if_behind(store, chain, relayer.address)
    documents = open_documents(settings)
    dossiers = Dossiers(KeyRing(settings.key_ring), documents, reader, partial(read_private, settings.office_key))
    return Office(
        settings,
        trust,
        chain,
        store,
        documents,
        Applications(trust, store, documents, chain, clock, {"office": reader}, secret, dossiers),
        Publisher(trust, store, chain, relayer),
        tuple(Follower(trusted, store, chain) for trusted in trust.registers),
        Certifier(trust, store, chain, open_witnesses(settings, clock)),
        dossiers,
    )


def _note_if_behind(store: SqlStore, chain: Chain, relayer: str) -> None:
    """A database restored from a backup is behind the chain. Nothing is lost or doubled: followers catch up, and the
    chain takes a nonce once. What was applied for since is in the key ring alone."""
    highest = store.highest_nonce(relayer)
    kept, spent = 0 if highest is None else highest + 1, chain.next_nonce(relayer)
    if spent > kept:
        advice = "was it restored from a backup? `khalayak rebuild --missing` restores what it lacks"
        log.warning("the chain is ahead of the database", spent=spent, kept=kept, advice=advice)


def read_trust(path: Path) -> TrustRoot:
    """Raises ConfigurationError, BadInput."""
    try:
        return TrustRoot.parse(path.read_bytes())
    except OSError:
        raise ConfigurationError(
            f"There is no trust root at {path}.", "Run `khalayak deploy`, or set KHALAYAK_DATA."
        ) from None


def open_documents(settings: Settings) -> DocumentStore:
    if settings.documents == "directory":
        return DirectoryStore(settings.data / "documents")
    return KuboStore(settings.documents)


def open_witnesses(settings: Settings, clock: Clock) -> list[Cosign]:
    """The witnesses that the settings name; where they name none, those whose keys lie in the data folder, as the
    devnet's do, which share one node with the office. Raises ConfigurationError, WalletError."""
    if settings.witnesses.split():
        return [HttpWitness(url) for url in settings.witnesses.split()]

    def cosigner(witness: Witness) -> Cosign:
        return lambda checkpoint: witness.cosign(checkpoint, clock.now())

    return [cosigner(open_witness(path)) for path in sorted(settings.witness_keys.glob("*.pem"))]


def open_witness(key: Path) -> Witness:
    """The witness of a key file, which has its name; its log lies beside it. Raises WalletError."""
    return Witness(key.stem, load_witness_key(key), key.with_suffix(".log"))


def open_cosigner(rpc_url: str, key: Path, trust_file: Path) -> Cosigner:
    """A witness at a node of its own. Raises ConfigurationError (its key is not in the trust root), ChainMismatch,
    ChainUnreachable, WalletError."""
    trust, witness = read_trust(trust_file), open_witness(key)
    if witness.verifier_key not in trust.witnesses:
        raise ConfigurationError(
            f"The trust root does not list this witness: {witness.verifier_key}", "Have the office add this line."
        )
    chain = EvmChain(rpc_url)
    check_chain(chain, trust)
    return Cosigner(trust, chain, witness, SystemClock())


@contextmanager
def open_monitor(rpc_url: str, trust_file: Path, state: Path, watches: Watches, say: Say) -> Iterator[Monitor]:
    """A monitor at a node of its own; `state` is its folder, which one process at a time uses. Raises
    ConfigurationError, ChainMismatch, ChainUnreachable, StoreUnavailable."""
    trust, chain = read_trust(trust_file), EvmChain(rpc_url)
    check_chain(chain, trust)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = f"sqlite:///{(state / 'registers.db').absolute()}"
    with _exclusive(state / "lock"):
        migrate(url)
        store = SqlStore(url)
        try:
            yield Monitor(trust, store, chain, watches, state / "block.json", say)
        finally:
            store.close()


def check_chain(chain: Chain, trust: TrustRoot) -> None:
    """That the node serves the chain of the trust root, with the trusted code. Raises ChainMismatch."""
    check_genesis(chain, trust)
    for register in trust.registers:
        for address, code_hash in (
            (register.name.address, register.code_hash),
            (register.authority, register.authority_code_hash),
        ):
            if keccak256(chain.code(address)) != code_hash:
                raise ChainMismatch(
                    f"The code at {address} is not the trusted one.", "Check the RPC URL and the trust root."
                )
