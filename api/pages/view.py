"""A verdict as the result page shows it; `api/static/page.js` does the same for files checked in the browser."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from time import time
from typing import Any

from api.pages import words
from api.pages.advice import ADVICE, Advice
from api.pages.i18n import Language
from ledger.certificate import file_in
from ledger.registers import REGISTERS
from ledger.verdict import State, Verdict

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class AxisView:
    name: str
    state: State
    text: str


@dataclass(frozen=True)
class Result:
    """`state` is that of the worst axis; `fields` (label, value) are shown only where the file proves them; `record` is
    the path of the record's page below the language, where the newest state can be looked up."""

    state: State
    subject: str
    advice: Advice | None
    as_of: str
    axes: tuple[AxisView, ...]
    fields: tuple[tuple[str, str], ...]
    withheld: bool
    checks: tuple[tuple[int, str, str, str], ...]
    record: str


def result(verdict: Verdict, data: bytes, to: Language) -> Result:
    """`data` is the file that the verdict is about."""
    states = [axis.state for axis in verdict.axes.values()]
    state: State = "invalid" if "invalid" in states else "unknown" if "unknown" in states else "valid"
    refusal = verdict.refusal
    proven = verdict.axes["integrity"].state == "valid"
    file: Mapping[str, Any] = json.loads(file_in(data)) if proven else {}
    content = file.get("content", {"fields": [], "size": 0})
    shown = {field["name"]: field["value"] for field in content["fields"]} or file.get("subject", {})
    return Result(
        state=state,
        subject=verdict.subject,
        advice=ADVICE[f"{refusal.number}-{refusal.outcome}"] if refusal else None,
        as_of=_as_of(verdict, to),
        axes=tuple(_axis(verdict, name, to) for name in words.AXES),
        fields=field_rows(shown, to),
        withheld=content["size"] > len(content["fields"]),
        checks=tuple(
            (check.number, words.CHECKS[check.number], check.outcome, check.detail) for check in verdict.checks
        ),
        record=_record(file),
    )


def field_rows(values: Mapping[str, Any], to: Language) -> tuple[tuple[str, str], ...]:
    """Label and value of each field, as a reader of the language writes them."""
    return tuple(
        (to.text(label), _value(name, values[name], to)) for name, label in words.FIELDS.items() if name in values
    )


def words_for_scripts(to: Language) -> dict[str, Any]:
    """What the page's script needs beside its templates to show a verdict in this language."""
    return {
        "reasons": [[pattern, to.text(message)] for pattern, message in words.REASONS],
        "fields": [[name, to.text(label)] for name, label in words.FIELDS.items()],  # in the order to be shown
        "values": {value: to.text(message) for value, message in words.VALUES.items()},
        "numbers": words.NUMBERS,
        "dates": words.DATES,
        "coded": words.CODED,
        "document": to.text(words.DOCUMENT),
        "asOf": to.text(words.AS_OF),
        "records": [kind for kind, register in REGISTERS.items() if not register.in_batches],
    }


def _as_of(verdict: Verdict, to: Language) -> str:
    if verdict.block_number is None or verdict.block_time is None:
        return ""
    block, moment = to.number(verdict.block_number), to.time(verdict.block_time)
    return to.text(words.AS_OF).format(block, moment, to.age(int(time()) - verdict.block_time))


def _axis(verdict: Verdict, name: Any, to: Language) -> AxisView:
    axis = verdict.axes[name]
    reason = words.reason_in_words(axis.reason, to) if name == "status" else None
    return AxisView(name, axis.state, reason or to.text(words.AXIS_TEXTS[f"{name}-{axis.state}"]))


def _value(name: str, value: Any, to: Language) -> str:
    if isinstance(value, dict):
        return to.text(words.DOCUMENT).format(value.get("size"), value.get("sha256"))
    if name in words.CODED:
        return to.text(words.VALUES[value]) if value in words.VALUES else _date(value, to)
    if name in words.NUMBERS:
        return to.number(value)
    return _date(value, to) if name in words.DATES else str(value)


def _date(value: str, to: Language) -> str:
    return to.date(value) if _DATE.fullmatch(value) else value


def _record(file: Mapping[str, Any]) -> str:
    kind = file.get("kind", "")
    if "recordId" not in file or REGISTERS[kind].in_batches:
        return ""
    return f"r/{kind}/{file['recordId']}"
