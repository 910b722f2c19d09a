"""Signed transactions with their nonces, and leases."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, insert, or_, select, update

from ledger.adapters.sql_applications import move
from ledger.adapters.sql_engine import take_turns
from ledger.adapters.sql_rows import NOW, inserting, matches
from ledger.adapters.sql_session import SqlSession
from ledger.adapters.sql_tables import applications, leases, transactions
from ledger.encoding import keccak256
from ledger.errors import Conflict, LeaseTaken, NotFound
from ledger.model import ApplicationState, Transaction


class SqlTransactions(SqlSession):
    """See ledger.ports.RecordStore."""

    def add_transaction(
        self, application_id: str, sender: str, at_least: int, sign: Callable[[int], bytes]
    ) -> Transaction:
        approved = select(applications.c.id).where(*matches(applications, {"id": application_id, "state": "approved"}))
        highest = select(func.max(transactions.c.nonce)).where(transactions.c.sender == sender)
        with self.transaction() as connection:
            # Whoever is signing it already will have moved it: to wait for him would be for nothing.
            if not connection.execute(approved.with_for_update(skip_locked=True, key_share=True)).first():
                raise Conflict("The application is not approved, or another worker is signing it.")
            take_turns(connection, f"nonces of {sender}")
            used = connection.execute(highest).scalar()
            nonce = at_least if used is None else max(at_least, used + 1)
            raw = sign(nonce)
            transaction = Transaction(keccak256(raw), raw, sender, nonce, application_id, "signed")
            connection.execute(insert(transactions), vars(transaction))
            move(connection, application_id, "approved", "signed", "")
        return transaction

    def transactions(self, state: str, limit: int = 100) -> list[Transaction]:
        query = select(transactions).where(transactions.c.state == state).order_by(transactions.c.nonce).limit(limit)
        return [Transaction(**row._mapping) for row in self.all(query)]

    def highest_nonce(self, sender: str) -> int | None:
        row = self.one(select(func.max(transactions.c.nonce)).where(transactions.c.sender == sender))
        return None if row is None else row[0]

    def update_transaction(
        self, transaction: Transaction, application_state: ApplicationState, reason: str = ""
    ) -> None:
        with self.transaction() as connection:
            changed = {
                "state": transaction.state,
                "block_number": transaction.block_number,
                "block_hash": transaction.block_hash,
            }
            where_hash = transactions.c.hash == transaction.hash
            if not connection.execute(update(transactions).where(where_hash).values(**changed)).rowcount:
                raise NotFound(f"There is no transaction {transaction.hash.hex()}.")
            where = applications.c.id == transaction.application_id
            connection.execute(update(applications).where(where).values(state=application_state, reason=reason))

    def transaction_of(self, application_id: str) -> Transaction | None:
        row = self.one(select(transactions).where(transactions.c.application_id == application_id))
        return Transaction(**row._mapping) if row else None

    def lease(self, name: str, holder: str, seconds: int) -> None:
        with self.transaction() as connection:
            now = NOW[connection.dialect.name]
            taken = inserting(connection, leases).values(name=name, holder=holder, expires=now + seconds)
            free = or_(leases.c.holder == holder, leases.c.expires <= now)
            change = {"holder": taken.excluded.holder, "expires": taken.excluded.expires}
            taken = taken.on_conflict_do_update(index_elements=["name"], set_=change, where=free)
            if connection.execute(taken.returning(leases.c.name)).first() is None:
                other = connection.execute(select(leases.c.holder).where(leases.c.name == name)).scalar()
                raise LeaseTaken(f"{other} has the lease {name}.", "Stop it there, or wait until it lets go.")
