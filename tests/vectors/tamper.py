"""How a genuine file is tampered with: at a JSON pointer whose parts may also be a negative index or a field's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Tamper = Callable[[Any], Any]


@dataclass(frozen=True)
class Forgery:
    """One thing done to the genuine file `base`, and the outcome of the check that must refuse it."""

    name: str
    base: str
    tamper: Tamper
    outcome: str = "failed"
    trust: str | None = "trust"
    document: str | None = None
    block_hashes: Mapping[int, bytes] | None = None


def put(pointer: str, value: Any) -> Tamper:
    """Set or add a member."""

    def tamper(file: Any) -> None:
        parent, key = _find(file, pointer)
        parent[key] = value

    return tamper


def drop(pointer: str) -> Tamper:
    def tamper(file: Any) -> None:
        parent, key = _find(file, pointer)
        del parent[key]

    return tamper


def change(pointer: str, how: Callable[[Any], Any]) -> Tamper:
    """Replace what is there by what `how` makes of it."""

    def tamper(file: Any) -> None:
        parent, key = _find(file, pointer)
        parent[key] = how(parent[key])

    return tamper


def every(*tampers: Tamper) -> Tamper:
    def tamper(file: Any) -> None:
        for one in tampers:
            one(file)

    return tamper


SAME = every()  # what differs is what the file is checked against


def last_digit(text: str) -> str:
    """Another last hex digit."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def swap(first: str, second: str) -> Tamper:
    def tamper(file: Any) -> None:
        (parent, key), (other, other_key) = _find(file, first), _find(file, second)
        parent[key], other[other_key] = other[other_key], parent[key]

    return tamper


def get(file: Any, pointer: str) -> Any:
    parent, key = _find(file, pointer)
    return parent[key]


def _find(file: Any, pointer: str) -> tuple[Any, Any]:
    *parts, last = pointer.split("/")[1:]
    for part in parts:
        file = file[_key(file, part)]
    return file, _key(file, last)


def _key(node: Any, part: str) -> Any:
    if isinstance(node, dict):
        return part
    if part.lstrip("-").isdigit():
        return int(part)
    return next(i for i, item in enumerate(node) if item["name"] == part)
