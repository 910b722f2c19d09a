"""The `khalayak` command. Each command is a thin call of the ledger; errors become one line and an exit code."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from ledger.errors import BadInput, ConfigurationError, KhalayakError, Refused, Unavailable
from scripts import (
    cli_apply,
    cli_audit,
    cli_documents,
    cli_entries,
    cli_import,
    cli_office,
    cli_print,
    cli_verify,
    cli_witness,
)
from wallet.errors import WalletError

# UX: 0 ok, 1 failed, 2 usage, 4 not entitled, 5 unreachable.
EXIT_CODES: list[tuple[type[KhalayakError], int]] = [
    (Unavailable, 5),
    (Refused, 4),
    (WalletError, 4),
    (BadInput, 2),
    (ConfigurationError, 2),
    (KhalayakError, 1),
]

app = typer.Typer(
    help="Khalayak: a public records ledger in which every answer carries its proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    *cli_office.COMMANDS,
    *cli_entries.COMMANDS,
    *cli_verify.COMMANDS,
    *cli_witness.COMMANDS,
    *cli_audit.COMMANDS,
):
    app.command()(command)
app.command("import")(cli_import.import_file)
app.add_typer(cli_apply.commands(), name="apply")
app.add_typer(cli_print.exports(), name="export")
app.add_typer(cli_documents.commands(), name="documents")


def main() -> None:
    """Run the command. An error of ours is printed with what to do; anything else is a bug and shows its traceback."""
    try:
        app()
    except KhalayakError as error:
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(f"[bold red]Error:[/] {error.message}", end="\n")
        if error.hint:
            console.print(error.hint)
        sys.exit(next(code for kind, code in EXIT_CODES if isinstance(error, kind)))


if __name__ == "__main__":
    main()
