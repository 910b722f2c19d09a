"""What the core needs of the outside world. Each docstring is the contract that every implementation keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from ledger.model import (
    AccountProof,
    Application,
    ApplicationState,
    Approval,
    Attempt,
    AttemptState,
    Block,
    BlockTag,
    Fees,
    Log,
    Place,
    Receipt,
    RecordedEntry,
    StoredContent,
    StoredDocument,
    Transaction,
)

__all__ = [
    "AccountProof",
    "Application",
    "ApplicationState",
    "Approval",
    "Attempt",
    "AttemptState",
    "Block",
    "BlockTag",
    "Chain",
    "Clock",
    "DocumentStore",
    "Fees",
    "Log",
    "Place",
    "Receipt",
    "RecordStore",
    "RecordedEntry",
    "StoredContent",
    "StoredDocument",
    "Transaction",
]


class Chain(Protocol):
    """One node of an EVM chain. Every method raises ChainUnreachable when the node does not answer; none retries."""

    def chain_id(self) -> int: ...

    def genesis_hash(self) -> bytes: ...

    def block(self, at: int | BlockTag) -> Block:
        """The header at a number or tag, its hash recomputed here. Raises NotFound, InvalidProof (hash differs)."""

    def code(self, address: str) -> bytes: ...

    def call(self, to: str, data: bytes) -> bytes:
        """The result of a read-only call on the latest block. Raises ContractReverted."""

    def next_nonce(self, address: str) -> int:
        """The number of transactions of `address` that are in blocks or waiting."""

    def spent_nonces(self, address: str, at: int | BlockTag) -> int:
        """The number of transactions of `address` in the blocks up to and including `at`."""

    def balance(self, address: str) -> int:
        """In wei, on the latest block."""

    def fees(self) -> Fees: ...

    def estimate_gas(self, sender: str, to: str, data: bytes) -> int:
        """Gas units. Raises ContractReverted with the custom error decoded; of a bundle (contracts/Bundle.sol), that of
        the call that reverts, with its index. One that runs out of gas at the node's limit has no name."""

    def send(self, raw: bytes) -> None:
        """Hand in a signed transaction. A node that already knows it counts as success. Raises Refused with the node's
        reason when it will not take it (underpriced, no funds, nonce spent)."""

    def receipt(self, transaction_hash: bytes) -> Receipt | None: ...

    def logs(self, address: str, first: int, last: int) -> list[Log]:
        """All logs of one contract in blocks first..last inclusive, in chain order. Raises RangeRefused when the node
        answers for fewer blocks only."""

    def proof(self, address: str, slots: Sequence[bytes], block_number: int) -> AccountProof:
        """EIP-1186. Raises StateDropped when the node has not kept the state of that block."""


class DocumentStore(Protocol):
    """Keeps opaque bytes under their CID (docs/protocol.md section 5)."""

    name: str

    def put(self, data: bytes) -> str:
        """Store and return the CID, computed here. Idempotent; durable when it returns.
        Raises DocumentStoreUnavailable, DocumentCorrupt (the store answered another CID)."""

    def get(self, cid: str, size_limit: int) -> bytes:
        """The bytes, checked against the CID before they are returned.
        Raises DocumentMissing, DocumentCorrupt, DocumentStoreUnavailable, TooLarge."""

    def has(self, cid: str) -> bool: ...


class Clock(Protocol):
    def now(self) -> int:
        """Seconds since 1970. Decides no fact of a record: block time does."""


class RecordStore(Protocol):
    """The database. Every method is one transaction: it happens wholly and durably, or not at all.
    All raise StoreUnavailable when the database is locked, full or gone."""

    def add_application(
        self,
        application: Application,
        contents: Iterable[StoredContent],
        documents: Iterable[StoredDocument],
        idempotency_key: str,
        body_digest: bytes,
    ) -> Application:
        """Accept an application with the contents and documents that it brings. The same key with the same body
        digest returns the application accepted the first time (also when called ten times at once); another digest
        raises IdempotencyMismatch."""

    def accepted_before(self, idempotency_key: str, body_digest: bytes) -> Application | None:
        """The application accepted under this key, if any. Raises IdempotencyMismatch as add_application."""

    def application(self, application_id: str) -> Application:
        """Raises NotFound."""

    def applications(self, state: ApplicationState, limit: int = 100) -> list[Application]:
        """Oldest first."""

    def move(self, application_id: str, expected: ApplicationState, to: ApplicationState, reason: str = "") -> None:
        """Change an application's state. Raises Conflict when its state is not `expected`."""

    def add_approval(self, application_id: str, approval: Approval) -> None:
        """Adding the same signer and role again replaces nothing and is no error. Raises NotFound."""

    def approvals(self, application_id: str) -> list[Approval]:
        """Ascending by signer."""

    def document(self, cid: str) -> StoredDocument:
        """Raises NotFound."""

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

    def reverted(self, application_ids: Sequence[str]) -> Mapping[str, int]:
        """How many transactions that carried it have failed, for each of these applications with any."""

    def add_entries(
        self, register: str, last_block: int, entries: Iterable[RecordedEntry], revealed: Mapping[bytes, Any]
    ) -> None:
        """Save what the chain recorded up to and including `last_block`, with what it revealed (commitment → JSON), and
        move the register's cursor there. What is already there is left as it is; a cursor never moves back."""

    def cursor(self, register: str) -> int | None:
        """The last block followed, or None."""

    def history(self, register: str, record_id: bytes) -> list[RecordedEntry]:
        """Oldest first; empty when nothing was recorded."""

    def entries(
        self,
        register: str,
        *,
        holder: str | None = None,
        approver: str | None = None,
        action: int | None = None,
        since: int | None = None,
        until: int | None = None,
        after: Place | None = None,
        limit: int = 100,
    ) -> list[RecordedEntry]:
        """The entries of all records that meet every condition, in the order of the log, from behind `after`. `holder`
        is the holder or controller that the entry names; `since` and `until` are block times, both included."""

    def revealed(self, register: str, commitment: bytes) -> Any | None:
        """What the chain revealed of a commitment, or None."""

    def content(self, digest: bytes) -> list[dict[str, Any]] | None:
        """The fields [{"salt", "name", "value"}] of the accepted content whose digest this is, or None."""

    def application_of_content(self, digest: bytes) -> Application | None:
        """The application that brought this content, or None."""

    def first_application_of(self, register: str, record_id: bytes) -> Application | None:
        """The oldest application that brought content of this record and was not refused, or None."""

    def accepted(self, register: str, but_of: str) -> Iterator[tuple[bytes, list[dict[str, Any]]]]:
        """Record id and fields of every content of a register whose application was not refused and did not fail, but
        for applications whose idempotency key begins with `but_of`. In no order, read while they are asked for."""

    def recorded(self, register: str, but_of: str) -> Iterator[bytes]:
        """The id of every record of a register that the chain holds, but for those of such applications."""

    def save_certificate(
        self, register: str, record_id: bytes, sequence: int, head: bytes, certificate: Mapping[str, Any]
    ) -> None:
        """Keep the certificate of a record at a head, the newest having the highest sequence. A second one for the same
        head replaces the first."""

    def certificate(self, register: str, record_id: bytes, head: bytes | None = None) -> dict[str, Any] | None:
        """The newest one, or that of a head; None if there is none."""

    def lease(self, name: str, holder: str, seconds: int) -> None:
        """Take or renew what one holder at a time may have, until so many seconds from now by the database's clock;
        with 0 let go of it. Raises Unavailable, naming the holder, while another has it."""
