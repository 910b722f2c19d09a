"""What a register's content may hold: the fields of its schema and how each is checked."""

from __future__ import annotations

import re
import unicodedata
from calendar import timegm
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from ledger.errors import BadInput

Check = Callable[[str], str | None]


def text(limit: int) -> Check:
    """Up to `limit` characters in NFC, no control characters."""

    def check(value: str) -> str | None:
        if not value.strip() or len(value) > limit:
            return f"expected 1 to {limit} characters"
        # What is printable has no control character; only what is not is looked at letter by letter.
        controls = not value.isprintable() and any(unicodedata.category(c)[0] == "C" for c in value)
        if controls or not unicodedata.is_normalized("NFC", value):
            return "expected plain text in Unicode NFC without control characters"
        return None

    return check


def pattern(regex: str, wanted: str) -> Check:
    """A full match of `regex`; `wanted` says in words what was expected."""
    compiled = re.compile(regex)
    return lambda value: None if compiled.fullmatch(value) else f"expected {wanted}"


def iso_date(value: str) -> str | None:
    """A day of the calendar, YYYY-MM-DD (RFC 3339 full-date)."""
    try:
        return None if date.fromisoformat(value).isoformat() == value else "expected a date YYYY-MM-DD"
    except ValueError:
        return "expected a date YYYY-MM-DD"


def end_of_day(day: str) -> int:
    """The first second after a day (UTC), in seconds since 1970. Expects the form that `iso_date` checks."""
    return timegm(date.fromisoformat(day).timetuple()) + 86400


@dataclass(frozen=True)
class ContentField:
    """`mandatory` fields may not be withheld from a certificate; `optional` ones may be left out of the content. By
    `identifying` ones it is found what is held about a person."""

    name: str
    check: Check
    mandatory: bool = False
    optional: bool = False
    identifying: bool = False


@dataclass(frozen=True)
class Schema:
    """`id` is the value of the content's own field "schema". `document`: whether a PDF belongs to the content, which
    the field "document", the only one that is an object, then describes."""

    id: str
    fields: tuple[ContentField, ...]
    document: bool = False

    @cached_property
    def mandatory(self) -> frozenset[str]:
        return frozenset({"schema"} | {field.name for field in self.fields if field.mandatory})

    @cached_property
    def identifying(self) -> frozenset[str]:
        return frozenset(field.name for field in self.fields if field.identifying)

    @cached_property
    def _known(self) -> Mapping[str, ContentField]:
        return {field.name: field for field in self.fields}

    def validate(self, values: Mapping[str, Any]) -> None:
        """Check the strings an applicant gave: all but "document", "schema" if they like. Raises BadInput naming the
        field, never its value."""
        for problem in self.problems(values):
            raise problem

    def problems(self, values: Mapping[str, Any]) -> Iterator[BadInput]:
        """All that `validate` would find, the first first."""
        if values.get("schema", self.id) != self.id:
            yield BadInput(f"The field schema is not {self.id}.", "Leave it out, or correct it.", "/fields/schema")
        known = self._known
        if unknown := sorted(values.keys() - known.keys() - {"schema"}):
            names = ", ".join(sorted(known))
            yield BadInput(f"{unknown[0][:60]!r} is not a field of {self.id}.", f"Its fields are: {names}.", "/fields")
        for name, field in known.items():
            if name in values:
                yield from self._field_problems(field, name, values[name])
            elif not field.optional:
                yield BadInput(f"The field {name} is missing.", f"{self.id} needs it.", f"/fields/{name}")

    def validate_disclosed(self, values: Mapping[str, Any]) -> None:
        """Check the strings that a certificate discloses; what it withholds is not asked for. Raises BadInput."""
        for name, value in values.items():
            if name not in self._known:
                raise BadInput(f"{name[:60]!r} is not a field of {self.id}.", "", f"/fields/{name}")
            for problem in self._field_problems(self._known[name], name, value):
                raise problem

    def _field_problems(self, field: ContentField, name: str, value: object) -> Iterator[BadInput]:
        pointer = f"/fields/{name}"
        if not isinstance(value, str):
            yield BadInput(f"The field {name} must be a string.", "", pointer)
        elif problem := field.check(value):
            yield BadInput(f"The field {name} is not right: {problem}.", "", pointer)
