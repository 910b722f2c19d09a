"""The tables, as the migrations create them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData()

# Which applications the key ring does not tell of as they are, in the words that the partial index is made with.
UNKEPT = text("kept = 0 OR (kept = 1 AND state IN ('certified', 'failed', 'refused'))")

applications = Table(
    "applications",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("register", String(100), nullable=False),
    Column("action", String(32), nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("access_digest", LargeBinary(32), nullable=False),
    Column("idempotency_key", String(255), nullable=False, unique=True),
    Column("body_digest", LargeBinary(32), nullable=False),
    Column("changed", BigInteger),  # set by a trigger (migration 0006)
    Column("kept", SmallInteger, nullable=False, server_default="0"),
    Index("applications_by_state", "state", "number"),
    Index("applications_to_keep", "number", sqlite_where=UNKEPT, postgresql_where=UNKEPT),
)

approvals = Table(
    "approvals",
    metadata,
    Column("application_id", String(64), ForeignKey("applications.id"), primary_key=True),
    Column("signer", String(42), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("signature", LargeBinary, nullable=False),
)

contents = Table(
    "contents",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("application_id", String(64), ForeignKey("applications.id"), nullable=False),
    Column("fields", Text, nullable=False),
    Column("record_id", LargeBinary(32), nullable=False),
    Column("indexed", Boolean, nullable=False, server_default=false()),
    Index("contents_by_record", "record_id"),
    Index("contents_by_application", "application_id"),
    Index("contents_by_indexed", "indexed"),
)

identifiers = Table(
    "identifiers",
    metadata,
    Column("hmac", LargeBinary(32), primary_key=True),
    Column("digest", LargeBinary(32), ForeignKey("contents.digest"), primary_key=True),
    Index("identifiers_by_digest", "digest"),
)

documents = Table(
    "documents",
    metadata,
    Column("cid", String(100), primary_key=True),
    Column("sha256", LargeBinary(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("wraps", Text, nullable=False),
)

transactions = Table(
    "transactions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("sender", String(42), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    UniqueConstraint("sender", "nonce", name="one_transaction_a_nonce"),
    Index("transactions_by_state", "state", "nonce"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("transaction_number", Integer, ForeignKey("transactions.number"), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("max_fee", BigInteger, nullable=False),
    Column("priority_fee", BigInteger, nullable=False),
    Column("signed_at", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("block_number", BigInteger),
    Column("block_hash", LargeBinary(32)),
    Index("attempts_by_transaction", "transaction_number"),
)

carried = Table(
    "carried",
    metadata,
    Column("transaction_number", Integer, ForeignKey("transactions.number"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("application_id", String(64), ForeignKey("applications.id"), nullable=False),
    Index("carried_by_application", "application_id"),
)

# The register's number, the block and the log in one number (ledger.adapters.sql_places), so that the rows of the next
# tables, and of each of their indexes, lie in the order of the log.
Place = BigInteger().with_variant(Integer, "sqlite")  # SQLite makes it the number of the row

calls = Table(
    "calls",
    metadata,
    Column("place", Place, primary_key=True, autoincrement=False),  # of its first entry
    Column("last_place", BigInteger, nullable=False),
    Column("register", Integer, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("transaction_hash", LargeBinary(32), nullable=False),
    Column("approvers", LargeBinary, nullable=False),
    Index("calls_by_time", "register", "time", "place"),
)

call_approvers = Table(
    "call_approvers",
    metadata,
    Column("approver", LargeBinary(20), primary_key=True),
    Column("call", BigInteger, primary_key=True),
)

entries = Table(
    "entries",
    metadata,
    Column("place", Place, primary_key=True, autoincrement=False),
    Column("register", Integer, nullable=False),
    Column("record_id", LargeBinary(32), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("call", BigInteger, nullable=False),
    Column("action", Integer, nullable=False),
    Column("holder", LargeBinary(20)),
    Column("entry", LargeBinary, nullable=False),
    UniqueConstraint("register", "record_id", "sequence", name="one_entry_a_sequence"),
    Index("entries_by_holder", "holder", "place"),
    Index("entries_by_action", "register", "action", "place"),
)

cursors = Table(
    "cursors",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("register", String(100), nullable=False, unique=True),
    Column("layout", Text, nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("block_hash", LargeBinary(32)),
)

revealed = Table(
    "revealed",
    metadata,
    Column("register", String(100), primary_key=True),
    Column("commitment", LargeBinary(32), primary_key=True),
    Column("value", Text, nullable=False),
)

certificates = Table(
    "certificates",
    metadata,
    Column("register", String(100), primary_key=True),
    Column("record_id", LargeBinary(32), primary_key=True),
    Column("head", LargeBinary(32), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("certificate", Text, nullable=False),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("series", LargeBinary(32), primary_key=True),
    Column("register", String(100), nullable=False),
    Column("erased", LargeBinary(32), nullable=False),
    Column("ground", String(32), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("receipt", LargeBinary(32), nullable=False),
    Column("documents", Text, nullable=False),
    Column("applications", Text, nullable=False),
    Column("purged", Boolean, nullable=False),
    Index("tombstones_by_erased", "register", "erased"),
)

holds = Table(
    "holds",
    metadata,
    Column("register", String(100), primary_key=True),
    Column("record_id", LargeBinary(32), primary_key=True),
    Column("since", BigInteger, primary_key=True),
    Column("placed_by", String(42), nullable=False),
    Column("placed", LargeBinary, nullable=False),
    Column("until", BigInteger),
    Column("lifted_by", String(42)),
    Column("lifted", LargeBinary),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("expires", BigInteger, nullable=False),
)
