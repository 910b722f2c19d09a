"""Composition of those who watch an office from outside, each at a node of its own: witnesses and monitors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.adapters.failover_chain import open_chain
from ledger.adapters.sql_store import SqlStore, migrate
from ledger.adapters.system_clock import SystemClock
from ledger.bootstrap import open_witness, read_trust
from ledger.cosigner import Cosigner
from ledger.errors import ConfigurationError
from ledger.monitor import Monitor, Say, Watches
from ledger.nodes import check_chain
from wallet.files import exclusive


def open_cosigner(rpc_url: str, key: Path, trust_file: Path) -> Cosigner:
    """A witness at a node of its own. Raises ConfigurationError (its key is not in the trust root), ChainMismatch,
    ChainUnreachable, WalletError."""
    trust, witness = read_trust(trust_file), open_witness(key)
    if witness.verifier_key not in trust.witnesses:
        raise ConfigurationError(
            f"The trust root does not list this witness: {witness.verifier_key}", "Have the office add this line."
        )
    chain = open_chain(rpc_url)
    check_chain(chain, trust)
    return Cosigner(trust, chain, witness, SystemClock())


@contextmanager
def open_monitor(rpc_url: str, trust_file: Path, state: Path, watches: Watches, say: Say) -> Iterator[Monitor]:
    """A monitor at a node of its own; `state` is its folder, which one process at a time uses. Raises
    ConfigurationError, ChainMismatch, ChainUnreachable, StoreUnavailable."""
    trust, chain = read_trust(trust_file), open_chain(rpc_url)
    check_chain(chain, trust)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = f"sqlite:///{(state / 'registers.db').absolute()}"
    with exclusive(state / "lock"):
        migrate(url)
        store = SqlStore(url)
        try:
            yield Monitor(trust, store, chain, watches, state / "block.json", say)
        finally:
            store.close()
