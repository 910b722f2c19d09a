"""The publisher: takes approved applications to the chain, each exactly once (docs/protocol.md section 8).

The order of writes is the whole point. The signed bytes are durable before they are sent, so whatever is killed, the
next run sends the same bytes again, and the chain takes one transaction of a nonce only. Every step may be repeated.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from ledger.errors import Conflict, ContractReverted, NotFound, Refused
from ledger.model import Application, Transaction
from ledger.ports import Chain, RecordStore
from ledger.registers import register_of_kind
from ledger.trust import TrustRoot
from wallet.signer import Signer

GAS_CAP = 2**24  # EIP-7825
GAS_MARGIN = 1.1

log = structlog.get_logger()


class Publisher:
    """One relayer key for all registers. The relayer has no authority: it pays for the gas and nothing else."""

    def __init__(self, trust: TrustRoot, store: RecordStore, chain: Chain, relayer: Signer) -> None:
        self.trust = trust
        self.store = store
        self.chain = chain
        self.relayer = relayer

    def run_once(self) -> None:
        """Move every application one step further where the chain allows it. Raises ChainUnreachable, StoreUnavailable;
        nothing is lost then, and the next run goes on from what is stored."""
        for application in self.store.applications("approved"):
            self._sign(application)
        for transaction in self.store.transactions("signed"):
            self._send(transaction)
        for transaction in self.store.transactions("sent"):
            self._look_for_receipt(transaction)
        for transaction in self.store.transactions("included"):
            self._look_for_finality(transaction)

    def call_of(self, application: Application) -> tuple[str, bytes]:
        """The contract's address and the call that carries out an application with the approvals it has."""
        trusted = self.trust.register_named(application.register)
        approvals = self.store.approvals(application.id)
        return trusted.name.address, register_of_kind(trusted.kind).calldata(application, approvals)

    def _sign(self, application: Application) -> None:
        to, data = self.call_of(application)
        sender = self.relayer.address
        try:
            gas = int(self.chain.estimate_gas(sender, to, data) * GAS_MARGIN)
        except ContractReverted as refusal:
            self.store.move(application.id, "approved", "failed", refusal.message)
            log.warning("application refused by the contract", application=application.id, error=refusal.name)
            return
        if gas > GAS_CAP:
            self.store.move(application.id, "approved", "failed", f"needs {gas:,} gas, over the cap of one transaction")
            return
        fees, spent = self.chain.fees(), self.chain.next_nonce(sender)

        def sign(nonce: int) -> bytes:
            return self.relayer.sign_transaction(
                {
                    "type": 2,
                    "chainId": self.trust.chain_id,
                    "nonce": nonce,
                    "to": to,
                    "value": 0,
                    "data": data,
                    "gas": min(gas, GAS_CAP),
                    "maxFeePerGas": fees.max_fee,
                    "maxPriorityFeePerGas": fees.priority_fee,
                }
            )

        # A crash before this line has sent nothing; a crash after it sends these very bytes on the next run.
        try:
            self.store.add_transaction(application.id, sender, spent, sign)
        except Conflict:
            log.info("application is being signed elsewhere", application=application.id)

    def _send(self, transaction: Transaction) -> None:
        try:
            self.chain.send(transaction.raw)
        except Refused as refusal:
            # The node may refuse what it has already mined (hardhat mines a transaction that reverts and raises), so
            # the receipt decides; without one the bytes stay "signed" and go out again.
            if self.chain.receipt(transaction.hash) is None:
                log.warning("transaction not taken yet", transaction=transaction.hash.hex(), reason=refusal.message)
                return
        self.store.update_transaction(_with(transaction, "sent"), "sent")

    def _look_for_receipt(self, transaction: Transaction) -> None:
        receipt = self.chain.receipt(transaction.hash)
        if receipt is None:
            self._send(transaction)
            return
        block = (receipt.block_number, receipt.block_hash)
        if receipt.succeeded:
            self.store.update_transaction(_with(transaction, "included", *block), "included")
        else:
            self.store.update_transaction(
                _with(transaction, "failed", *block), "failed", self._why_reverted(transaction)
            )

    def _look_for_finality(self, transaction: Transaction) -> None:
        assert transaction.block_number is not None
        receipt = self.chain.receipt(transaction.hash)
        if receipt is None or receipt.block_hash != transaction.block_hash:
            # A reorganisation took the block away: the same bytes compete again.
            self.store.update_transaction(_with(transaction, "sent"), "sent")
            return
        try:
            final = self.chain.block("finalized")
        except NotFound:
            return
        if final.number >= transaction.block_number:
            state = (transaction.block_number, transaction.block_hash)
            self.store.update_transaction(_with(transaction, "final", *state), "final")

    def _why_reverted(self, transaction: Transaction) -> str:
        to, data = self.call_of(self.store.application(transaction.application_id))
        try:
            self.chain.estimate_gas(self.relayer.address, to, data)
        except ContractReverted as refusal:
            return refusal.message
        return "the contract reverted the transaction"


def _with(
    transaction: Transaction, state: str, block_number: int | None = None, block_hash: bytes | None = None
) -> Transaction:
    return replace(transaction, state=state, block_number=block_number, block_hash=block_hash)  # type: ignore[arg-type]
