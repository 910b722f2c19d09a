"""Offices with a database and relayer keys of their own at a chain that others use too, and what goes wrong there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any

from ledger.bootstrap import Office, open_office
from ledger.fees import GWEI, Limits
from ledger.model import Application
from ledger.publisher import Publisher
from ledger.settings import Settings
from ledger.transaction import Attempt, Transaction
from scripts.deploy import DEVNET_WORK_FACTOR, Deployer
from tests.fakes import FakeClock
from tests.faults.proxy import ask
from tests.office import TestOffice, open_test_office
from wallet.keys import new_key
from wallet.keystore import write_keystore
from wallet.signer import LocalSigner

BUMP_SECONDS = 60
LIMITS = Limits(100 * GWEI, BUMP_SECONDS, 0)
NOT_COPIED = {"office.db", "office.db-wal", "office.db-shm", "relayer.json", "relayer.lock", "documents"}


@dataclass(frozen=True)
class Desk(TestOffice):
    """`relayers` are the office's own keys, `clock` the publisher's."""

    __test__ = False
    relayers: tuple[LocalSigner, ...] = ()

    @property
    def publisher(self) -> Publisher:
        assert self.office.publisher is not None
        return self.office.publisher

    @property
    def clock(self) -> FakeClock:
        assert isinstance(self.publisher.clock, FakeClock)
        return self.publisher.clock

    @property
    def relayer(self) -> LocalSigner:
        return self.relayers[0]

    def rpc(self, method: str, *parameters: Any) -> Any:
        answer = ask(self.office.settings.rpc_url, method, list(parameters))
        assert "error" not in answer, answer
        return answer["result"]

    def approved(self, **changed: str) -> Application:
        return self.approve(self.issue(self.request(**changed)))

    def state(self, application: Application) -> str:
        return self.office.store.application(application.id).state

    def transaction(self, application: Application) -> Transaction:
        found = self.office.store.transaction_of(application.id)
        assert found is not None
        return found

    def attempts(self, application: Application) -> tuple[Attempt, ...]:
        return self.transaction(application).attempts

    def recorded(self, application: Application, since: int = 0) -> int:
        """How many entries the chain holds of the application's first record from a block on, final or not."""
        register = self.office.applications.register(application)
        address = self.trusted(register.kind).name.address
        blocks = self.office.chain.block("latest").number
        logs = self.office.chain.logs(address, since, blocks)
        times = {log.block_number: 0 for log in logs}
        record_id = application.payload["records"][0]["recordId"]
        return sum("0x" + entry.record_id.hex() == record_id for entry in register.decode(logs, times))

    def mine(self, count: int = 1) -> None:
        for _ in range(count):
            self.rpc("evm_mine")

    def spend(self, nonce: int, signer: LocalSigner | None = None) -> None:
        """Somebody who has the relayer's key uses one of its nonces."""
        fees = self.office.chain.fees()
        self.office.chain.send(
            (signer or self.relayer).sign_transaction(
                {
                    "chainId": self.office.trust.chain_id,
                    "nonce": nonce,
                    "to": self.relayer.address,
                    "value": 0,
                    "data": b"",
                    "gas": 21_000,
                    "maxFeePerGas": 3 * fees.max_fee,
                    "maxPriorityFeePerGas": 3 * fees.priority_fee,
                }
            )
        )

    def settle(self, *applications: Application, runs: int = 12) -> list[str]:
        """Run, and let the chain go on, until each is certified or failed; their states then."""
        for _ in range(runs):
            self.office.run_once()
            states = [self.state(application) for application in applications]
            if all(state in ("certified", "failed") for state in states):
                return states
            self.mine(3)
        raise AssertionError(f"still {states}")


@contextmanager
def desk_at(shared: TestOffice, folder: Path, relayers: int = 1, database_url: str = "") -> Iterator[Desk]:
    """An office at the shared registers and their registrars, whose relayers have never sent anything."""
    data = folder / "desk"
    source = shared.office.settings.data
    copytree(source, data, ignore=lambda _folder, names: NOT_COPIED & set(names))
    settings = shared.office.settings.model_copy(update={"data": data, "database_url": database_url})
    keys = [add_relayer(settings, number) for number in range(relayers)]
    with open_test_office(settings, shared.numbers) as opened:
        desk = Desk(opened.office, opened.registrars, opened.judges, shared.numbers, tuple(keys))
        prepare(desk.office)
        desk.mine(3)  # the relayers' funds came without a block: no proof of the one before them holds
        yield desk


def prepare(office: Office) -> None:
    """Have its publisher go by a clock that is set by hand, and bundle at once."""
    assert office.publisher is not None
    office.publisher.clock = FakeClock(office.publisher.clock.now())
    office.publisher.limits = LIMITS


def add_relayer(settings: Settings, number: int) -> LocalSigner:
    """A new key among the office's relayers, with funds."""
    signer = LocalSigner(key := new_key())
    path = settings.data / "relayers" / f"relayer-{number}.json"
    path.parent.mkdir(exist_ok=True)
    write_keystore(path, key, settings.password, work_factor=DEVNET_WORK_FACTOR)
    fund(settings.rpc_url, signer.address)
    return signer


def fund(url: str, address: str, wei: int = 10**18) -> None:
    assert "error" not in ask(url, "hardhat_setBalance", [address, hex(wei)])


def governor(desk: Desk) -> Deployer:
    """What the authority's admin does."""
    settings = desk.office.settings
    admin = LocalSigner.from_keystore(settings.data / "admin.json", settings.password)
    fund(settings.rpc_url, admin.address)
    return Deployer(desk.office.chain, admin)


def reopened(desk: Desk) -> Desk:
    """The same office in a process that has just started."""
    office = open_office(desk.office.settings)
    prepare(office)
    assert office.publisher is not None
    office.publisher.clock = desk.publisher.clock
    return Desk(office, desk.registrars, desk.judges, desk.numbers, desk.relayers)
