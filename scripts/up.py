"""`make up`: the whole stack on this machine for a person to use, until Ctrl-C."""

from __future__ import annotations

import shutil
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from ledger.bootstrap import open_office
from ledger.errors import KhalayakError
from ledger.settings import Settings
from scripts.deploy import deploy_devnet
from scripts.devnet import check_port_free, start_hardhat
from scripts.serving import serve
from scripts.tools.kubo import document_store

HERE = Path("build/up")
RPC_PORT = 8545
API_PORT = 8000

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """The devnet keeps nothing, so every start is a new chain with a new office; the last one's folder is removed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        check_port_free(API_PORT)
        with ExitStack() as running:
            running.enter_context(start_hardhat(RPC_PORT))
            shutil.rmtree(HERE, ignore_errors=True)
            HERE.mkdir(parents=True)
            documents = running.enter_context(document_store(HERE / "ipfs"))
            settings = Settings(data=HERE / "office", rpc_url=f"http://127.0.0.1:{RPC_PORT}", documents=documents)
            deploy_devnet(settings)
            office = open_office(settings)
            running.callback(office.close)
            serve(office, f"127.0.0.1:{API_PORT}", lambda _: console.print(_welcome(settings, office.documents.name)))
    except KhalayakError as error:
        console.print(f"[bold red]Error:[/] {error}")
        return 1
    except KeyboardInterrupt:
        pass
    console.print("Stopped: API, service, document store and devnet.")
    return 0


def _welcome(settings: Settings, documents: str) -> str:
    registrars = "\n".join(f"             {path}" for path in sorted(settings.registrar_keystores.glob("*.json")))
    return (
        f"\nKhalayak is up. Ctrl-C stops all of it.\n"
        f"Pages        http://127.0.0.1:{API_PORT}/\n"
        f"API          http://127.0.0.1:{API_PORT}/docs\n"
        f"Devnet       {settings.rpc_url}, chain 31337 (its records end with it)\n"
        f"Documents    {documents} store\n"
        f"Office       export KHALAYAK_DATA={settings.data}\n"
        f"Registrars   password: {settings.password}\n{registrars}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
