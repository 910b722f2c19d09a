"""The publisher of an office's folder: its relayer keys, its limits, and the contract that bundles."""

from __future__ import annotations

import json
from pathlib import Path
from socket import gethostname

from ledger.encoding import from_hex, keccak256, parse_address
from ledger.errors import BadInput, ChainMismatch, ConfigurationError
from ledger.fees import GWEI, Limits
from ledger.ports import Chain, Clock, RecordStore, ReplicatedDocuments
from ledger.publisher import Publisher
from ledger.settings import Settings
from ledger.trust import TrustRoot
from wallet.errors import WalletError
from wallet.signer import LocalSigner

MAX_HOLDER = 255


def holder_of(settings: Settings) -> str:
    """The name of an office in its leases: the folder and not the process, so that one that was killed goes on at
    once."""
    return f"{gethostname()}:{settings.data.absolute()}"[-MAX_HOLDER:]


def open_publisher(
    settings: Settings,
    trust: TrustRoot,
    store: RecordStore,
    chain: Chain,
    clock: Clock,
    documents: ReplicatedDocuments,
) -> tuple[Publisher | None, WalletError | None]:
    """Or why there is none. Raises ConfigurationError."""
    try:
        relayers = [LocalSigner.from_keystore(path, settings.password) for path in settings.relayer_keystores]
    except WalletError as error:
        return None, error
    limits = Limits(int(settings.max_fee_gwei * GWEI), settings.bump_seconds, settings.bundle_seconds)
    found = read_bundle(settings.bundle_file)
    contract = found[0] if found else None
    return Publisher(trust, store, chain, clock, relayers, holder_of(settings), limits, documents, contract), None


def check_bundle(path: Path, chain: Chain) -> None:
    """That the code is there which was deployed: other code might record nothing. Raises ConfigurationError,
    ChainMismatch, ChainUnreachable."""
    if (found := read_bundle(path)) and keccak256(chain.code(found[0])) != found[1]:
        raise ChainMismatch(f"The code at {found[0]} does not bundle calls.", f"Remove {path}: all goes without.")


def read_bundle(path: Path) -> tuple[str, bytes] | None:
    """The address of the contract that carries several applications (contracts/Bundle.sol) and the hash of its code, or
    None where the office has none. Raises ConfigurationError."""
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_bytes())
        return parse_address(found["address"]), from_hex(found["codeHash"], 32)
    except (ValueError, LookupError, TypeError, BadInput):
        raise ConfigurationError(f"{path} does not name a contract.", "Remove it: all goes without.") from None
