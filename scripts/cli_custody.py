"""`khalayak documents …`: erasing, legal holds, and what a data-protection officer asks."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ledger.encoding import from_hex, to_hex
from ledger.registers import register_of_kind
from ledger.registers.forms import Change, RecordRequest
from scripts.cli_office import Kind, Number, open_office, print_application, record_id_of

if TYPE_CHECKING:
    from ledger.bootstrap import Office
    from ledger.retention import Holding
    from wallet.signer import LocalSigner

Json = Annotated[bool, typer.Option("--json", help="for programs")]
Keystore = Annotated[Path, typer.Option(help="keystore of a registrar")]
Password = Annotated[str, typer.Option(envvar="KHALAYAK_KEYSTORE_PASSWORD", help="of the keystore")]


def erase(
    kind: Kind,
    number: Number,
    ground: Annotated[str, typer.Option(help="legal ground, as consent-withdrawn; see docs/operations.md")],
    content: Annotated[str, typer.Option(help="digest of one content, where not all of the record is to go")] = "",
    key: Annotated[str, typer.Option(help="idempotency key: the same key never applies twice")] = "",
) -> None:
    """Apply to erase what a record says. Two registrars approve it; `khalayak run` carries it out."""
    with open_office() as office:
        erased = from_hex(content, 32, "/content") if content else record_id_of(register_of_kind(kind), number)
        register, today = str(office.trust.register_of_kind(kind).name).lower(), _day(int(time.time()))
        fields = {"register": register, "erased": to_hex(erased), "ground": ground, "date": today}
        change = Change("appendLeaves", [RecordRequest(fields)])
        receipt = office.applications.submit("erasures", change, key or secrets.token_hex(16))
        print_application(office, receipt.application.id)


def hold(kind: Kind, number: Number, keystore: Keystore, password: Password = "") -> None:  # nosec B107 - empty: the office's
    """Place a legal hold on a record: nothing of it is erased until it is lifted."""
    with open_office() as office:
        record_id = record_id_of(register_of_kind(kind), number)
        placed = office.retention.place_hold(kind, record_id, _signer(office, keystore, password))
        typer.echo(f"Held since {_day(placed.since)}: {to_hex(record_id)}, by {placed.placed_by}.")


def lift(kind: Kind, number: Number, keystore: Keystore, password: Password = "") -> None:  # nosec B107 - empty: the office's
    """End the legal hold on a record."""
    with open_office() as office:
        record_id = record_id_of(register_of_kind(kind), number)
        lifted = office.retention.lift_hold(kind, record_id, _signer(office, keystore, password))
        typer.echo(f"Held from {_day(lifted.since)} to {_day(lifted.until)}: {to_hex(record_id)}.")


def due(as_json: Json = False) -> None:
    """What is kept for longer than the policy of the office says."""
    from ledger.retention import Policy

    with open_office() as office:
        _print(office.retention.due(Policy.read(office.settings.retention)), as_json)


def held_about(
    values: Annotated[list[str], typer.Argument(help="a name, and a day of birth to tell namesakes apart")],
    as_json: Json = False,
) -> None:
    """What is held about a person: which records and fields, who can read, until when. No value is shown."""
    from ledger.retention import Policy

    with open_office() as office:
        _print(office.retention.held_about(Policy.read(office.settings.retention), values), as_json)


def _print(holdings: Iterable[Holding], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_plain(holding) for holding in holdings]))
        return
    table = Table("kind", "record", "fields", "documents and readers", "since", "until", "hold")
    for holding in holdings:
        record, documents = to_hex(holding.content.record_id), holding.documents.items()
        readers = "\n".join(f"{cid}: {', '.join(names)}" for cid, names in documents)
        row = (", ".join(holding.fields), readers, _day(holding.content.created), _day(holding.until))
        table.add_row(holding.kind, record, *row, "yes" if holding.on_hold else "")
    Console().print(table)
    typer.echo(f"{table.row_count} content(s).")


def _plain(holding: Holding) -> dict[str, Any]:
    return {
        "kind": holding.kind,
        "recordId": to_hex(holding.content.record_id),
        "digest": to_hex(holding.content.digest),
        "application": holding.content.application_id,
        "fields": holding.fields,
        "documents": {cid: list(readers) for cid, readers in holding.documents.items()},
        "since": holding.content.created,
        "until": holding.until,
        "hold": holding.on_hold,
    }


def _signer(office: Office, keystore: Path, password: str) -> LocalSigner:
    from wallet.signer import LocalSigner

    return LocalSigner.from_keystore(keystore, password or office.settings.password)


def _day(seconds: int | None) -> str:
    return "no end" if seconds is None else time.strftime("%Y-%m-%d", time.gmtime(seconds))


COMMANDS = (erase, hold, lift, due, held_about)
