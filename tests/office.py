"""A real office for tests: hardhat, deployed contracts, SQLite, the directory store, three registrars' signers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from ledger.applications import RecordRequest
from ledger.bootstrap import Office, open_office
from ledger.model import Application
from ledger.settings import Settings
from scripts.deploy import deploy_devnet
from scripts.devnet import free_port, start_hardhat
from wallet.keys import new_key
from wallet.signer import LocalSigner

SAMPLES = Path(__file__).parent.parent / "scripts" / "samples"
DEED = (SAMPLES / "deed.pdf").read_bytes()
FIELDS = {name: value for name, value in json.loads((SAMPLES / "deed.json").read_text()).items() if name != "schema"}


@dataclass(frozen=True)
class TestOffice:
    """An office with its registrars. Each `request` is about a parcel of its own."""

    __test__ = False
    office: Office
    registrars: tuple[LocalSigner, ...]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def request(self, holder: LocalSigner | None = None, **changed: str) -> RecordRequest:
        fields = {**FIELDS, "nib": f"10.15.22.04.{next(self.numbers):05}", **changed}
        return RecordRequest(fields, (holder or LocalSigner(new_key())).address, DEED)

    def approve(self, application: Application, *parties: tuple[str, LocalSigner], registrars: int = 2) -> Application:
        data = self.office.applications.register.typed_data(application)
        signers = [("registrar", signer) for signer in self.registrars[:registrars]]
        for role, signer in [*signers, *parties]:
            self.office.applications.approve(application.id, signer.sign_typed(data), signer.address, role)
        return self.office.store.application(application.id)

    def certify(self, application_id: str) -> Application:
        """Run until certified or failed; on the devnet a few steps are enough."""
        for _ in range(20):
            self.office.run_once()
            application = self.office.store.application(application_id)
            if application.state in ("certified", "failed"):
                return application
        raise AssertionError(f"still {application.state}")


@contextmanager
def running_office(folder: Path) -> Iterator[TestOffice]:
    """Everything that is started ends with the block."""
    with start_hardhat(free_port()) as url:
        settings = Settings(data=folder / "office", rpc_url=url)
        deploy_devnet(settings)
        office = open_office(settings)
        files = sorted(settings.registrar_keystores.glob("*.json"))
        try:
            yield TestOffice(office, tuple(LocalSigner.from_keystore(path, settings.password) for path in files))
        finally:
            office.close()
