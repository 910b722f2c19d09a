"""Rebuilding an office's database from what is left: the chain, the document store and the key files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import structlog

from ledger.applications import Applications
from ledger.dossiers import Dossiers
from ledger.encoding import from_hex, keccak256, to_hex
from ledger.errors import Conflict, KhalayakError, NotFound
from ledger.follower import Follower
from ledger.model import ENDED, Application, Dossier, RecordedEntry
from ledger.ports import Chain, RecordStore
from ledger.registers import register_of_kind
from ledger.transaction import Attempt, Transaction
from ledger.trust import TrustRoot
from wallet.errors import TransactionInvalid
from wallet.signed_transaction import parse

log = structlog.get_logger()

Progress = Callable[[], None]  # called after each application


@dataclass
class Rebuilt:
    """How many applications were put back or brought on to where they are by now, and how many were there; what could
    not be put back, with the reason."""

    restored: int = 0
    there: int = 0
    lost: list[tuple[str, str]] = field(default_factory=list)


class Places:
    """Where applications stand by what the chain says, as far as a store has followed it."""

    def __init__(self, trust: TrustRoot, store: RecordStore, chain: Chain, desk: Applications) -> None:
        self.trust = trust
        self.store = store
        self.chain = chain
        self.desk = desk

    def placed(self, dossier: Dossier) -> Dossier:
        """The dossier with the state that its application is in. Raises Conflict where the chain does not hold what
        was certified, Unavailable."""
        application = dossier.application
        if application.state == "certified" and not any(
            self._holds(application, attempt.hash) for sent in dossier.transactions for attempt in sent.attempts
        ):
            raise Conflict("It was certified, and its entry is not among those that were followed.")
        if application.state in ENDED:
            return dossier
        item = self.recorded(dossier)
        if item is not None:
            sent = self._sent(application.id, item)
            return replace(dossier, application=application.moved("final"), transactions=(sent,))
        state = "submitted" if self.desk.lacking(application, dossier.approvals) else "approved"
        return replace(dossier, application=application.moved(state), transactions=())  # type: ignore[arg-type]

    def recorded(self, dossier: Dossier) -> RecordedEntry | None:
        """The entry that the call of an application made, if the chain holds one. Raises Unavailable."""
        application = dossier.application
        register = register_of_kind(self.trust.register_named(application.register).kind)
        if not set(register.signers(application)) <= {approval.role for approval in dossier.approvals}:
            return None
        call = register.calldata(application, dossier.approvals)
        for item in self._entries(application):
            if register.actions[item.entry["action"]] == application.action and call in self._raw(item):
                return item
        return None

    def _holds(self, application: Application, transaction_hash: bytes) -> bool:
        return any(item.transaction_hash == transaction_hash for item in self._entries(application))

    def _entries(self, application: Application) -> list[RecordedEntry]:
        """Of the record, or the series, that an application changes."""
        payload = application.payload
        record_id = from_hex(payload.get("series") or payload["records"][0]["recordId"], 32)
        return self.store.history(application.register, record_id)

    def _raw(self, item: RecordedEntry) -> bytes:
        # Nothing of another type, or that the node has dropped, is ours to show.
        return self.chain.transaction(item.transaction_hash) or b""

    def _sent(self, application_id: str, item: RecordedEntry) -> Transaction:
        """When it was signed nobody knows any more: no later than the block."""
        raw = self._raw(item)
        said, block = parse(raw), self.chain.block(item.block_number)
        fees = (said.max_fee, said.priority_fee, block.time)
        attempt = Attempt(keccak256(raw), raw, *fees, "final", block.number, block.hash)
        return Transaction(said.sender, said.nonce, (application_id,), (attempt,))


class Rebuilding:
    """Puts back what a store lacks. Repeat it after a crash: what is there and has ended is left as it is."""

    def __init__(self, places: Places, dossiers: Dossiers, followers: Sequence[Follower]) -> None:
        self.places = places
        self.dossiers = dossiers
        self.followers = followers

    def run(self, progress: Progress = lambda: None) -> Rebuilt:
        """Follow the chain, then restore each application. Raises Unavailable, and WalletError without the office key;
        what cannot be read for another reason is in the answer."""
        for follower in self.followers:
            follower.run_once()
        done, store = Rebuilt(), self.places.store
        for name, found in self.dossiers.all():
            try:
                if isinstance(found, KhalayakError):
                    done.lost.append((name, found.message))
                elif self._state_of(name) not in ENDED and store.restore(
                    self.places.placed(found), found.application.state in ENDED
                ):
                    done.restored += 1
                else:
                    done.there += 1
            except (Conflict, TransactionInvalid) as error:
                done.lost.append((name, error.message))
            progress()
        return done

    def strange(self) -> Iterator[str]:
        """Register, record and transaction of what no transaction of this office recorded: it has no content of it."""
        for trusted in self.places.trust.registers:
            for item in self.places.store.strange(str(trusted.name)):
                yield f"{trusted.name} {to_hex(item.record_id)} by {to_hex(item.transaction_hash)}"

    def _state_of(self, application_id: str) -> str:
        """Empty where there is no such application."""
        try:
            return self.places.store.application(application_id).state
        except NotFound:
            return ""


def note_if_behind(store: RecordStore, chain: Chain, relayers: Iterable[str]) -> None:
    """A database restored from a backup is behind the chain. Nothing is lost or doubled: followers catch up, and the
    chain takes a nonce once. What was applied for since is in the key ring alone."""
    for relayer in relayers:
        highest = store.highest_nonce(relayer)
        kept, spent = 0 if highest is None else highest + 1, chain.next_nonce(relayer)
        if spent > kept:
            advice = "was it restored from a backup? `khalayak rebuild --missing` restores what it lacks"
            log.warning("the chain is ahead of the database", relayer=relayer, spent=spent, kept=kept, advice=advice)
