"""`khalayak apply KIND ACTION`: a command for each action of each register, made from the action's form."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.encoding import parse_json
from ledger.errors import BadInput
from ledger.registers import REGISTERS
from ledger.registers.base import Register
from ledger.registers.forms import Form, parse_change
from scripts.cli_office import open_office, print_application
from scripts.cli_verify import read

MAX_FIELDS_BYTES = 8_000_000


def commands() -> typer.Typer:
    """One group a register, one command an action."""
    root = typer.Typer(help="Apply for a change of a register.", no_args_is_help=True)
    for register in REGISTERS.values():
        group = typer.Typer(help=f"The register of {register.kind}.", no_args_is_help=True)
        for action, form in register.forms.items():
            group.command(action, help=f"Apply to {form.summary}.")(_command(register, action, form))
        root.add_typer(group, name=register.kind)
    return root


def _command(register: Register, action: str, form: Form) -> Any:
    def apply(key: str, **given: Any) -> None:
        value: dict[str, Any] = {name: given[name] for name in form.asks}
        value["subjects"] = _subjects(register, given)
        value["records"] = _records(form, given)
        change = parse_change(action, value, [read(path) for path in given.get("document", [])])
        with open_office() as office:
            receipt = office.applications.submit(register.kind, change, key)
            print_application(office, receipt.application.id)
            typer.echo(f"access token  {receipt.access_token}")

    apply.__signature__ = inspect.Signature(_parameters(register, form))  # type: ignore[attr-defined]
    return apply


def _parameters(register: Register, form: Form) -> list[inspect.Parameter]:
    """The options of an action, as its form asks for them."""
    options: list[tuple[str, Any, Any]] = []
    if form.subjects[1]:
        for name in register.subject_fields:
            options.append((name, list[str], typer.Option(_flag(name), help="of the record; repeat it for several")))
    if form.records[1]:
        options.append(("fields", Path, typer.Option(help="JSON: the fields of the record, or a list of them")))
        if register.schema.document:
            options.append(("document", list[Path], typer.Option(help="a PDF; repeat it, one a record, in order")))
            options.append(("reader", list[str], typer.Option(help="the holder's X25519 public key; repeat likewise")))
    if form.holders:
        options.append(("holder", list[str], typer.Option(help="address, fresh for this record; repeat, one a record")))
    options += [(name, str, typer.Option(_flag(name))) for name in form.asks]
    options.append(("key", str, typer.Option(help="idempotency key: the same key never applies twice")))
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=[] if name == "reader" else inspect.Parameter.empty,
            annotation=Annotated[kind, option],
        )
        for name, kind, option in options
    ]


def _flag(name: str) -> str:
    return "--" + "".join(f"-{c.lower()}" if c.isupper() else c for c in name)


def _subjects(register: Register, given: dict[str, Any]) -> list[dict[str, str]]:
    columns = [given.get(name, []) for name in register.subject_fields]
    if len({len(column) for column in columns}) > 1:
        raise BadInput(f"Give {' and '.join(register.subject_fields)} once for each record.")
    return [dict(zip(register.subject_fields, row, strict=True)) for row in zip(*columns, strict=True)]


def _records(form: Form, given: dict[str, Any]) -> list[dict[str, Any]]:
    if "fields" not in given:
        return []
    value = parse_json(read(given["fields"]), MAX_FIELDS_BYTES, "The fields file")
    records = [{"fields": item} for item in (value if isinstance(value, list) else [value])]
    for name, needed in (("holder", form.holders), ("reader", False)):
        items = given.get(name, [])
        if (needed or items) and len(items) != len(records):
            hint = "Give one a record."
            raise BadInput(f"{len(items)} {name}s are given for {len(records)} records.", hint, f"/{name}")
        for record, item in zip(records, items, strict=False):
            record[name] = item
    return records
