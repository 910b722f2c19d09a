"""The commands of an office: they work on its folder and its chain (settings: ledger/settings.py)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from ledger.certificate import parse_subject
from ledger.encoding import from_hex, to_hex
from ledger.errors import BadInput, NotFound, Unavailable
from ledger.registers import register_of_kind
from ledger.registers.base import Register
from ledger.settings import load_settings
from scripts.cli_print import SignPassword, SignWith, printed, signed
from scripts.cli_verify import end_of
from scripts.files import json_bytes, write_new
from scripts.progress import log_to_stderr

if TYPE_CHECKING:
    from ledger.bootstrap import Office
    from ledger.status import Status

WORDS = {"fine": "fine", "troubled": "troubled", "unknown": "cannot tell"}

Kind = Annotated[str, typer.Argument(help="kind of register, as land")]
Number = Annotated[list[str], typer.Argument(help="the fields that the record's id is made of, as the NIB; or the id")]
Output = Annotated[Path, typer.Option("--out", "-o", help="file to write; never overwritten")]


def devnet(port: Annotated[int, typer.Option(help="port on 127.0.0.1")] = 8545) -> None:
    """Run the local devnet until Ctrl-C. It keeps nothing: stopping it ends its chain."""
    from scripts.devnet import start_hardhat

    with start_hardhat(port):
        typer.echo(f"Devnet on http://127.0.0.1:{port}, chain 31337. Ctrl-C stops it.")
        _wait_for_interrupt()


def deploy() -> None:
    """Deploy the contracts to the devnet and make a demo office: registrars, judges, a relayer, witnesses."""
    from scripts.deploy import deploy_devnet

    settings = load_settings()
    trust = deploy_devnet(settings)
    for trusted in trust.registers:
        typer.echo(f"Deployed {trusted.kind:12} {trusted.name}")
    typer.echo(f"The office is in {settings.data}.")


def approve(
    application: Annotated[str, typer.Argument(help="application id")],
    keystore: Annotated[Path, typer.Option(help="keystore of the signer")],
    role: Annotated[str, typer.Option(help="one of those that `status` says it waits for")] = "registrar",
    password: Annotated[str, typer.Option(envvar="KHALAYAK_KEYSTORE_PASSWORD", help="of the keystore")] = "",  # nosec B107 - empty: the office's
) -> None:
    """Sign an application with a keystore."""
    from wallet.signer import LocalSigner

    with open_office() as office:
        signer = LocalSigner.from_keystore(keystore, password or office.settings.password)
        data = office.applications.typed_data(office.store.application(application))
        office.applications.approve(application, signer.sign_typed(data), signer.address, role)
        print_application(office, application)


def run() -> None:
    """Publish, follow and certify until nothing more can be done now (`make up` does this by itself)."""
    with open_office() as office:
        if office.closed:
            raise office.closed
        for _ in range(600):
            office.run_once()
            if not any(office.store.applications(s, 1) for s in ("approved", "signed", "sent", "included", "final")):
                office.let_go()
                return
            time.sleep(0.2)
        raise Unavailable("Some applications are not certified yet.", "See `khalayak status ID`, and run it again.")


def serve(
    listen: Annotated[str, typer.Option(help="address and port of the API and the pages")] = "127.0.0.1:8000",
    worker: Annotated[bool, typer.Option(help="also publish, follow and certify")] = True,
) -> None:
    """Serve the office until SIGTERM or Ctrl-C. What has begun is finished; nothing that was accepted is lost."""
    from scripts.serving import serve

    with open_office() as office:
        serve(office, listen, typer.echo, worker=worker)


def status(
    application: Annotated[str, typer.Argument(help="application id; without one, how the office is")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Where an application stands; or how the office is: exit code 0 fine, 1 troubled, 5 cannot tell."""
    if application:
        with open_office() as office:
            print_application(office, application)
        return
    from ledger.bootstrap import open_health

    with open_health(load_settings()) as health:
        found = health.status()
    typer.echo(json.dumps(found.as_json(), indent=2) if as_json else "\n".join(status_lines(found)))
    raise typer.Exit({"fine": 0, "troubled": 1, "unknown": 5}[found.state])


