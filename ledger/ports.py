"""What the core needs of the outside world. Each docstring is the contract that every implementation keeps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from ledger.archive import ArchiveStore
from ledger.custody import CustodyStore
from ledger.errors import ContractReverted
from ledger.model import (
    AccountProof,
    Application,
    ApplicationState,
    Approval,
    Block,
    BlockTag,
    Fees,
    Followed,
    Log,
    Place,
    Receipt,
    RecordedEntry,
    StoredContent,
    StoredDocument,
    Waiting,
)
from ledger.transaction_port import TransactionStore


class Chain(Protocol):
    """One node of an EVM chain. Every method raises ChainUnreachable when the node does not answer; none retries."""

    def expect(self, blocks: Iterable[Followed | None]) -> None:
        """Of several nodes none is believed from now on that has not the newest of these, which were final. Whoever
        has one node only must compare what it tells."""

    def chain_id(self) -> int: ...

    def genesis_hash(self) -> bytes: ...

    def block(self, at: int | BlockTag) -> Block:
        """The header at a number or tag, its hash recomputed here. Raises NotFound, InvalidProof (hash differs)."""

    def code(self, address: str) -> bytes: ...

    def call(self, to: str, data: bytes) -> bytes:
        """The result of a read-only call on the latest block. Raises ContractReverted."""

    def calls(self, requests: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """The results of many such calls (to, data) in order, asked together. Raises ContractReverted if one does."""

    def next_nonce(self, address: str) -> int:
        """The number of transactions of `address` that are in blocks or waiting."""

    def spent_nonces(self, address: str, at: int | BlockTag) -> int:
        """The number of transactions of `address` in the blocks up to and including `at`."""

    def balance(self, address: str) -> int:
        """In wei, as of the latest block."""

    def fees(self) -> Fees: ...

    def estimate_gas(self, sender: str, to: str, data: bytes) -> int:
        """Gas units. Raises ContractReverted with the custom error decoded; of a bundle (contracts/Bundle.sol), that of
        the call that reverts, with its index. One that runs out of gas at the node's limit has no name."""

    def refusals(self, to: str, calls: Sequence[bytes]) -> list[ContractReverted | None]:
        """Why a contract would revert each of these calls as things are now, each alone; None where it would not."""

    def send(self, raw: bytes) -> None:
        """Hand in a signed transaction. A node that already knows it counts as success. Raises Refused with the node's
        reason when it will not take it (underpriced, no funds, nonce spent)."""

    def receipt(self, transaction_hash: bytes) -> Receipt | None: ...

    def transaction(self, transaction_hash: bytes) -> bytes | None:
        """The signed EIP-1559 transaction of this hash as it was sent. None when the node has none of it."""

    def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """The headers at these numbers, as `block`, in one request or a few."""

    def logs(self, address: str, first: int, last: int) -> list[Log]:
        """All logs of one contract in blocks first..last inclusive, in chain order. Raises RangeRefused when the node
        answers for fewer blocks only, ChainUnreachable also when it has not all these blocks."""

    def proof(self, address: str, slots: Sequence[bytes], block_number: int) -> AccountProof:
        """EIP-1186. Raises StateDropped when the node has not kept the state of that block."""


class DocumentStore(Protocol):
    """Keeps opaque bytes under their CID (docs/protocol.md section 5). What is put is durable when the call returns. A
    damaged copy is mended by deleting and putting it. All raise DocumentStoreUnavailable."""

    name: str

    def put(self, data: bytes) -> str:
        """Store and return the CID, computed here. Idempotent. Raises DocumentCorrupt (the store has another CID)."""

    def put_stream(self, pieces: Iterable[bytes]) -> str:
        """As `put`, for a document of any size in pieces of any size, in constant memory."""

    def put_many(self, documents: Iterable[bytes]) -> list[str]:
        """As `put`, for many documents: their CIDs in order. What was stored before an error stays."""

    def get(self, cid: str, size_limit: int) -> bytes:
        """The bytes, checked against the CID. Raises DocumentMissing, DocumentCorrupt, TooLarge."""

    def read(self, cid: str, size_limit: int) -> Iterator[bytes]:
        """As `get`, in constant memory: pieces of at most 2 MiB, each checked before it is yielded."""

    def has(self, cid: str) -> bool:
        """Whether it is there. Its bytes are checked by `get` and `read` only."""

    def cids(self) -> Iterator[str]:
        """Every document that is kept, once, in no order."""

    def delete(self, cid: str) -> None:
        """Keep a document no longer, and let its bytes go. Idempotent."""


