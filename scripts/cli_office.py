"""The commands of an office: they work on its folder and its chain (settings: ledger/settings.py)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ledger.encoding import from_hex, parse_json, to_hex
from ledger.errors import BadInput, NotFound, Unavailable
from ledger.settings import load_settings
from scripts.cli_verify import read

if TYPE_CHECKING:
    from ledger.bootstrap import Office

Nib = Annotated[str, typer.Argument(help="parcel number (NIB)")]
Output = Annotated[Path, typer.Option("--out", "-o", help="file to write; never overwritten")]


def devnet(port: Annotated[int, typer.Option(help="port on 127.0.0.1")] = 8545) -> None:
    """Run the local devnet until Ctrl-C. It keeps nothing: stopping it ends its chain."""
    from scripts.devnet import start_hardhat

    with start_hardhat(port):
        typer.echo(f"Devnet on http://127.0.0.1:{port}, chain 31337. Ctrl-C stops it.")
        _wait_for_interrupt()


def deploy() -> None:
    """Deploy the contracts to the devnet and make a demo office: three registrars, a relayer, three witnesses."""
    from scripts.deploy import deploy_devnet

    settings = load_settings()
    trust = deploy_devnet(settings)
    typer.echo(f"Deployed {trust.registers[0].name}; the office is in {settings.data}.")


def issue(
    fields: Annotated[Path, typer.Option(help="JSON object with the fields of the title")],
    document: Annotated[Path, typer.Option(help="the deed, a PDF")],
    holder: Annotated[str, typer.Option(help="the holder's address, fresh for this title")],
    key: Annotated[str, typer.Option(help="idempotency key: the same key never issues twice")],
) -> None:
    """Apply for a land title. Prints the application's id and access token."""
    from ledger.applications import RecordRequest

    with _office() as office:
        values = parse_json(read(fields), 1 << 20, "The fields file")
        if not isinstance(values, dict):
            raise BadInput("The fields file must hold a JSON object.")
        receipt = office.applications.submit_issue([RecordRequest(values, holder, read(document))], key)
        _print_application(office, receipt.application.id)
        typer.echo(f"access token  {receipt.access_token}")


def approve(
    application: Annotated[str, typer.Argument(help="application id")],
    keystore: Annotated[Path, typer.Option(help="keystore of the signer")],
    role: Annotated[str, typer.Option(help="registrar, holder or recipient")] = "registrar",
    password: Annotated[str, typer.Option(envvar="KHALAYAK_KEYSTORE_PASSWORD", help="of the keystore")] = "",  # nosec B107 - empty: the office's
) -> None:
    """Sign an application with a keystore."""
    from wallet.signer import LocalSigner

    with _office() as office:
        signer = LocalSigner.from_keystore(keystore, password or office.settings.password)
        data = office.applications.register.typed_data(office.store.application(application))
        office.applications.approve(application, signer.sign_typed(data), signer.address, role)
        _print_application(office, application)


def run() -> None:
    """Publish, follow and certify until nothing more can be done now (`make up` does this by itself)."""
    with _office() as office:
        for _ in range(600):
            office.run_once()
            if not any(office.store.applications(s, 1) for s in ("approved", "signed", "sent", "included", "final")):
                return
            time.sleep(0.2)
        raise Unavailable("Some applications are not certified yet.", "See `khalayak status ID`, and run it again.")


def status(application: Annotated[str, typer.Argument(help="application id")]) -> None:
    """Where an application stands."""
    with _office() as office:
        _print_application(office, application)


def history(nib: Nib, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Every entry of a parcel, oldest first, as far as the chain is final."""
    with _office() as office:
        entries = office.store.history(str(office.trusted.name), _record_id(office, nib))
        if not entries:
            raise NotFound(f"Nothing is recorded about parcel {nib}.", "`khalayak absent` proves it.")
        if as_json:
            typer.echo(json.dumps([dict(item.entry) for item in entries]))
            return
        table = Table("seq", "action", "block", "time", "holder", "approvers")
        for item in entries:
            entry, action = item.entry, office.applications.register.actions[item.entry["action"]]
            moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(entry["time"]))
            approvers = ", ".join(a[:10] for a in item.approvers)
            table.add_row(str(entry["sequence"]), action, str(item.block_number), moment, entry["holder"], approvers)
        Console().print(table)


def certificate(nib: Nib, out: Output = Path("certificate.json")) -> None:
    """Write a parcel's certificate, with all fields and its proof, to a file."""
    with _office() as office:
        found = office.store.certificate(str(office.trusted.name), _record_id(office, nib))
        if found is None:
            raise NotFound(f"There is no certificate for parcel {nib} yet.", "See `khalayak history`, then try again.")
        _write_new(out, found)


def absent(nib: Nib, out: Output = Path("absent.json")) -> None:
    """Write a proof that no title was ever issued for a parcel."""
    with _office() as office:
        _record_id(office, nib)
        _write_new(out, office.certifier.absence({"nib": nib}).as_json())


@contextmanager
def _office() -> Iterator[Office]:
    from ledger.bootstrap import open_office

    office = open_office(load_settings())
    try:
        yield office
    finally:
        office.close()


def _record_id(office: Office, nib: str) -> bytes:
    register = office.applications.register
    register.schema.validate_disclosed({"nib": nib})
    return register.record_id({"nib": nib})


def _print_application(office: Office, application_id: str) -> None:
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


def _write_new(path: Path, value: Any) -> None:
    try:
        with path.open("x") as file:
            json.dump(value, file, indent=2, ensure_ascii=False)
            file.write("\n")
    except FileExistsError:
        raise BadInput(f"{path} exists; it is not overwritten.", "Name another file with --out.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from None
    typer.echo(f"Wrote {path}.")


def _wait_for_interrupt() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        typer.echo("Stopped.")


COMMANDS = (devnet, deploy, issue, approve, run, status, history, certificate, absent)
