"""Legal holds."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, insert, select, update

from ledger.adapters.sql_engine import take_turns
from ledger.adapters.sql_rows import matches
from ledger.adapters.sql_session import SqlSession
from ledger.adapters.sql_tables import holds
from ledger.encoding import to_hex
from ledger.errors import Conflict, Refused
from ledger.model import Hold


class SqlHolds(SqlSession):
    """See ledger.ports.RecordStore."""

    def place_hold(self, hold: Hold) -> None:
        with self.transaction() as connection:
            take_turns(connection, "holds and erasures")
            check_free(connection, hold.register, [hold.record_id])
            connection.execute(insert(holds), vars(hold))

    def lift_hold(self, hold: Hold) -> None:
        key = {name: getattr(hold, name) for name in ("register", "record_id", "since")}
        done = {name: getattr(hold, name) for name in ("until", "lifted_by", "lifted")}
        with self.transaction() as connection:
            standing = (*matches(holds, key), holds.c.until.is_(None))
            if not connection.execute(update(holds).where(*standing).values(done)).rowcount:
                raise Conflict("This hold was lifted already.")

    def holds(self, register: str, record_ids: Collection[bytes]) -> list[Hold]:
        query = select(holds).where(holds.c.register == register, holds.c.record_id.in_(record_ids))
        return [Hold(**row._mapping) for row in self.all(query.order_by(holds.c.since))]


def check_free(connection: Connection, register: str, record_ids: Collection[bytes]) -> None:
    """Raises Refused where a hold stands on one of the records."""
    where = (holds.c.register == register, holds.c.record_id.in_(record_ids), holds.c.until.is_(None))
    held = connection.execute(select(holds.c.record_id).where(*where)).first()
    if held:
        raise Refused(f"A legal hold stands on record {to_hex(held.record_id)}.", "It is lifted first, by a registrar.")
