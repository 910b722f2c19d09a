"""An office in the middle of its work: every kind of register and of ending, and applications at every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from pytest import MonkeyPatch

import api.pages.records
from api.app import create_app
from ledger.bootstrap import Office, open_office, open_witnesses
from ledger.encoding import to_hex
from ledger.model import Application
from ledger.registers import register_of_kind
from ledger.registers.forms import Change, RecordRequest
from ledger.retention import Policy
from tests.api.conftest import serving
from tests.fakes import FakeClock
from tests.office import DEED, TestOffice, record_of, running_office
from wallet.keys import new_key
from wallet.signer import LocalSigner

NOW = 1_900_000_000  # what witnesses and pages take for the time, so that their answers can be compared
SPENT = {"buyer": "id-contoh", "supplier": "PT Contoh Jaya", "currency": "IDR", "amount": "9.00", "period": "2026-01"}
PERSON = {
    "kind": "citizen",
    "validity": "2099-12-31",
    "name": "Siti",
    "birthDate": "1979-03-14",
    "birthPlace": "Sleman",
}
DIPLOMA = {
    **{"institution": "id-ui", "year": "2026", "degree": "Sarjana Teknik", "programme": "Informatika", "name": "Siti"},
    **{"birthDate": "2003-03-14", "graduated": "2026-08-01"},
}
CLAIM = "0x" + "c1" * 32


def signer() -> LocalSigner:
    return LocalSigner(new_key())


def spending(count: int) -> list[RecordRequest]:
    return [RecordRequest({**SPENT, "date": "2026-01-03", "id": f"2026-01/{n}"}) for n in range(count)]


@dataclass
class Life:
    """`applications` by what became of each; `requests` by the key that each was sent with."""

    parts: TestOffice
    applications: dict[str, Application] = field(default_factory=dict)
    requests: dict[str, tuple[str, Change]] = field(default_factory=dict)

    @property
    def office(self) -> Office:
        return self.parts.office

    @property
    def database(self) -> Path:
        return Path(self.office.settings.database.removeprefix("sqlite:///"))

    def submit(self, name: str, kind: str, change: Change) -> Application:
        self.requests[name] = (kind, change)
        application = self.office.applications.submit(kind, change, name).application
        self.applications[name] = application
        return application

    def done(
        self, name: str, kind: str, change: Change, *parties: tuple[str, LocalSigner], registrars: int = 2
    ) -> None:
        application = self.submit(name, kind, change)
        self.parts.approve(application, *parties, registrars=registrars)
        assert self.parts.certify(application.id).state == "certified"

    def state_of(self, name: str) -> str:
        return self.office.store.application(self.applications[name].id).state

    def reopened(self) -> Life:
        """The same office with a database that may be another one now."""
        self.office.close()
        return replace(self, parts=replace(self.parts, office=steady(open_office(self.office.settings))))

    @contextmanager
    def serving(self) -> Iterator[httpx.Client]:
        with serving(create_app(self.office, worker=False)) as url, httpx.Client(base_url=url, timeout=60) as http:
            yield http

    def answers(self) -> dict[str, tuple[int, bytes]]:
        """What the public is answered on every route that it can read, by path."""
        with MonkeyPatch.context() as patch, self.serving() as http:
            patch.setattr(api.pages.records, "time", lambda: NOW)
            found = {path: http.get(path) for path in self.paths()}
            return {path: (answer.status_code, answer.content) for path, answer in found.items()}

    def paths(self) -> Iterator[str]:
        yield from ("/v1/registers", "/v1/trust", "/", "/v", "/id", "/en/verify")
        for application in self.applications.values():
            yield f"/v1/applications/{application.id}"
            yield f"/v1/applications/{application.id}/typed-data"
            yield f"/v1/applications/{application.id}/documents"
        for trusted in self.office.trust.registers:
            log, holders = f"/v1/{trusted.kind}/entries", set[str]()
            entries = self.office.store.entries(str(trusted.name))
            action = next(iter(register_of_kind(trusted.kind).actions.values()))
            yield from (log, f"{log}?limit=1", f"{log}?action={action}", f"{log}?since=1&until={NOW}")
            for item in entries:
                holders |= {str(item.entry.get("holder", item.entry.get("controller", item.approvers[0])))}
            yield from (f"{log}?{by}={holder}" for holder in sorted(holders) for by in ("holder", "approver"))
            yield from (f"{log}?approver={registrar.address}&limit=2" for registrar in self.parts.registrars)
        for application in self.applications.values():
            kind = self.office.trust.register_named(application.register).kind
            for record in application.payload["records"]:
                path = f"/v1/{kind}/records/{record['recordId']}"
                yield from (path, f"{path}/history", f"{path}/history?limit=1&after=1")
                yield from (f"{path}/certificate", f"{path}/certificate.pdf")
                yield from (f"{to}/r/{kind}/{record['recordId']}" for to in ("", "/id", "/en"))
        yield from ("/v1/land/records?nib=10.15.22.04.00001", "/v1/land/absence?nib=10.15.22.04.99999")


def steady(office: Office) -> Office:
    """Witnesses sign with the time, so it stands still."""
    office.certifier.witnesses = open_witnesses(office.settings, FakeClock(NOW))
    return office


def _titles(life: Life) -> None:
    parts, (holder, bank, buyer) = life.parts, (signer(), signer(), signer())
    first, second, frozen = (parts.request(holder) for _ in range(3))
    life.done("issued", "land", Change("issue", [first, second]))
    life.done("to be frozen", "land", Change("issue", [frozen]))
    subject, details = [{"nib": first.fields["nib"]}], {"creditor": bank.address, "claim": CLAIM}
    life.done("encumbered", "land", Change("encumber", (), subject, details), ("holder", holder))
    sale = Change("transfer", [RecordRequest(second.fields, "", DEED)], (), {"recipient": buyer.address})
    life.done("sold", "land", sale, ("holder", holder), ("recipient", buyer))
    race = parts.request(holder)
    for name in ("won", "lost the race"):
        parts.approve(life.submit(name, "land", Change("issue", [race])))
    too_late = Change("transfer", [RecordRequest(frozen.fields, "", DEED)], (), {"recipient": buyer.address})
    application = life.submit("too late", "land", too_late)
    freeze = life.submit("frozen", "land", Change("freeze", subjects=[{"nib": frozen.fields["nib"]}]))
    parts.approve(freeze, ("court", parts.judges[0]), registrars=0)
    assert parts.certify(freeze.id).state == "certified"
    parts.approve(application, ("holder", holder), ("recipient", buyer))
    assert parts.certify(application.id).state == "failed"


def _others(life: Life) -> None:
    life.done("identity", "identity", Change("issue", [RecordRequest(PERSON, signer().address, DEED)]))
    life.done("spent", "transactions", Change("append", spending(3)))
    leaf = record_of(life.applications["spent"], 1)
    details = {"record": to_hex(leaf), "reason": "the amount was wrong"}
    life.done("corrected", "transactions", Change("amend", spending(2)[1:], details=details))
    degrees = [RecordRequest({**DIPLOMA, "number": f"D-{n}"}, document=DEED) for n in range(2)]
    life.done("diplomas", "diplomas", Change("appendLeaves", degrees))


def _erased(life: Life) -> None:
    life.done("erased", "land", Change("issue", [life.parts.request()]))
    record = to_hex(record_of(life.applications["erased"]))
    fields = {"register": str(life.parts.trusted().name).lower(), "erased": record, "ground": "requested"}
    life.done("erasure", "erasures", Change("appendLeaves", [RecordRequest({**fields, "date": "2026-11-24"})]))
    life.office.run_once()


def _held(life: Life) -> None:
    """Two holds that stand, and one that was lifted."""
    retention, (first, second, _) = life.office.retention, life.parts.registrars
    for kind, name in (("land", "issued"), ("identity", "identity"), ("land", "to be frozen")):
        retention.place_hold(kind, record_of(life.applications[name]), first)
    retention.lift_hold("land", record_of(life.applications["issued"]), second)
    assert retention.held_about(Policy({}), ["Siti"])


def _under_way(life: Life) -> None:
    parts = life.parts
    uncertified = life.submit("recorded", "land", Change("issue", [parts.request()]))
    parts.approve(uncertified)
    for _ in range(20):
        if life.state_of("recorded") == "final":
            break
        parts.publish_and_follow()
    life.submit("waiting", "land", Change("issue", [parts.request()]))
    parts.approve(life.submit("half approved", "land", Change("issue", [parts.request()])), registrars=1)
    parts.approve(life.submit("approved", "land", Change("issue", [parts.request()])))


STATES: Mapping[str, str] = {
    **dict.fromkeys(("issued", "to be frozen", "encumbered", "sold", "won", "frozen", "identity"), "certified"),
    **dict.fromkeys(("spent", "corrected", "diplomas", "erased", "erasure"), "certified"),
    **dict.fromkeys(("lost the race", "too late"), "failed"),
    **{"recorded": "final", "waiting": "submitted", "half approved": "submitted", "approved": "approved"},
}


@contextmanager
def lively(folder: Path) -> Iterator[Life]:
    with running_office(folder) as parts:
        steady(parts.office)
        life = Life(parts)
        for act in (_titles, _others, _erased, _held, _under_way):
            act(life)
        assert {name: life.state_of(name) for name in life.applications} == STATES
        yield life


def remove(database: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