class ReplicatedDocuments(DocumentStore, Protocol):
    """A document store of several copies. What is put is durable in the office's own copy when the call returns."""

    def below_quorum(self, cids: Iterable[str]) -> list[str]:
        """Which of these are not on enough nodes yet: an application with them waits."""


class Clock(Protocol):
    def now(self) -> int:
        """Seconds since 1970. Decides no fact of a record: block time does."""


class RecordStore(ArchiveStore, CustodyStore, TransactionStore, Protocol):
    """The database. Every method is one transaction: it happens wholly and durably, or not at all.
    All raise StoreUnavailable when the database is locked, full or gone."""

    def add_application(
        self,
        application: Application,
        contents: Iterable[StoredContent],
        documents: Iterable[StoredDocument],
        idempotency_key: str,
        body_digest: bytes,
        keep: Callable[[], None] | None = None,
    ) -> Application:
        """Accept an application with the contents and documents that it brings. The same key with the same body
        digest returns the application accepted the first time (also when called ten times at once); another digest
        raises IdempotencyMismatch. `keep` is called for what is accepted now, before it is: what it raises undoes it,
        and of two that it was called for with one key the later one is accepted."""

    def accepted_before(self, idempotency_key: str, body_digest: bytes) -> Application | None:
        """The application accepted under this key, if any. Raises IdempotencyMismatch as add_application."""

    def application(self, application_id: str) -> Application:
        """Raises NotFound."""

    def applications(self, state: ApplicationState, limit: int = 100) -> list[Application]:
        """Oldest first."""

    def application_ids(self, state: ApplicationState, limit: int = 100) -> list[str]:
        """Oldest first; what they hold may be much."""

    def move(self, application_id: str, expected: ApplicationState, to: ApplicationState, reason: str = "") -> None:
        """Change an application's state. Raises Conflict when its state is not `expected`."""

    def add_approval(self, application_id: str, approval: Approval, keep: Callable[[], None] | None = None) -> None:
        """Adding the same signer and role again replaces nothing and is no error. Raises NotFound. `keep` is called
        before a new one is saved, as in add_application."""

    def approvals(self, application_id: str) -> list[Approval]:
        """Ascending by signer."""

    def add_entries(
        self,
        register: str,
        after: Followed | None,
        last: Followed,
        entries: Iterable[RecordedEntry],
        revealed: Mapping[bytes, Any],
    ) -> None:
        """Save what the chain recorded behind the cursor `after` up to and including the block `last`, in the order of
        the log, with what it revealed (commitment → JSON), and move the register's cursor there, all together. Raises
        Conflict when the cursor is elsewhere, because another follower was quicker, and when an entry is there."""

    def followed(self, register: str) -> Followed | None:
        """The last block followed with its hash, or None."""

    def cursor(self, register: str) -> int | None:
        """The number of the last block followed, or None."""

    def newest(self, register: str, record_ids: Collection[bytes]) -> Mapping[bytes, bytes]:
        """The words of the newest entry of each of these records that has one."""

    def history(self, register: str, record_id: bytes) -> list[RecordedEntry]:
        """Oldest first; empty when nothing was recorded."""

    def histories(self, register: str, record_ids: Iterable[bytes]) -> dict[bytes, list[RecordedEntry]]:
        """The same of many records; one of which nothing was recorded is left out."""

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

    def waiting(self) -> dict[ApplicationState, Waiting]:
        """Of the states in which an application waits, or has failed: those in which any are."""

    def schema(self) -> tuple[str, str]:
        """The version of the database's schema, and the one that this program is written for."""
