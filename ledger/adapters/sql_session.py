"""Transactions of a record store: each happens wholly and durably, or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Row, Select, TextClause

from ledger.adapters.sql_engine import open_engine, own_errors, reading


class SqlSession:
    """What every part of the store begins with. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._reading = reading(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with own_errors(), self._engine.begin() as connection:
            yield connection

    def one(self, query: Select[Any]) -> Row[Any] | None:
        with own_errors(), self._reading.begin() as connection:
            return connection.execute(query).first()

    def all(self, query: Select[Any] | TextClause, values: Mapping[str, Any] | None = None) -> list[Row[Any]]:
        with own_errors(), self._reading.begin() as connection:
            return list(connection.execute(query, values))

    def stream(self, query: Select[Any] | TextClause) -> Iterator[Row[Any]]:
        with own_errors(), self._reading.begin() as connection:
            yield from connection.execution_options(yield_per=1_000).execute(query)
