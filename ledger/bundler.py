"""Which approved applications go to the chain together, and what becomes of those that the contract refuses."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import rlp
import structlog

from ledger import authority, codec
from ledger.errors import Conflict, ContractReverted
from ledger.known import FinalState
from ledger.model import Application, ApplicationState
from ledger.ports import Chain, RecordStore
from ledger.recorded import recorded_by
from ledger.registers import register_of_kind
from ledger.trust import TrustRoot

GAS_CAP = 2**24  # of one transaction, EIP-7825
GAS_SHARE = 2  # a bundle may fill one part in so many of a block, so that it finds room in the next one
GAS_MARGIN = 1.1
MAX_CALLDATA = 130_000  # nodes take transactions of up to 128 KiB, all bytes counted
MOST = 50  # applications in a bundle; what one more would save is less than 1 percent
MAX_REVERTS = 3
NOBODY = "0x" + "00" * 20  # for estimates: a register does not care who sends

log = structlog.get_logger()


@dataclass(frozen=True)
class Call:
    """An application with the calldata that carries it out in its register."""

    application: Application
    data: bytes


@dataclass(frozen=True)
class Bundle:
    """One transaction's worth: the ids of the applications in order, whom it calls with what, and its gas limit."""

    applications: tuple[str, ...]
    to: str
    data: bytes
    gas: int


