"""What the core needs of a database for transactions and leases; a part of ledger.ports.RecordStore."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ledger.model import ApplicationState, Lease, Nonces
from ledger.transaction import Attempt, AttemptState, Transaction


class TransactionStore(Protocol):
    """See ledger.ports.RecordStore."""

    def add_transaction(
        self, application_ids: Sequence[str], sender: str, at_least: int, sign: Callable[[int], Attempt]
    ) -> Transaction:
        """Choose the sender's next nonce (the lowest from `at_least` on that has no transaction), save the attempt that
        `sign` makes for it and move the applications from approved to signed, all together: what is raised in `sign`
        leaves no gap. Raises Conflict when one of the applications is not approved or is being signed."""

    def add_attempt(self, transaction: Transaction, attempt: Attempt) -> Transaction:
        """Save another attempt of a transaction that is not in a block. Raises Conflict when it has changed."""

    def transactions(self, state: AttemptState, limit: int = 100) -> list[Transaction]:
        """Those whose `state` this is, lowest nonce first."""

    def open_transactions(self, sender: str) -> list[Transaction]:
        """Those that are signed, sent or included, lowest nonce first."""

    def open_senders(self) -> list[str]:
        """Who has such transactions."""

    def highest_nonce(self, sender: str) -> int | None: ...

    def update_transaction(
        self, before: Transaction, after: Transaction, application_state: ApplicationState, reason: str = ""
    ) -> None:
        """Save the attempts' new states and blocks with the applications' new state. Raises NotFound, Conflict (its
        state is not that of `before`)."""

    def transaction_of(self, application_id: str) -> Transaction | None:
        """The newest that carries the application."""

    def transaction_with(self, attempt_hash: bytes) -> Transaction | None:
        """The one of which this is an attempt."""

    def reverted(self, application_ids: Sequence[str]) -> Mapping[str, int]:
        """How many transactions that carried it have failed, for each of these applications with any."""

    def nonces(self, sender: str) -> Nonces: ...

    def lease(self, name: str, holder: str, seconds: int) -> None:
        """Take or renew what one holder at a time may have, until so many seconds from now by the database's clock;
        with 0 let go of it. Raises LeaseTaken, naming the holder, while another has it."""

    def leases(self) -> list[Lease]:
        """All that were ever taken, by name, also those that have run out."""
