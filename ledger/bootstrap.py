"""The only composition root: settings in, a running office out."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import gethostname

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ledger.adapters.directory_store import DirectoryStore
from ledger.adapters.evm_chain import EvmChain
from ledger.adapters.failover_chain import FailoverChain
from ledger.adapters.http_witness import HttpWitness
from ledger.adapters.kubo_store import KuboStore
from ledger.adapters.sql_engine import check_integrity
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.adapters.system_clock import SystemClock
from ledger.applications import Applications
from ledger.certifier import Certifier, Cosign
from ledger.cosigner import Cosigner, check_genesis
from ledger.encoding import keccak256
from ledger.errors import ChainMismatch, ConfigurationError
from ledger.follower import Follower
from ledger.known import FinalState
from ledger.monitor import Monitor, Say, Watches
from ledger.ports import Chain, Clock, DocumentStore
from ledger.publisher import Publisher
from ledger.settings import Settings
from ledger.trust import TrustedRegister, TrustRoot
from ledger.witness import Witness, load_witness_key
from wallet.files import read_private
from wallet.signer import LocalSigner

LEASE_SECONDS = 60  # a step that takes longer is safe too: no nonce is given twice (RecordStore.add_transaction)
MAX_HOLDER = 255


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

    def _lease_relayer(self) -> None:
        # The holder is the folder and not the process, so that an office that was killed goes on at once.
        holder = f"{gethostname()}:{self.settings.data.absolute()}"[-MAX_HOLDER:]
        self.store.lease(f"relayer {self.publisher.relayer.address}", holder, LEASE_SECONDS)

    def close(self) -> None:
        self.store.close()


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Wait for the lock of a file; it is let go when the process ends, however it ends."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def open_office(settings: Settings) -> Office:
    """Raises ConfigurationError, ChainMismatch, ChainUnreachable, WalletError, each before anything is changed."""
    trust = read_trust(settings.trust_file)
    settings.check_secrets(trust.chain_id)
    chain = open_chain(settings)
    check_chain(chain, trust)
    relayer = LocalSigner.from_keystore(settings.relayer_keystore, settings.password)
    reader = X25519PrivateKey.from_private_bytes(read_private(settings.office_key)).public_key().public_bytes_raw()
    secret = read_private(settings.token_secret)
    clock = SystemClock()
    check_integrity(settings.database)
    migrate(settings.database)
    store = SqlStore(settings.database)
    if isinstance(chain, FailoverChain):
        _expect_followed(chain, trust, store)
    documents = open_documents(settings)
    return Office(
        settings,
        trust,
        chain,
        store,
        documents,
        Applications(trust, store, documents, chain, clock, {"office": reader}, secret),
        Publisher(trust, store, chain, relayer),
        tuple(Follower(trusted, store, chain, start=settings.start_block) for trusted in trust.registers),
        Certifier(trust, store, chain, open_witnesses(settings, clock)),
    )


def open_chain(settings: Settings) -> Chain:
    """The node that the settings name, or several. Raises ConfigurationError."""
    nodes = [EvmChain(url, confirmations=settings.confirmations) for url in settings.rpc_url.split() or [""]]
    if len(nodes) == 1:
        return nodes[0]
    return FailoverChain({f"node {number} at {node.name}": node for number, node in enumerate(nodes, 1)})


def _expect_followed(chain: FailoverChain, trust: TrustRoot, store: SqlStore) -> None:
    """No node is believed that has not what was followed when this office last ran."""
    followed = [block for trusted in trust.registers if (block := store.followed(str(trusted.name))) and block.hash]
    if followed:
        chain.expect(max(followed))


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
            code = chain.code(address)
            if not code:
                raise ChainMismatch(
                    f"There is no contract at {address}.",
                    "Check the RPC URL and the trust root, and whether the node has lost its data.",
                )
            if keccak256(code) != code_hash:
                raise ChainMismatch(
                    f"The code at {address} is not the trusted one.", "Check the RPC URL and the trust root."
                )
