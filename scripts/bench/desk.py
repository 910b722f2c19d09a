"""An office on a devnet of its own, with registrars who sign whatever they are shown."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger import bootstrap
from ledger.bootstrap import Office
from ledger.model import Application
from ledger.settings import Settings
from scripts.deploy import deploy_devnet
from scripts.devnet import start_hardhat
from wallet.signer import LocalSigner


@dataclass(frozen=True)
class Desk:
    """`folder` is for files of the benchmark."""

    office: Office
    registrars: tuple[LocalSigner, ...]
    folder: Path

    def approve(self, application: Application) -> None:
        data = self.office.applications.typed_data(application)
        for signer in self.registrars:
            self.office.applications.approve(application.id, signer.sign_typed(data), signer.address, "registrar")

    def certify(self) -> None:
        """Run until all that was approved is certified. Ends the program when something failed."""
        store = self.office.store
        while store.waiting().keys() - {"submitted"}:
            self.office.run_once()
        if failed := store.applications("failed", 1):
            raise SystemExit(f"An application of the benchmark failed: {failed[0].reason}")


@contextmanager
def open_desk() -> Iterator[Desk]:
    """Everything that is started ends with the block."""
    with tempfile.TemporaryDirectory() as folder, start_hardhat() as url:
        settings = Settings(data=Path(folder) / "office", rpc_url=url)
        deploy_devnet(settings)
        office = bootstrap.open_office(settings)
        keystores = sorted(settings.registrar_keystores.glob("*.json"))[:2]
        registrars = tuple(LocalSigner.from_keystore(path, settings.password) for path in keystores)
        try:
            yield Desk(office, registrars, Path(folder))
        finally:
            office.close()