def history(kind: Kind, number: Number, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Every entry of a record, oldest first, as far as the chain is final."""
    with open_office() as office:
        trusted, register = office.trust.register_of_kind(kind), register_of_kind(kind)
        entries = register.history(record_id_of(register, number), office.state(trusted))
        if not entries:
            raise NotFound("Nothing is recorded about this.", "`khalayak absent` proves it.")
        if as_json:
            typer.echo(json.dumps([dict(item.entry) for item in entries]))
            return
        table = Table("seq", "action", "block", "time", "status", "approvers")
        for item in entries:
            entry, action = item.entry, register.actions[item.entry["action"]]
            moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(entry["time"]))
            approvers = ", ".join(a[:10] for a in item.approvers)
            state = register.statuses[entry["status"]]
            table.add_row(str(entry["sequence"]), action, str(item.block_number), moment, state, approvers)
        Console().print(table)


def certificate(
    kind: Kind,
    number: Number,
    out: Output = Path("certificate.json"),
    as_of: Annotated[str, typer.Option(help="a past day YYYY-MM-DD, its end in UTC, or a block number")] = "",
    pdf: Annotated[bool, typer.Option("--pdf", help="a PDF to print, which carries the certificate")] = False,
    sign_with: SignWith = None,
    sign_password: SignPassword = "",  # nosec B107 - empty: the key file has none
) -> None:
    """Write a record's certificate, with all fields and its proof as of the last final block, to a file."""
    with open_office() as office:
        trusted, record_id = office.trust.register_of_kind(kind), record_id_of(register_of_kind(kind), number)
        if as_of:
            made = office.certifier.as_of(trusted, record_id, _block_number(office, as_of))
        else:
            made = office.certifier.newest(trusted, record_id)
        data = json_bytes(made.as_json())
        if pdf:
            data = signed(printed(office, data), sign_with, sign_password)
        elif sign_with:
            raise BadInput("Only a PDF is signed.", "Add --pdf.")
        write_new(out, data)


def absent(kind: Kind, number: Number, out: Output = Path("absent.json")) -> None:
    """Write a proof that nothing was ever recorded about a number."""
    with open_office() as office:
        subject = subject_of(register_of_kind(kind), number)
        write_new(out, json_bytes(office.certifier.absence(kind, subject).as_json()))


@contextmanager
def open_office(*, rebuilding: bool = False) -> Iterator[Office]:
    from ledger.bootstrap import open_office

    log_to_stderr()
    office = open_office(load_settings(), rebuilding=rebuilding)
    try:
        yield office
    finally:
        office.close()


def _block_number(office: Office, moment: str) -> int:
    from ledger.nodes import block_at

    return int(moment) if moment.isdecimal() else block_at(office.chain, end_of(moment)).number


def subject_of(register: Register, number: list[str]) -> dict[str, str]:
    """The fields that a record's id is made of, in their order. Raises BadInput."""
    if len(number) != len(register.subject_fields):
        raise BadInput(f"A {register.kind} record is named by {' and '.join(register.subject_fields)}.")
    return parse_subject(register, dict(zip(register.subject_fields, number, strict=True)))


def record_id_of(register: Register, number: list[str]) -> bytes:
    """The id of the record that is named by its fields, or by itself. Raises BadInput."""
    if len(number) == 1 and re.fullmatch("0x[0-9a-fA-F]{64}", number[0]):
        return from_hex(number[0], 32)
    return register.record_id(subject_of(register, number))


def print_application(office: Office, application_id: str) -> None:
    application = office.store.application(application_id)
    transaction = office.store.transaction_of(application_id)
    typer.echo(f"application   {application.id}")
    typer.echo(f"state         {application.state}{' (' + application.reason + ')' if application.reason else ''}")
    for record in application.payload["records"]:
        typer.echo(f"record        {to_hex(from_hex(record['recordId'], 32))}")
    if application.state == "submitted":
        typer.echo(f"waits for     {', '.join(office.applications.missing(application))}")
    if transaction:
        typer.echo(f"transaction   {to_hex(transaction.hash)} in block {transaction.block_number or 'none yet'}")


def status_lines(found: Status) -> Iterator[str]:
    """One line a part, its figures and obstacles below it."""
    for part in found.parts:
        yield f"{part.name:12} {WORDS[part.state]}"
        for obstacle in part.obstacles:
            yield f"  {obstacle.name}: {obstacle.reason}"
        for name, value in part.figures.items():
            yield f"  {name:16} {json.dumps(value) if isinstance(value, dict | list) else value}"


def _wait_for_interrupt() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        typer.echo("Stopped.")


COMMANDS = (devnet, deploy, approve, run, serve, status, history, certificate, absent)
