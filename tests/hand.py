"""Somebody with plain SQL, who changes what is not his."""

from __future__ import annotations

import json
import random
import sqlite3
from typing import Any

from sqlalchemy import Table


def changed(value: Any, dice: random.Random) -> Any:
    """Another value of the same form."""
    if value is None:
        return 7
    if value == "":
        return "x"
    if isinstance(value, int):
        return value + 1_000
    if isinstance(value, bytes):
        place = dice.randrange(len(value))
        return value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
    try:
        read = json.loads(value)
    except ValueError:
        place = dice.randrange(len(value))
        return value[:place] + ("b" if value[place] != "b" else "c") + value[place + 1 :]
    return json.dumps(changed_json(read, dice))


def changed_json(value: Any, dice: random.Random) -> Any:
    if isinstance(value, dict) and value:
        name = dice.choice(sorted(value))
        return value | {name: changed_json(value[name], dice)}
    if isinstance(value, list) and value:
        place = dice.randrange(len(value))
        return [*value[:place], changed_json(value[place], dice), *value[place + 1 :]]
    if isinstance(value, str) and value:
        place = dice.randrange(len(value))
        return value[:place] + ("1" if value[place] != "1" else "2") + value[place + 1 :]
    return value + 1 if isinstance(value, int) else "other"


class Hand:
    """Somebody with SQL. Each row that it takes belongs to another application, so that no finding hides another."""

    def __init__(self, database: sqlite3.Connection, seed: str) -> None:
        database.execute("PRAGMA foreign_keys=OFF")
        self.database, self.dice, self.taken = database, random.Random(seed), set[str]()

    def row(self, table: Table) -> int:
        number = {"transactions": "number", "attempts": "transaction_number"}.get(table.name)
        first = f"(SELECT min(application_id) FROM carried WHERE transaction_number = {table.name}.{number})"
        own = "application_id" if "application_id" in table.columns else first if number else "NULL"
        of = "id" if table.name == "applications" else own
        rows = self.database.execute(f"SELECT rowid, {of} FROM {table.name} ORDER BY rowid").fetchall()
        row, application = self.dice.choice([row for row in rows if row[1] not in self.taken])
        self.taken.add(application or "none")
        return int(row)

    def change(self, table: Table, column: str) -> None:
        row = self.row(table)
        (value,) = self.database.execute(f"SELECT {column} FROM {table.name} WHERE rowid = ?", (row,)).fetchone()
        value = changed(value, self.dice)
        self.database.execute(f"UPDATE {table.name} SET {column} = ? WHERE rowid = ?", (value, row))
