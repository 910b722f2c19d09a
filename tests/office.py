"""A real office for tests: hardhat, deployed contracts, SQLite, the directory store, three registrars' signers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from ledger.bootstrap import Office, open_office
from ledger.encoding import canonical_json
from ledger.model import Application
from ledger.registers.forms import Change, RecordRequest
from ledger.settings import Settings
from ledger.trust import TrustedRegister
from ledger.verdict import Verdict
from ledger.verifier import verify
from scripts.deploy import deploy_devnet
from scripts.devnet import start_hardhat
from tests.fakes import FakeClock
from wallet.keys import new_key
from wallet.signer import LocalSigner

SAMPLES = Path(__file__).parent.parent / "scripts" / "samples"
DEED = (SAMPLES / "deed.pdf").read_bytes()
FIELDS = {name: value for name, value in json.loads((SAMPLES / "deed.json").read_text()).items() if name != "schema"}


@dataclass(frozen=True)
class TestOffice:
    """An office with its registrars and judges. Each `request` is about a parcel of its own."""

    __test__ = False
    office: Office
    registrars: tuple[LocalSigner, ...]
    judges: tuple[LocalSigner, ...]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def trusted(self, kind: str = "land") -> TrustedRegister:
        return self.office.trust.register_of_kind(kind)

    def submit(self, kind: str, change: Change) -> Application:
        return self.office.applications.submit(kind, change, f"desk-{next(self.numbers)}").application

    def issue(self, *requests: RecordRequest, key: str = "") -> Application:
        key = key or f"desk-{next(self.numbers)}"
        return self.office.applications.submit("land", Change("issue", requests), key).application

    def request(self, holder: LocalSigner | None = None, **changed: str) -> RecordRequest:
        fields = {**FIELDS, "nib": f"10.15.22.04.{next(self.numbers):05}", **changed}
        return RecordRequest(fields, (holder or LocalSigner(new_key())).address, DEED)

    def approve(self, application: Application, *parties: tuple[str, LocalSigner], registrars: int = 2) -> Application:
        data = self.office.applications.typed_data(application)
        signers = [("registrar", signer) for signer in self.registrars[:registrars]]
        for role, signer in [*signers, *parties]:
            self.office.applications.approve(application.id, signer.sign_typed(data), signer.address, role)
        return self.office.store.application(application.id)

    def publish_and_follow(self) -> None:
        """All that the office does by itself but certify."""
        self.office.publisher.run_once()
        for follower in self.office.followers:
            follower.run_once()

    def certify(self, application_id: str) -> Application:
        """Run until certified or failed; on the devnet a few steps are enough."""
        for _ in range(20):
            self.office.run_once()
            application = self.office.store.application(application_id)
            if application.state in ("certified", "failed"):
                return application
        raise AssertionError(f"still {application.state}")

    def done(self, kind: str, change: Change, *parties: tuple[str, LocalSigner], registrars: int = 2) -> Application:
        """Apply, approve with whatever the action needs, and certify."""
        application = self.submit(kind, change)
        if application.state == "submitted":
            self.approve(application, *parties, registrars=registrars)
        assert self.office.applications.missing(application) == []
        application = self.certify(application.id)
        assert application.state == "certified", application.reason
        return application

    def verdict(self, kind: str, record_id: bytes) -> Verdict:
        """What a stranger finds about a record as it is now."""
        certificate = self.office.certifier.newest(self.trusted(kind), record_id)
        return verify(canonical_json(certificate.as_json()), self.office.trust)

    def newest(self, kind: str, record_id: bytes) -> dict[str, Any]:
        return dict(self.office.store.history(str(self.trusted(kind).name), record_id)[-1].entry)

    def later(self, seconds: int) -> None:
        """Let time pass, on the devnet and at the desk."""
        applications = self.office.applications
        applications.clock = FakeClock(applications.clock.now() + seconds)
        for method, parameters in (("evm_increaseTime", [seconds]), ("hardhat_mine", ["0x40"])):
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
            request = Request(self.office.settings.rpc_url, body, {"Content-Type": "application/json"})
            with urlopen(request) as answer:
                assert "error" not in json.load(answer)


def _signers(folder: Path, password: str) -> Iterator[LocalSigner]:
    return (LocalSigner.from_keystore(path, password) for path in sorted(folder.glob("*.json")))


def record_of(application: Application, index: int = 0) -> bytes:
    """The id of one of the records of an application."""
    return bytes.fromhex(application.payload["records"][index]["recordId"][2:])


@contextmanager
def running_office(folder: Path, database_url: str = "") -> Iterator[TestOffice]:
    """Everything that is started ends with the block. The database is one in SQLite, or an empty one at an URL."""
    with start_hardhat() as url, office_at(url, folder, database_url=database_url) as office:
        yield office


@contextmanager
def office_at(url: str, folder: Path, through: str = "", database_url: str = "") -> Iterator[TestOffice]:
    """An office with new contracts at the node of this URL, which it reaches `through` others, such as a proxy's."""
    settings = Settings(data=folder / "office", rpc_url=url, database_url=database_url)
    deploy_devnet(settings)
    with open_test_office(settings.model_copy(update={"rpc_url": through or url})) as office:
        yield office


@contextmanager
def open_test_office(settings: Settings, numbers: Iterator[int] | None = None) -> Iterator[TestOffice]:
    office = open_office(settings)
    folders = (settings.registrar_keystores, settings.court_keystores)
    registrars, judges = (tuple(_signers(folder, settings.password)) for folder in folders)
    try:
        yield TestOffice(office, registrars, judges, numbers or count(1))
    finally:
        office.close()
