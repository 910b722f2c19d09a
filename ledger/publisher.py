"""The publisher: takes approved applications to the chain, each exactly once (docs/protocol.md section 8).

It chooses what goes together (ledger/bundler.py) and which relayer key sends it (ledger/sender.py). What it remembers
between two steps only spares work: every decision rests on the store and the chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import structlog

from ledger.bundler import MOST, Bundle, Bundler
from ledger.errors import Conflict, StoreUnavailable, Unavailable
from ledger.fees import GWEI, Limits, ether, offered, raised
from ledger.known import documents_of
from ledger.model import Application, Fees
from ledger.ports import Chain, Clock, RecordStore, ReplicatedDocuments
from ledger.registers import register_of_kind
from ledger.sender import Sender
from ledger.trust import TrustRoot
from wallet.signer import Signer

LEASE_SECONDS = 60  # a step that takes longer is safe too: no nonce is given twice (RecordStore.add_transaction)
MAX_UNMINED = 16  # transactions of a key; geth keeps no more of one sender for sure
ALARM_SECONDS = 86_400  # for which a lost nonce is told
TYPICAL_GAS = 100_000

log = structlog.get_logger()


class Publisher:
    """For all registers. The relayers have no authority: they pay for the gas and nothing else. `holder` names this
    worker in the leases of their keys; `contract` is the address of the bundling contract, if there is one."""

    def __init__(
        self,
        trust: TrustRoot,
        store: RecordStore,
        chain: Chain,
        clock: Clock,
        relayers: Sequence[Signer],
        holder: str,
        limits: Limits,
        documents: ReplicatedDocuments,
        contract: str | None = None,
    ) -> None:
        self.trust = trust
        self.store = store
        self.chain = chain
        self.clock = clock
        self.relayers = {relayer.address: relayer for relayer in relayers}
        self.holder = holder
        self.limits = limits
        self.documents = documents
        self.contract = contract
        self.gas_of_byte: dict[str, float] = {}
        self._waiting_since: dict[str, int] = {}
        self._ahead_at: dict[str, tuple[int, int]] = {}

    def run_once(self) -> None:
        """Move every application one step further where the chain allows it. Raises ChainUnreachable, StoreUnavailable,
        Unavailable (other workers have all the keys), Conflict (another has one by now); nothing is lost then, and the
        next run goes on from what is stored."""
        senders = self._leased()
        for sender in senders:
            sender.step()
        for sender in self._sign(senders):
            sender.step()

    def let_go(self) -> None:
        """Of the keys, so that another worker has them at once. What cannot be let go runs out later."""
        for address in self.relayers:
            with suppress(Unavailable):
                self.store.lease(f"relayer {address}", self.holder, 0)

    def obstacles(self) -> list[str]:
        """Why applications wait, in sentences for the operator; empty when nothing is in the way. Only the chain and
        the store are asked, so any process may. An outage of the node says that and nothing else."""
        try:
            return list(self._obstacles())
        except Unavailable as error:
            return [f"{error.message} {error.hint}".strip()]

    def _leased(self) -> list[Sender]:
        """The keys that this worker has now: those of its own that are free, and those that nobody holds although
        transactions of theirs are on their way."""
        taken, refusals = [], []
        for sender in self._senders():
            try:
                self.store.lease(f"relayer {sender.address}", self.holder, LEASE_SECONDS)
                taken.append(sender)
            except StoreUnavailable:
                raise
            except Unavailable as refusal:
                refusals.append(refusal)
        if refusals and not any(sender.signer for sender in taken):
            raise refusals[0]
        return taken

    def _senders(self) -> list[Sender]:
        addresses = dict.fromkeys([*self.relayers, *self.store.open_senders()])
        parts = self.store, self.chain, self.clock, self.limits
        return [Sender(*parts, address, self.relayers.get(address)) for address in addresses]

    def _sign(self, senders: Sequence[Sender]) -> list[Sender]:
        """Those who have signed something new."""
        if not self.store.applications("approved", 1):
            return []
        ready = [sender for sender in senders if sender.signer and self._is_caught_up(sender)]
        fees = offered(self.chain.fees(), self.limits.max_fee)
        if fees is None:
            log.warning("publishing waits: the base fee is above the cap")
            return []
        bundler = Bundler(self.trust, self.store, self.chain, self.contract, self.gas_of_byte)
        used: list[Sender] = []
        is_idle = not any(sender.unmined() for sender in senders)
        while ready := [sender for sender in ready if len(sender.unmined()) < MAX_UNMINED]:
            bundle = self._next(bundler, is_idle)
            if bundle is None:
                break
            sender = min(ready, key=lambda sender: len(sender.unmined()))
            if lacking := sender.missing_funds(bundle.gas * fees.max_fee):
                log.warning("relayer is out of funds", relayer=sender.address, lacking=ether(lacking))
                ready.remove(sender)
                continue
            try:
                sender.sign(bundle, self.trust.chain_id, fees)
                used.append(sender)
            except Conflict:
                log.info("applications are being signed elsewhere", first=bundle.applications[0])
                bundler.held.update(bundle.applications)
        return list(dict.fromkeys(used))

    def _next(self, bundler: Bundler, is_idle: bool) -> Bundle | None:
        """The oldest applications of a register that may go now. They go at once when nothing of ours is on its way,
        and else when they fill a bundle or have waited long enough."""
        while queue := [item for item in self.store.applications("approved", MOST) if item.id not in bundler.held]:
            groups: dict[str, list[Application]] = {}
            for item in queue:
                if self._lacks_copies(item):
                    bundler.held.add(item.id)
                else:
                    groups.setdefault(item.register, []).append(item)
            for name, group in groups.items():
                calls, is_full = bundler.fit(group)
                if not (is_idle or is_full or self._has_waited(name)):
                    bundler.held.update(call.application.id for call in calls)
                elif bundle := bundler.compose(calls):
                    self._waiting_since.pop(name, None)
                    return bundle
        return None

    def _lacks_copies(self, application: Application) -> bool:
        """What is on the chain for ever must not lead to a document that one broken disk can lose."""
        register = register_of_kind(self.trust.register_named(application.register).kind)
        return bool(self.documents.below_quorum(documents_of(application, register, self.store)))

    def _has_waited(self, name: str) -> bool:
        now = self.clock.now()
        return now - self._waiting_since.setdefault(name, now) >= self.limits.bundle_seconds

    def _is_caught_up(self, sender: Sender) -> bool:
        """Whether the database knows all that the chain holds of the key, or has read the registers past the block in
        which more was noticed: what was recorded by what it forgot is found as recorded then, and not sent again."""
        if not (unknown := sender.unknown_nonces()):
            self._ahead_at.pop(sender.address, None)
            return True
        if self._ahead_at.get(sender.address, (0, 0))[0] != unknown:
            log.error("chain ahead of the database", relayer=sender.address, transactions=unknown)
            self._ahead_at[sender.address] = (unknown, self.chain.block("latest").number)
        return self._followed() >= self._ahead_at[sender.address][1]

    def _followed(self) -> int:
        cursors = [self.store.cursor(str(trusted.name)) for trusted in self.trust.registers]
        return min(-1 if cursor is None else cursor for cursor in cursors)

    def _obstacles(self) -> Iterator[str]:
        senders, today = self._senders(), self.chain.fees()
        waiting = self.store.applications("approved", 1)
        if today.base_fee > self.limits.max_fee:
            asked, cap = today.base_fee / GWEI, self.limits.max_fee / GWEI
            yield f"The base fee is {asked:.3f} gwei and the cap {cap:.3f}: everything waits (KHALAYAK_MAX_FEE_GWEI)."
        for sender in senders:
            yield from self._obstacles_of(sender, today, waiting)
        recent = self.clock.now() - ALARM_SECONDS
        for lost in self.store.transactions("lost", 1_000):
            if lost.newest.signed_at >= recent and lost.sender in self.relayers:
                yield f"Nonce {lost.nonce} of relayer {lost.sender} was spent by another transaction: who has the key?"

    def _obstacles_of(self, sender: Sender, today: Fees, waiting: Sequence[Application]) -> Iterator[str]:
        name, unmined = f"Relayer {sender.address}", sender.unmined()
        if sender.signer is None:
            yield f"{name} has {len(unmined)} transactions on their way, and its keystore is not here to offer more."
            return
        if waiting and (unknown := sender.unknown_nonces()):
            yield (
                f"{name}: the chain holds {unknown} transactions of it that this database lacks. It waits until the "
                f"registers are read past them. If no backup was restored and the key is not new here, who else has it?"
            )
        price = min(today.max_fee, self.limits.max_fee)
        if (waiting or unmined) and (lacking := sender.missing_funds(TYPICAL_GAS * price * len(waiting))):
            yield f"{name} is out of funds: it lacks {ether(lacking)}."
        stuck = [item for item in sender.slow() if raised(item.newest, today, self.limits.max_fee) is None]
        if stuck and today.base_fee <= self.limits.max_fee:
            yield f"{name}: {len(stuck)} transactions wait and may offer no more than the cap (KHALAYAK_MAX_FEE_GWEI)."
