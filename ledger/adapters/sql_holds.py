"""Legal holds."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import Connection, insert, select, update

from ledger.adapters.sql_engine import take_turns
from ledger.adapters.sql_rows import inserting, matches
from ledger.adapters.sql_session import SqlSession
from ledger.adapters.sql_tables import holds
from ledger.encoding import to_hex
from ledger.errors import Conflict, Refused
from ledger.model import Hold


class SqlHolds(SqlSession):
    """See ledger.ports.RecordStore."""

    def place_hold(self, hold: Hold, keep: Callable[[], None] | None = None) -> None:
        with self.transaction() as connection:
            take_turns(connection, "holds and erasures")
            check_free(connection, hold.register, [hold.record_id])
            connection.execute(insert(holds), vars(hold))
            if keep:
                keep()

    def lift_hold(self, hold: Hold, keep: Callable[[], None] | None = None) -> None:
        with self.transaction() as connection:
            if not _lift(connection, hold):
                raise Conflict("This hold was lifted already.")
            if keep:
                keep()

    def restore_hold(self, hold: Hold) -> bool:
        with self.transaction() as connection:
            added = inserting(connection, holds).on_conflict_do_nothing().returning(holds.c.since)
            if connection.execute(added, vars(hold)).first():
                return True
            return hold.until is not None and _lift(connection, hold)

    def all_holds(self) -> list[Hold]:
        return [Hold(**row._mapping) for row in self.all(select(holds).order_by(holds.c.since))]

    def holds(self, register: str, record_ids: Collection[bytes]) -> list[Hold]:
        query = select(holds).where(holds.c.register == register, holds.c.record_id.in_(record_ids))
        return [Hold(**row._mapping) for row in self.all(query.order_by(holds.c.since))]


def _lift(connection: Connection, hold: Hold) -> bool:
    """Whether it stood."""
    key = {name: getattr(hold, name) for name in ("register", "record_id", "since")}
    done = {name: getattr(hold, name) for name in ("until", "lifted_by", "lifted")}
    standing = (*matches(holds, key), holds.c.until.is_(None))
    return connection.execute(update(holds).where(*standing).values(done)).rowcount > 0


def check_free(connection: Connection, register: str, record_ids: Collection[bytes]) -> None:
    """Raises Refused where a hold stands on one of the records."""
    where = (holds.c.register == register, holds.c.record_id.in_(record_ids), holds.c.until.is_(None))
    held = connection.execute(select(holds.c.record_id).where(*where)).first()
    if held:
        raise Refused(f"A legal hold stands on record {to_hex(held.record_id)}.", "It is lifted first, by a registrar.")
