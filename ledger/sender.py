"""One relayer key in one step of the publisher: its nonces, its attempts, and what became of them on the chain.

The order of writes is the whole point. The signed bytes are durable before they are sent, so whatever is killed, the
next run sends the same bytes again, and the chain takes one transaction of a nonce only. Every step may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import structlog

from ledger.bundler import Bundle
from ledger.encoding import keccak256
from ledger.errors import NotFound, Refused, Unavailable
from ledger.fees import Limits, dearest, raised, unsigned
from ledger.model import ApplicationState, Fees, Receipt
from ledger.ports import Chain, Clock, RecordStore
from ledger.transaction import Attempt, Transaction
from wallet.signer import Signer

log = structlog.get_logger()


class Sender:
    """`signer` is None where this process has no keystore of the address: what is on its way is followed and sent
    again, and nothing is signed."""

    def __init__(
        self, store: RecordStore, chain: Chain, clock: Clock, limits: Limits, address: str, signer: Signer | None
    ) -> None:
        self.store = store
        self.chain = chain
        self.clock = clock
        self.limits = limits
        self.address = address
        self.signer = signer

    def step(self) -> None:
        """Offer more for what has waited long, send what the node does not have, and see what the chain has taken.
        Raises ChainUnreachable, StoreUnavailable, Conflict (another worker has the key by now)."""
        if not self.store.open_transactions(self.address):
            return
        self._offer_more()
        self._send()
        self._settle()

    def unmined(self) -> list[Transaction]:
        return [item for item in self.store.open_transactions(self.address) if item.state != "included"]

    def sign(self, bundle: Bundle, chain_id: int, fees: Fees) -> Transaction:
        """Raises Conflict when one of the applications is taken by another worker."""
        call = {"type": 2, "chainId": chain_id, "to": bundle.to, "value": 0, "data": bundle.data, "gas": bundle.gas}
        spent = self.chain.spent_nonces(self.address, "latest")
        # A crash before this line has sent nothing; a crash after it sends these very bytes on the next run.
        return self.store.add_transaction(
            bundle.applications, self.address, spent, lambda nonce: self._attempt({**call, "nonce": nonce}, fees)
        )

    def missing_funds(self, wei: int) -> int:
        """What the balance lacks for a transaction that costs `wei` beside those that are not mined."""
        owed = sum(dearest(item.newest.raw) for item in self.unmined())
        return max(0, owed + wei - self.chain.balance(self.address))

    def unknown_nonces(self) -> int:
        """How many transactions of the key the chain has taken after the last that the database knows."""
        highest = self.store.highest_nonce(self.address)
        known = 0 if highest is None else highest + 1
        return max(0, self.chain.spent_nonces(self.address, "latest") - known)

    def slow(self) -> list[Transaction]:
        """What has waited long enough to offer more."""
        since = self.clock.now() - self.limits.bump_seconds
        return [item for item in self.unmined() if item.newest.signed_at <= since]

    def _offer_more(self) -> None:
        if self.signer is None or not (slow := self.slow()):
            return
        today, spent = self.chain.fees(), self.chain.spent_nonces(self.address, "latest")
        for transaction in slow:
            fees = raised(transaction.newest, today, self.limits.max_fee)
            if fees is None or transaction.nonce < spent:
                continue
            fields = unsigned(transaction.newest.raw)
            if self.missing_funds(fields["gas"] * (fees.max_fee - transaction.newest.max_fee)):
                continue
            log.warning("transaction waits: offering more", sender=self.address, nonce=transaction.nonce)
            self.store.add_attempt(transaction, self._attempt(fields, fees))

    def _attempt(self, fields: dict[str, Any], fees: Fees) -> Attempt:
        assert self.signer is not None
        offer = {"maxFeePerGas": fees.max_fee, "maxPriorityFeePerGas": fees.priority_fee}
        raw = self.signer.sign_transaction({**fields, **offer})
        return Attempt(keccak256(raw), raw, fees.max_fee, fees.priority_fee, self.clock.now())

    def _send(self) -> None:
        """Lowest nonce first: the chain takes none behind one that is missing."""
        waiting = self.unmined()
        if not waiting:
            return
        spent, known = self.chain.spent_nonces(self.address, "latest"), self.chain.next_nonce(self.address)
        for transaction in waiting:
            in_pool = transaction.newest.state == "sent" and transaction.nonce < known
            if transaction.nonce < spent or in_pool:
                continue
            try:
                self.chain.send(transaction.newest.raw)
            except Refused as refusal:
                # The node may refuse what it has already mined (hardhat mines a transaction that reverts and raises),
                # so the receipt decides; without one the bytes stay as they are and go out again.
                if self._found(transaction) is None:
                    reason = {"sender": self.address, "nonce": transaction.nonce, "reason": refusal.message}
                    log.warning("transaction not taken yet", **reason)
                    return
            if transaction.newest.state == "signed":
                self.store.update_transaction(transaction, transaction.sent(), "sent")

    def _settle(self) -> None:
        waiting = self.store.open_transactions(self.address)
        if not waiting:
            return
        try:
            final = self.chain.block("finalized").number
        except NotFound:
            final = -1
        spent = self.chain.spent_nonces(self.address, "latest")
        for transaction in waiting:
            if transaction.nonce < spent or transaction.state == "included":
                self._look_for_receipt(transaction, final)

    def _look_for_receipt(self, transaction: Transaction, final: int) -> None:
        found = self._found(transaction)
        if found is None:
            self._look_for_loss(transaction, final)
            return
        attempt, receipt = found
        # What is not final may be undone, also a revert: until then the application is on its way.
        state: ApplicationState = "included" if receipt.succeeded else "sent"
        if receipt.block_number > final:
            after = transaction.mined(attempt.hash, "included", receipt)
        elif receipt.succeeded:
            after, state = transaction.mined(attempt.hash, "final", receipt), "final"
        else:
            # Asked again, alone, the contract says why; an application that it takes then goes once more.
            after, state = transaction.mined(attempt.hash, "failed", receipt), "approved"
            log.warning("transaction reverted", sender=self.address, nonce=transaction.nonce)
        if after != transaction:
            self.store.update_transaction(transaction, after, state)

    def _look_for_loss(self, transaction: Transaction, final: int) -> None:
        about = {"sender": self.address, "nonce": transaction.nonce}
        if transaction.state == "included":
            log.warning("a reorganisation took the transaction's block away", **about)
            self.store.update_transaction(transaction, transaction.unmined("sent"), "sent")
        elif self._spent_for_good(transaction.nonce, final):
            log.error("nonce spent by another", **about)
            self.store.update_transaction(transaction, transaction.unmined("lost"), "approved")

    def _spent_for_good(self, nonce: int, final: int) -> bool:
        try:
            return final >= 0 and self.chain.spent_nonces(self.address, final) > nonce
        except Unavailable as error:
            log.info("cannot tell whether the nonce is lost", nonce=nonce, reason=error.message)
            return False

    def _found(self, transaction: Transaction) -> tuple[Attempt, Receipt] | None:
        return next(self._receipts(transaction), None)

    def _receipts(self, transaction: Transaction) -> Iterator[tuple[Attempt, Receipt]]:
        for attempt in reversed(transaction.attempts):
            if receipt := self.chain.receipt(attempt.hash):
                yield attempt, receipt
