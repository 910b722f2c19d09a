"""The plain values that pass between registers, services and ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from ledger.encoding import from_hex, keccak256
from ledger.entries import json_of
from ledger.transaction import Transaction

ApplicationState = Literal[
    "submitted", "approved", "signed", "sent", "included", "final", "certified", "refused", "failed"
]
ENDED: tuple[ApplicationState, ...] = ("certified", "failed", "refused")  # nothing more becomes of it
BlockTag = Literal["latest", "finalized"]


@dataclass(frozen=True)
class Block:
    """A block header. `time` is in seconds since 1970; `header` is its RLP, whose keccak256 is `hash`."""

    number: int
    hash: bytes
    time: int
    header: bytes


class Log(NamedTuple):
    """One event log. `address` is checksummed, topics are 32 bytes each."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int


@dataclass(frozen=True)
class Receipt:
    block_number: int
    block_hash: bytes
    succeeded: bool


@dataclass(frozen=True)
class Fees:
    """EIP-1559 fees in wei a gas: what the node advises, and the base fee of the next block."""

    max_fee: int
    priority_fee: int
    base_fee: int


@dataclass(frozen=True)
class AccountProof:
    """EIP-1186 proof nodes, root first: of the account, and of each storage slot asked for, in the order asked."""

    account: tuple[bytes, ...]
    slots: tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True)
class Application:
    """A request to change a register. `payload` is the register's own JSON (see ledger/registers/): `deadline` (unix
    seconds), `records` (a list of objects with recordId and digest as 0x-hex) and what else is signed. `access_digest`
    is SHA-256 of the applicant's access token."""

    id: str
    register: str
    action: str
    payload: Mapping[str, Any]
    state: ApplicationState
    created: int
    access_digest: bytes
    reason: str = ""

    @property
    def record_ids(self) -> list[bytes]:
        """Of the records that it brings or changes."""
        records = [*self.payload["records"], *self.payload.get("parents", [])]
        return [from_hex(record["recordId"], 32) for record in records]

    def moved(self, state: ApplicationState, reason: str = "") -> Application:
        return replace(self, state=state, reason=reason)


@dataclass(frozen=True)
class Approval:
    """One signature over an application's typed data. `role`: see ledger.registers.base.Role. 65 bytes r, s, v."""

    signer: str
    role: str
    signature: bytes


@dataclass(frozen=True)
class StoredContent:
    """A content that an application brings. `fields` are [{"salt", "name", "value"}]."""

    digest: bytes
    record_id: bytes
    fields: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class StoredDocument:
    """A sealed document: CID of the ciphertext, SHA-256 and size in bytes of the plaintext, and the HPKE-wrapped key
    for each reader (reader name → wrap)."""

    cid: str
    sha256: bytes
    size: int
    media_type: str
    wraps: Mapping[str, bytes]


class RecordedEntry(NamedTuple):
    """An entry as the chain recorded it. `words` are its ABI encoding, whose keccak256 is the head, and `layout` says
    what they are (ledger.entries.layout_of). Approvers ascend."""

    record_id: bytes
    layout: str
    words: bytes
    approvers: tuple[str, ...]
    block_number: int
    log_index: int
    transaction_hash: bytes

    @property
    def entry(self) -> dict[str, Any]:
        """Its JSON form, made when it is asked for."""
        return json_of(self.layout, self.words)

    @property
    def head(self) -> bytes:
        return keccak256(self.words)


class Followed(NamedTuple):
    """The last block that was read of a register. A database of an earlier version does not know its hash."""

    number: int
    hash: bytes | None


MAX_LOG_INDEX = (1 << 20) - 1  # in a block; more than any chain in use has gas for


class Place(NamedTuple):
    """Where an entry stands in the order of its register's log."""

    block_number: int
    log_index: int


@dataclass(frozen=True)
class HeldContent:
    """A content as it lies in the database: of which register and record, its `fields` (none when it was erased), and
    when and by which application it came."""

    digest: bytes
    register: str
    record_id: bytes
    fields: Sequence[Mapping[str, Any]]
    application_id: str
    created: int


@dataclass(frozen=True)
class Tombstone:
    """What is left of something erased. `erased` is a record's id, or the digest of one content; `series` the record of
    the erasures register that orders it and `receipt` the leaf in it; `ground` is empty where this office does not know
    the receipt's content. What is still to be done: `purged` says that the database's files have no trace of it either,
    `documents` are the CIDs of sealed documents to let go of, `applications` those whose dossiers tell of it."""

    series: bytes
    register: str
    erased: bytes
    ground: str
    time: int
    receipt: bytes
    documents: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    purged: bool = False


@dataclass(frozen=True)
class Hold:
    """A legal hold on a record: nothing of it is erased from `since` until it is lifted. Both registrars' signatures
    are kept (wallet.typed_data: PlaceHold, LiftHold). Times are in seconds since 1970."""

    register: str
    record_id: bytes
    since: int
    placed_by: str
    placed: bytes
    until: int | None = None
    lifted_by: str | None = None
    lifted: bytes | None = None


@dataclass(frozen=True)
class StoredCertificate:
    """A certificate as it is kept: of a record at a head, the newest having the highest sequence. `file` is its
    canonical JSON."""

    register: str
    record_id: bytes
    sequence: int
    head: bytes
    file: bytes


@dataclass(frozen=True)
class Dossier:
    """All that an office keeps of one application and the chain does not hold."""

    application: Application
    idempotency_key: str
    body_digest: bytes
    contents: Sequence[StoredContent] = ()
    documents: Sequence[StoredDocument] = ()
    approvals: Sequence[Approval] = ()
    transactions: Sequence[Transaction] = ()
    certificates: Sequence[StoredCertificate] = ()


@dataclass(frozen=True)
class Finding:
    """A row that contradicts the chain, a document, a signature or itself; `column` is empty for a whole row. `key`
    names the row by its key, never by a personal value."""

    table: str
    key: str
    column: str
    problem: str


class Waiting(NamedTuple):
    """How many applications are in a state, and since when the first of them has been, in seconds since 1970."""

    number: int
    since: int


class Nonces(NamedTuple):
    """The transactions of one sender: how many are in each state that is not an end, the highest nonce, and the lowest
    that no block holds, with the time in seconds since when it waits."""

    signed: int = 0
    sent: int = 0
    included: int = 0
    highest: int | None = None
    lowest_unmined: int | None = None
    since: int | None = None


class Lease(NamedTuple):
    """`seconds` that its holder still has it; negative since it has run out."""

    name: str
    holder: str
    seconds: int
