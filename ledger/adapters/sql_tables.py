"""The tables, as the migrations create them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

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
    Index("applications_by_state", "state", "number"),
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
    Index("contents_by_record", "record_id"),
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

entries = Table(
    "entries",
    metadata,
    Column("register", String(100), primary_key=True),
    Column("record_id", LargeBinary(32), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("entry", Text, nullable=False),
    Column("approvers", Text, nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("log_index", BigInteger, nullable=False),
    Column("transaction_hash", LargeBinary(32), nullable=False),
    Column("holder", String(42)),
    Column("action", Integer, nullable=False),
    Column("time", BigInteger, nullable=False),
    Index("entries_by_place", "register", "block_number", "log_index"),
    Index("entries_by_holder", "register", "holder", "block_number", "log_index"),
    Index("entries_by_action", "register", "action", "block_number", "log_index"),
    Index("entries_by_time", "register", "time", "block_number"),
)

entry_approvers = Table(
    "entry_approvers",
    metadata,
    Column("register", String(100), primary_key=True),
    Column("approver", String(42), primary_key=True),
    Column("block_number", BigInteger, primary_key=True),
    Column("log_index", BigInteger, primary_key=True),
    Column("holder", String(42)),
    Column("action", Integer, nullable=False),
)

cursors = Table(
    "cursors",
    metadata,
    Column("register", String(100), primary_key=True),
    Column("block_number", BigInteger, nullable=False),
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

leases = Table(
    "leases",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("expires", BigInteger, nullable=False),
)
