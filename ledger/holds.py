"""Legal holds in the key ring, where they outlive the database (docs/adr/0010-dossiers.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import structlog

from ledger import authority
from ledger.encoding import to_hex
from ledger.errors import BadInput
from ledger.key_ring import KeyRing
from ledger.model import Hold
from ledger.ports import Chain, RecordStore
from ledger.registers import register_of_kind
from ledger.trust import TrustedRegister, TrustRoot
from wallet.errors import WalletError
from wallet.keys import recover
from wallet.typed_data import Domain, TypedData, build

BEGINNING = b'{"hold":'
IN_HEX = ("record_id", "placed", "lifted")

log = structlog.get_logger()

Key = tuple[str, bytes, int]


class Holds:
    """A hold has a line in the key ring when it is placed, and one more when it is lifted; the later counts."""

    def __init__(self, trust: TrustRoot, chain: Chain, ring: KeyRing) -> None:
        self.trust = trust
        self.chain = chain
        self.ring = ring
        self._reconciled = False

    def keep(self, hold: Hold) -> None:
        """Durable when it returns. Raises StoreUnavailable, ConfigurationError."""
        values = {name: value.hex() if isinstance(value, bytes) else value for name, value in vars(hold).items()}
        self.ring.append([{"hold": values}])

    def all(self) -> tuple[dict[Key, Hold], list[int]]:
        """Those that the key ring holds, and the numbers of its lines that are none though they are JSON. Raises
        StoreUnavailable, ConfigurationError."""
        found, damaged = dict[Key, Hold](), list[int]()
        for line in self.ring.lines(BEGINNING):
            if line.value is None:
                continue  # whoever reads dossiers names it
            try:
                hold = _hold_in(line.value["hold"])
                found[key_of(hold)] = hold
            except (TypeError, ValueError, AttributeError):
                damaged.append(line.number)
        return found, damaged

    def reconcile(self, store: RecordStore) -> None:
        """Restore what the database lacks, and keep what the key ring does not know, if registrars signed it: it came
        before holds were kept there, or the ring was lost. Does so once. Raises Unavailable, ConfigurationError."""
        if self._reconciled:
            return
        there = {key_of(hold): hold for hold in store.all_holds()}  # first: the line of each is in the ring by now
        kept, _ = self.all()
        for key, hold in kept.items():
            if there.get(key) != hold and store.restore_hold(hold):
                log.warning("legal hold restored", register=hold.register, record=to_hex(hold.record_id))
        for key, hold in there.items():
            if key not in kept and not list(self.problems(hold)) and self._by_registrars(hold):
                self.keep(hold)
        self._reconciled = True

    def problems(self, hold: Hold) -> Iterator[tuple[str, str]]:
        """Columns of a row that its signatures contradict, and how."""
        try:
            trusted = self.trust.register_named(hold.register)
        except (BadInput, TypeError):
            yield "register", "the trust root does not list it"
            return
        message: dict[str, Any] = {"recordId": hold.record_id, "since": hold.since}
        if not _signed(trusted, "PlaceHold", message, hold.placed_by, hold.placed):
            yield "placed", "it is not by this signer over this hold"
        if (hold.until, hold.lifted_by, hold.lifted) == (None, None, None):
            return
        if not _signed(trusted, "LiftHold", {**message, "until": hold.until}, hold.lifted_by, hold.lifted):
            yield "lifted", "it is not by this signer over this hold"

    def is_registrar(self, trusted: TrustedRegister, address: str) -> bool:
        """By the newest block. Raises Unavailable."""
        call = authority.policy_call(trusted.name.address, "registrar")
        role = authority.parse_policy(self.chain.call(trusted.authority, call)).role
        return authority.parse_has_role(self.chain.call(trusted.authority, authority.has_role_call(role, address)))

    def _by_registrars(self, hold: Hold) -> bool:
        trusted = self.trust.register_named(hold.register)
        return all(self.is_registrar(trusted, by) for by in (hold.placed_by, hold.lifted_by) if by is not None)


def key_of(hold: Hold) -> Key:
    return hold.register, hold.record_id, hold.since


def typed(trusted: TrustedRegister, struct: str, message: Mapping[str, Any]) -> TypedData:
    """What a registrar signs: PlaceHold or LiftHold. Raises TypedDataInvalid."""
    name = trusted.name
    domain = Domain(register_of_kind(trusted.kind).contract, name.chain_id, name.address)
    return build(domain, struct, message)


def _signed(trusted: TrustedRegister, struct: str, message: Mapping[str, Any], by: str | None, signature: Any) -> bool:
    try:
        return recover(typed(trusted, struct, message).digest(), signature) == by
    except (WalletError, TypeError):
        return False


def _hold_in(values: Mapping[str, Any]) -> Hold:
    read: dict[str, Any] = {n: bytes.fromhex(v) if n in IN_HEX and v is not None else v for n, v in values.items()}
    return Hold(**read)