class Bundler:
    """For one step of the publisher. `contract` is the address of contracts/Bundle.sol; without one each application
    goes alone. `held` are the ids of those that this step leaves as they are. `gas_of_byte`, of calldata by register,
    is what was estimated last: it is kept from step to step, and says how many are worth an estimate together."""

    def __init__(
        self, trust: TrustRoot, store: RecordStore, chain: Chain, contract: str | None, gas_of_byte: dict[str, float]
    ) -> None:
        self.trust = trust
        self.store = store
        self.chain = chain
        self.contract = contract
        self.gas_of_byte = gas_of_byte
        self.held: set[str] = set()
        self._limit = 0
        self._calldata: dict[str, bytes] = {}

    def fit(self, queue: Sequence[Application]) -> tuple[list[Call], bool]:
        """The first of a register's approved applications that fit into one transaction by their size, and whether more
        would not. One that has reverted before goes alone."""
        calls: list[Call] = []
        reverted, size = self.store.reverted([application.id for application in queue]), 0
        for application in queue:
            call = Call(application, self.calldata(application))
            size += len(call.data) + 96  # its offset, its length, its padding
            gas = size * self.gas_of_byte.get(application.register, 0)
            if calls and (size > MAX_CALLDATA or gas > self._share() or application.id in reverted):
                return calls, True
            calls.append(call)
            if application.id in reverted or self.contract is None:
                return calls, True
        return calls, len(calls) >= MOST

    def compose(self, calls: Sequence[Call]) -> Bundle | None:
        """The first of these calls that go together as things are now. None when none does; then at least one has left
        the queue, because it has failed or was recorded already, or it is held."""
        while calls:
            if len(calls) == 1:
                return self._alone(calls[0])
            to, data = self._packed(calls)
            try:
                gas = self.chain.estimate_gas(NOBODY, to, data)
            except ContractReverted as refusal:
                calls = self._without_refused(calls, refusal)
                continue
            self._note_gas(calls, gas)
            if gas * GAS_MARGIN <= self._share():
                return Bundle(tuple(call.application.id for call in calls), to, data, int(gas * GAS_MARGIN))
            calls = calls[: max(1, len(calls) * self._share() // int(gas * GAS_MARGIN))]
        return None

    def calldata(self, application: Application) -> bytes:
        """The call of its register that carries out an application with the approvals it has."""
        if application.id not in self._calldata:
            register = register_of_kind(self.trust.register_named(application.register).kind)
            self._calldata[application.id] = register.calldata(application, self.store.approvals(application.id))
        return self._calldata[application.id]

    def _packed(self, calls: Sequence[Call]) -> tuple[str, bytes]:
        assert self.contract is not None
        register = self.trust.register_named(calls[0].application.register).name.address
        return self.contract, codec.call("send", ("address", "bytes[]"), [register, [call.data for call in calls]])

    def _alone(self, call: Call) -> Bundle | None:
        application = call.application
        if self.store.reverted([application.id]).get(application.id, 0) >= MAX_REVERTS:
            self._fail(application, f"The contract has reverted it {MAX_REVERTS} times without a reason.")
            return None
        if len(call.data) > MAX_CALLDATA:
            self._fail(application, f"It has {len(call.data):,} bytes, over the limit of one transaction.")
            return None
        to = self.trust.register_named(application.register).name.address
        try:
            gas = self.chain.estimate_gas(NOBODY, to, call.data)
        except ContractReverted as refusal:
            self._judge(application, refusal)
            return None
        self._note_gas([call], gas)
        if gas > self._gas_limit():
            self._fail(application, f"It needs {gas:,} gas, over the cap of one transaction.")
            return None
        return Bundle((application.id,), to, call.data, min(int(gas * GAS_MARGIN), self._gas_limit()))

    def _without_refused(self, calls: Sequence[Call], refusal: ContractReverted) -> Sequence[Call]:
        """A shorter list. Only what the chain as it is refuses has failed: a call that is refused because of one before
        it in the bundle, or may be taken after it, waits until that one is on the chain."""
        if refusal.index is None or not refusal.name:
            return calls[: len(calls) // 2]
        to = self.trust.register_named(calls[0].application.register).name.address
        refusals = self.chain.refusals(to, [call.data for call in calls])
        if not any(refusals):
            return calls[: max(1, refusal.index)]
        taken, changed = list[Call](), set[bytes]()
        for call, alone in zip(calls, refusals, strict=True):
            records = set(call.application.record_ids)
            if alone is None:
                taken.append(call)
                changed |= records
            elif changed.isdisjoint(records):
                self._judge(call.application, alone)
            else:
                self.held.add(call.application.id)
        return taken

    def _judge(self, application: Application, refusal: ContractReverted) -> None:
        trusted = self.trust.register_named(application.register)
        register = register_of_kind(trusted.kind)
        window = 0
        if register.window:
            answer = self.chain.call(trusted.name.address, authority.window_call(register.window))
            window = authority.parse_window(answer)
        try:
            found = recorded_by(application, register, FinalState(trusted, self.store, self.chain), window)
        except Conflict as wait:
            log.info("application waits", application=application.id, reason=wait.message)
            self.held.add(application.id)
            return
        # What another application of ours recorded is not what this one asked for, though it looks the same.
        ours = self.store.transaction_with(found) if found else None
        if found is None or (ours and application.id not in ours.applications):
            self._fail(application, refusal.message)
            return
        log.info("application was recorded already", application=application.id)
        self._move(application, "final")

    def _fail(self, application: Application, reason: str) -> None:
        log.warning("application failed", application=application.id, reason=reason)
        self._move(application, "failed", reason)

    def _move(self, application: Application, state: ApplicationState, reason: str = "") -> None:
        with suppress(Conflict):  # another worker has found the same
            self.store.move(application.id, "approved", state, reason)

    def _note_gas(self, calls: Sequence[Call], gas: int) -> None:
        """So that the next ones are not estimated together when they would need too much."""
        size = sum(len(call.data) + 96 for call in calls)
        self.gas_of_byte[calls[0].application.register] = gas * GAS_MARGIN / size

    def _share(self) -> int:
        """The gas that a bundle may need."""
        return self._gas_limit() // GAS_SHARE

    def _gas_limit(self) -> int:
        """Of a transaction: what fits into a block, below the cap."""
        if not self._limit:
            header = rlp.decode(self.chain.block("latest").header)
            self._limit = min(GAS_CAP, int.from_bytes(header[9], "big"))
        return self._limit
