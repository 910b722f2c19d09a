"""Transactions with their attempts and nonces, and leases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, insert, or_, select, update

from ledger.adapters.sql_engine import take_turns
from ledger.adapters.sql_rows import NOW, add_once, inserting, matches
from ledger.adapters.sql_session import SqlSession
from ledger.adapters.sql_tables import applications, attempts, carried, leases, transactions
from ledger.errors import Conflict, LeaseTaken, NotFound
from ledger.model import ApplicationState
from ledger.transaction import Attempt, AttemptState, Transaction

OPEN: Sequence[AttemptState] = ("signed", "sent", "included")


class SqlTransactions(SqlSession):
    """See ledger.ports.RecordStore."""

    def add_transaction(
        self, application_ids: Sequence[str], sender: str, at_least: int, sign: Callable[[int], Attempt]
    ) -> Transaction:
        approved = select(applications.c.id).where(applications.c.id.in_(application_ids))
        approved = approved.where(applications.c.state == "approved").order_by(applications.c.number)
        with self.transaction() as connection:
            # Whoever is signing one already will have moved it: to wait for him would be for nothing.
            free = connection.execute(approved.with_for_update(skip_locked=True, key_share=True)).all()
            if len(free) < len(application_ids):
                raise Conflict("An application is not approved, or another worker is signing it.")
            take_turns(connection, f"nonces of {sender}")
            attempt = sign(nonce := _lowest_free(connection, sender, at_least))
            transaction = Transaction(sender, nonce, tuple(application_ids), (attempt,))
            row = {"sender": sender, "nonce": nonce, "state": transaction.state}
            added = connection.execute(insert(transactions).returning(transactions.c.number), row)
            number = added.scalar_one()
            _add_attempt(connection, number, attempt)
            rows = [{"position": i, "application_id": name} for i, name in enumerate(application_ids)]
            connection.execute(insert(carried), [{**row, "transaction_number": number} for row in rows])
            _move_all(connection, transaction, "signed", "")
        return transaction

    def add_attempt(self, transaction: Transaction, attempt: Attempt) -> Transaction:
        with self.transaction() as connection:
            number = _locked(connection, transaction)
            after = Transaction(
                transaction.sender, transaction.nonce, transaction.applications, (*transaction.attempts, attempt)
            )
            _add_attempt(connection, number, attempt)
            connection.execute(_of(number).values(state=after.state))
        return after

    def update_transaction(
        self, before: Transaction, after: Transaction, application_state: ApplicationState, reason: str = ""
    ) -> None:
        with self.transaction() as connection:
            connection.execute(_of(_locked(connection, before)).values(state=after.state))
            for attempt in after.attempts:
                changed = {name: getattr(attempt, name) for name in ("state", "block_number", "block_hash")}
                connection.execute(update(attempts).where(attempts.c.hash == attempt.hash).values(**changed))
            _move_all(connection, after, application_state, reason)

    def transactions(self, state: AttemptState, limit: int = 100) -> list[Transaction]:
        return self._found(select(transactions).where(transactions.c.state == state).limit(limit))

    def open_transactions(self, sender: str) -> list[Transaction]:
        is_open = (transactions.c.sender == sender, transactions.c.state.in_(OPEN))
        return self._found(select(transactions).where(*is_open))

    def open_senders(self) -> list[str]:
        senders = select(transactions.c.sender).where(transactions.c.state.in_(OPEN)).distinct()
        return [row.sender for row in self.all(senders.order_by(transactions.c.sender))]

    def highest_nonce(self, sender: str) -> int | None:
        row = self.one(select(func.max(transactions.c.nonce)).where(transactions.c.sender == sender))
        return None if row is None else row[0]

    def transaction_of(self, application_id: str) -> Transaction | None:
        return next(reversed(self.carrying(application_id)), None)

    def transaction_with(self, attempt_hash: bytes) -> Transaction | None:
        number = select(attempts.c.transaction_number).where(attempts.c.hash == attempt_hash)
        return next(iter(self._found(select(transactions).where(transactions.c.number.in_(number)))), None)

    def carrying(self, application_id: str) -> list[Transaction]:
        """All transactions of an application, oldest first."""
        numbers = select(carried.c.transaction_number).where(carried.c.application_id == application_id)
        return self._found(select(transactions).where(transactions.c.number.in_(numbers)), "number")

    def reverted(self, application_ids: Sequence[str]) -> Mapping[str, int]:
        of_ids = (carried.c.application_id.in_(application_ids), transactions.c.state == "failed")
        query = select(carried.c.application_id, func.count().label("times")).join(transactions).where(*of_ids)
        return {row.application_id: row.times for row in self.all(query.group_by(carried.c.application_id))}

    def _found(self, query: Select[Any], order: str = "nonce") -> list[Transaction]:
        rows = self.all(query.order_by(transactions.c[order]))
        numbers = [row.number for row in rows]
        signed, ids = defaultdict(list), defaultdict(list)
        ordered = select(attempts).where(attempts.c.transaction_number.in_(numbers))
        # A later attempt offers more of both fees than all before it.
        for row in self.all(ordered.order_by(attempts.c.max_fee)):
            values = {name: value for name, value in row._mapping.items() if name != "transaction_number"}
            signed[row.transaction_number].append(Attempt(**values))
        for row in self.all(
            select(carried).where(carried.c.transaction_number.in_(numbers)).order_by(carried.c.position)
        ):
            ids[row.transaction_number].append(row.application_id)
        return [Transaction(row.sender, row.nonce, tuple(ids[row.number]), tuple(signed[row.number])) for row in rows]

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


def restore_transaction(connection: Connection, transaction: Transaction, application_id: str) -> None:
    """Add a transaction of an application that is there again. Those it carries beside it come with their own."""
    key = {"sender": transaction.sender, "nonce": transaction.nonce}
    added = inserting(connection, transactions).values(**key, state=transaction.state)
    connection.execute(added.on_conflict_do_nothing(index_elements=list(key)))
    number = connection.execute(select(transactions.c.number).where(*matches(transactions, key))).scalar_one()
    add_once(connection, attempts, [{**vars(item), "transaction_number": number} for item in transaction.attempts])
    position = transaction.applications.index(application_id)
    row = {"transaction_number": number, "position": position, "application_id": application_id}
    add_once(connection, carried, [row])


def _lowest_free(connection: Connection, sender: str, at_least: int) -> int:
    used = select(transactions.c.nonce).where(transactions.c.sender == sender, transactions.c.nonce >= at_least)
    nonce = at_least
    for (taken,) in connection.execute(used.order_by(transactions.c.nonce)):
        if taken > nonce:
            break
        nonce = taken + 1
    return nonce


def _add_attempt(connection: Connection, number: int, attempt: Attempt) -> None:
    connection.execute(insert(attempts), {**vars(attempt), "transaction_number": number})


def _of(number: int) -> Any:
    return update(transactions).where(transactions.c.number == number)


def _locked(connection: Connection, transaction: Transaction) -> int:
    """The number of a transaction that is as it was read. Raises NotFound, Conflict."""
    where = (transactions.c.sender == transaction.sender, transactions.c.nonce == transaction.nonce)
    found = connection.execute(select(transactions).where(*where).with_for_update()).first()
    if found is None:
        raise NotFound(f"There is no transaction {transaction.nonce} of {transaction.sender}.")
    if found.state != transaction.state:
        raise Conflict(f"Transaction {transaction.nonce} of {transaction.sender} is {found.state} by now.")
    return int(found.number)


def _move_all(connection: Connection, transaction: Transaction, state: str, reason: str) -> None:
    where = applications.c.id.in_(transaction.applications)
    connection.execute(update(applications).where(where).values(state=state, reason=reason))
