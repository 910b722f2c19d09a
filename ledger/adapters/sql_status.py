"""How much waits in the database, and since when."""

from __future__ import annotations

from typing import get_args

from sqlalchemy import column, func, select, table

from ledger.adapters.sql_engine import newest_schema
from ledger.adapters.sql_rows import NOW
from ledger.adapters.sql_session import SqlSession
from ledger.adapters.sql_tables import applications, carried, leases, transactions
from ledger.model import ApplicationState, Lease, Nonces, Waiting

_ENDED = ("certified", "refused")
_WAITING = [state for state in get_args(ApplicationState) if state not in _ENDED]
_SINCE = func.coalesce(applications.c.changed, applications.c.created)
_VERSIONS = table("alembic_version", column("version_num"))


class SqlStatus(SqlSession):
    """See ledger.ports.RecordStore."""

    def leases(self) -> list[Lease]:
        left = leases.c.expires - NOW[self._engine.dialect.name]
        rows = self.all(select(leases.c.name, leases.c.holder, left.label("seconds")).order_by(leases.c.name))
        return [Lease(row.name, row.holder, row.seconds) for row in rows]

    def waiting(self) -> dict[ApplicationState, Waiting]:
        state = applications.c.state
        query = select(state, func.count().label("number"), func.min(_SINCE).label("since"))
        rows = self.all(query.where(state.in_(_WAITING)).group_by(state))
        return {row.state: Waiting(row.number, row.since) for row in rows}

    def nonces(self, sender: str) -> Nonces:
        of_sender, state, nonce = transactions.c.sender == sender, transactions.c.state, transactions.c.nonce
        counts = select(state, func.count().label("number")).where(of_sender, state.in_(("signed", "sent", "included")))
        found = {row.state: row.number for row in self.all(counts.group_by(state))}
        highest = self.one(select(nonce).where(of_sender).order_by(nonce.desc()).limit(1))
        first = (carried.c.transaction_number == transactions.c.number) & (carried.c.position == 0)
        unmined = select(nonce, _SINCE.label("since")).join(carried, first).join(applications).where(of_sender)
        lowest = self.one(unmined.where(state.in_(("signed", "sent"))).order_by(nonce).limit(1))
        return Nonces(
            **found,
            highest=highest.nonce if highest else None,
            lowest_unmined=lowest.nonce if lowest else None,
            since=lowest.since if lowest else None,
        )

    def schema(self) -> tuple[str, str]:
        row = self.one(select(_VERSIONS))
        return row.version_num if row else "", newest_schema()
