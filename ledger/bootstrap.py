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
from ledger.adapters.kubo_store import KuboStore
from ledger.adapters.sql_engine import check_integrity
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.adapters.system_clock import SystemClock
from ledger.applications import Applications
from ledger.certifier import Certifier, Cosign
from ledger.checkpoint import Checkpoint
from ledger.encoding import keccak256, to_hex
from ledger.errors import ChainMismatch, ConfigurationError
from ledger.follower import Follower
from ledger.known import FinalState
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
    chain = EvmChain(settings.rpc_url)
    check_chain(chain, trust)
    relayer = LocalSigner.from_keystore(settings.relayer_keystore, settings.password)
    reader = X25519PrivateKey.from_private_bytes(read_private(settings.office_key)).public_key().public_bytes_raw()
    secret = read_private(settings.token_secret)
    clock = SystemClock()
    check_integrity(settings.database)
    migrate(settings.database)
    store = SqlStore(settings.database)
    documents = open_documents(settings)
    return Office(
        settings,
        trust,
        chain,
        store,
        documents,
        Applications(trust, store, documents, chain, clock, {"office": reader}, secret),
        Publisher(trust, store, chain, relayer),
        tuple(Follower(trusted, store, chain) for trusted in trust.registers),
        Certifier(trust, store, chain, open_witnesses(settings, clock)),
    )


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
    """The demo witnesses whose keys lie in the data folder. On the devnet they share one node with the office."""
    keys = sorted(settings.witness_keys.glob("*.pem"))
    witnesses = [Witness(path.stem, load_witness_key(path), path.with_suffix(".log")) for path in keys]

    def cosigner(witness: Witness) -> Cosign:
        def cosign(checkpoint: Checkpoint) -> str:
            return witness.cosign(checkpoint, clock.now())

        return cosign

    return [cosigner(witness) for witness in witnesses]


def check_chain(chain: Chain, trust: TrustRoot) -> None:
    """That the node serves the chain of the trust root, with the trusted code. Raises ChainMismatch."""
    chain_id, genesis = chain.chain_id(), chain.genesis_hash()
    if chain_id != trust.chain_id:
        raise ChainMismatch(
            f"The node serves chain {chain_id}, the trust root is for {trust.chain_id}.", "Check the RPC URL."
        )
    if genesis != trust.genesis:
        raise ChainMismatch(
            f"The node's chain begins with block {to_hex(genesis)}, the trust root's with {to_hex(trust.genesis)}.",
            "It is another chain of the same number, or a devnet that was started anew.",
        )
    for register in trust.registers:
        for address, code_hash in (
            (register.name.address, register.code_hash),
            (register.authority, register.authority_code_hash),
        ):
            if keccak256(chain.code(address)) != code_hash:
                raise ChainMismatch(
                    f"The code at {address} is not the trusted one.", "Check the RPC URL and the trust root."
                )
