"""Where the rows of a database are not what chain and key ring say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from ledger.encoding import to_hex
from ledger.model import Finding

# What a cell of another form brings us to.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RuntimeError)


def compared_rows(
    table: str, keys: tuple[str, ...], of_it: str, expected: Iterable[Any], actual: Iterable[Any]
) -> Iterator[Finding]:
    """Where rows of the database, as dataclasses with these keys, are not those that are expected; `of_it` is added to
    the key that is named."""
    wanted, found = ({tuple(getattr(row, k) for k in keys): row for row in rows} for rows in (expected, actual))
    for cells in sorted({**wanted, **found}, key=repr):
        named = zip(keys, cells, strict=True)
        key = " ".join([*(f"{k}={to_hex(v) if isinstance(v, bytes) else v}" for k, v in named), *of_it.split()])
        if cells not in found:
            yield Finding(table, key, "", "the key ring or the chain holds it, and the row is missing")
        elif cells not in wanted:
            yield Finding(table, key, "", "neither the key ring nor the chain knows it")
        else:
            for column in different(wanted[cells], found[cells]):
                yield Finding(table, key, column, "it is not what the key ring and the chain say")


def different(one: Any, other: Any, but: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> list[str]:
    """The members in which two of one dataclass differ."""
    names = only or [field.name for field in fields(one) if field.name not in but]
    return [name for name in names if getattr(one, name) != getattr(other, name)]
