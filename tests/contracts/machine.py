"""What the state machines of the registers share: random changes, signed rightly or wrongly, go to the compiled
contract on a devnet and to the rules in Python, and what the two say is compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar, TypeVar

from eth_account import Account
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from ledger.encoding import RegisterName, address_bytes, checksum_address, keccak256
from ledger.entries import Entry, verify_history
from ledger.errors import ContractReverted
from ledger.model import Application, Approval, Log
from ledger.registers.base import Register, head_slot
from tests.contracts.node import Node
from tests.contracts.offices import CHAIN_ID, DEADLINE, address_of, key

REGISTRARS, COURT = ("registrar 1", "registrar 2", "registrar 3"), ("judge 1", "judge 2")
TEAMS = (REGISTRARS[:2], REGISTRARS[1:], REGISTRARS, REGISTRARS[::2])
PEOPLE = ("anna", "budi", "citra", "bank", "friend", "stranger")
NAMES = {address_of(name): name for name in (*REGISTRARS, *COURT, *PEOPLE)}
ELSEWHERE = checksum_address(keccak256(b"another register")[12:])
T = TypeVar("T")

# How the signatures of a change may be wrong, and the errors that the contract then names.
FLAWS: Mapping[str, set[str]] = {
    "missing": {"TooFewApprovals"},
    "foreign": {"NotRegistrar", "NotCourt"},
    "doubled": {"ApprovalsNotAscending"},
    "forged": {"InvalidSignature"},
    "first party": {"InvalidSignature"},
    "last party": {"InvalidSignature"},
    "elsewhere": {"InvalidSignature"},
    "reused": {"InvalidSignature"},
    "expired": {"Expired"},
}


def pick(options: Sequence[T], number: int) -> T:
    return options[number % len(options)]


@dataclass(frozen=True)
class Step:
    """What is drawn for a step. Hypothesis alone repeats a few values and leaves much untried in few examples, so each
    number is mixed with all that were drawn before."""

    action: int
    at: int
    to: int
    wrong: int
    flaw: str
    number: int
    forger: str = "stranger"  # who signs what another should

    def odd(self, *names: str) -> str:
        """What is wrong with the change that is asked for: mostly nothing."""
        return pick(names, self.wrong // 3) if self.wrong % 3 == 1 else ""


PLAIN = Step(0, 0, 0, 0, "", 0)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    machine, seed = draw(st.runner()), draw(st.integers(0, 1 << 32))
    mixed = machine.mixed = sha256(machine.mixed + seed.to_bytes(8)).digest()
    action, at, to, wrong, flaw, number = (int.from_bytes(mixed[i : i + 4]) for i in range(0, 24, 4))
    flawed = pick([*FLAWS], flaw // 4) if flaw % 4 == 0 else ""
    return Step(action, at, to, wrong, flawed, number, pick(PEOPLE, flaw // 64))


class Machine(RuleBasedStateMachine):
    """One example: what the model holds is in `histories`, and the contract must hold the same."""

    register: ClassVar[Register]
    # By action, the statuses of which a record must have one for the action to be more than refused.
    needs: ClassVar[Mapping[str, tuple[int, ...]]]

    def __init__(self, node: Node, address: str) -> None:
        super().__init__()
        self.node, self.address, self.team, self.forger = node, address, REGISTRARS, "stranger"
        self.serial, self.mixed = 0, b""
        self.time = int(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        self.histories: dict[bytes, list[Any]] = {}
        self.accepted: list[tuple[str, dict[str, Any], list[Approval]]] = []
        self.snapshot = node.rpc("evm_snapshot")

    def teardown(self) -> None:
        self.node.rpc("evm_revert", self.snapshot)

    def heads(self) -> dict[bytes, bytes]:
        return {record_id: history[-1].head for record_id, history in self.histories.items()}

    def head_of(self, record_id: bytes) -> bytes:
        return self.heads().get(record_id, bytes(32))

    def newest(self, record_id: bytes) -> Any:
        return self.histories[record_id][-1]

    def choose(self, number: int, *statuses: int) -> bytes:
        """A record, mostly one of these statuses."""
        present = sorted({history[-1].status for history in self.histories.values()})
        wanted = statuses if number % 3 and set(statuses) & {*present} else (pick(present, number // 3),)
        return pick([r for r in self.histories if self.newest(r).status in wanted], number // 15)

    @rule(step=steps())
    def step(self, step: Step) -> None:
        statuses = [history[-1].status for history in self.histories.values()]
        ready = [name for name, needs in self.needs.items() if not needs or {*needs} & {*statuses}]
        # Few long histories meet more than many short ones, and what is not ready is tried now and then.
        ready = ready if len(statuses) < 10 else [name for name in ready if name != "issue"]
        name = pick(ready if step.action % 12 else [*self.needs], step.action // 12)
        note(name)
        getattr(self, name)(step)

    def again(self, step: Step) -> None:
        """Send a call that was taken once again, signatures and all."""
        if self.accepted:
            assert not self.send(*pick(self.accepted, step.at), sender=step.number)

    def follow(self, action: str, payload: Mapping[str, Any], approvers: Sequence[str]) -> Mapping[bytes, Entry]:
        """What the rules say."""
        raise NotImplementedError

    def officials(self, action: str) -> dict[str, Sequence[str]]:
        """By role, who approves the action for the office."""
        return {"registrar": self.team}

    def fresh(self) -> bytes:
        """32 bytes that nothing has used: an id, a content."""
        self.serial += 1
        return keccak256(f"fresh {self.serial}".encode())

    def wait_until(self, time: int) -> None:
        """Let the next block be of that time, or of the next second where it is over."""
        self.time = max(self.time, time - 1)

    def attempt(self, action: str, payload: dict[str, Any], step: Step = PLAIN) -> Mapping[bytes, Entry]:
        """Let both judge a change; what it recorded, nothing if it was refused."""
        self.team, self.forger, flaw = pick(TEAMS, step.number), step.forger, step.flaw
        payload["deadline"] = self.time if flaw == "expired" else DEADLINE
        approvals = self.approvals(action, payload, flaw)
        if approvals is None:
            flaw, payload["deadline"] = "", DEADLINE
            approvals = self.approvals(action, payload, flaw) or []
        return self.send(action, payload, approvals, flaw, step.number)

    def send(
        self, action: str, payload: dict[str, Any], approvals: list[Approval], flaw: str = "", sender: int = 0
    ) -> Mapping[bytes, Entry]:
        self.time += 1
        roles = self.officials(action)
        approvers = sorted((a.signer for a in approvals if a.role in roles), key=address_bytes)
        expected, errors = self.judge(action, payload, approvers, set(FLAWS.get(flaw, ())))
        data = self.register.calldata(self.application(action, payload), approvals)
        logs, error = self.node.transact(self.address, data, sender, self.time)
        assert (error in errors) if errors else not error, f"{action}: contract {error or 'yes'}, rules {errors}"
        if error:
            return {}
        self.compare(expected, logs)
        self.accepted.append((action, payload, approvals))
        return expected

    def judge(
        self, action: str, payload: Mapping[str, Any], approvers: Sequence[str], errors: set[str]
    ) -> tuple[Mapping[bytes, Entry], set[str]]:
        """What the rules expect to be recorded, and the errors that are expected beside these."""
        try:
            return self.follow(action, payload, approvers), errors
        except ContractReverted as refusal:
            return {}, {*errors, refusal.name}

    def compare(self, expected: Mapping[bytes, Entry], logs: Sequence[Log]) -> None:
        """The events tell what the rules expect, and every head of the contract is the rules'."""
        recorded = self.register.decode(logs, {log.block_number: self.time for log in logs})
        told = {item.record_id: self.register.entry.from_json(item.entry) for item in recorded}
        assert told == self.told(expected)
        for record_id, entry in expected.items():
            self.histories.setdefault(record_id, []).append(entry)
        heads = self.heads() | {keccak256(b"never"): bytes(32)}
        stored = self.node.storage(self.address, [head_slot(record_id) for record_id in heads])
        assert stored == list(heads.values())
        for record_id in told:
            verify_history(self.histories[record_id])

    def told(self, expected: Mapping[bytes, Entry]) -> Mapping[bytes, Entry]:
        """Those of the new entries that have an event."""
        return expected

    def application(self, action: str, payload: Mapping[str, Any], address: str = "") -> Application:
        name = str(RegisterName(CHAIN_ID, address or self.address))
        return Application("id", name, action, payload, "approved", 0, bytes(32))

    def approvals(self, action: str, payload: dict[str, Any], flaw: str) -> list[Approval] | None:
        """The signatures with that flaw; None where the change cannot have it."""
        application = self.application(action, payload, ELSEWHERE if flaw == "elsewhere" else "")
        given = [(address_of(name), role) for role, names in self.officials(action).items() for name in names]
        parties = list(self.register.signers(application).items())
        if not given and flaw in ("missing", "foreign", "doubled", "forged"):
            return None
        if not parties and (flaw.endswith("party") or not given):
            return None
        digest = self.register.typed_data(application).digest()
        if flaw == "missing":
            given = given[:1]
        if flaw == "foreign":
            given[-1] = address_of("stranger"), given[-1][1]
        if flaw == "doubled":
            given[-1] = given[-2]
        given.sort(key=lambda pair: address_bytes(pair[0]))
        signed = [Approval(signer, role, sign(digest, NAMES[signer])) for signer, role in given]
        signed += [Approval(who, role, sign(digest, NAMES.get(who, "stranger"))) for role, who in parties]
        if flaw == "reused":
            return self.reuse(signed)
        spoilt = {"forged": 0, "first party": len(given), "last party": -1}
        if flaw in spoilt:
            theirs = signed[spoilt[flaw]]
            forger = "stranger" if self.forger == NAMES.get(theirs.signer) else self.forger
            signed[spoilt[flaw]] = Approval(theirs.signer, theirs.role, sign(digest, forger))
        return signed

    def reuse(self, signed: list[Approval]) -> list[Approval] | None:
        """One of the signatures taken from the newest change that the same person signed."""
        for _, _, approvals in reversed(self.accepted):
            for old in approvals:
                for place, new in enumerate(signed):
                    if new.signer == old.signer:
                        return [*signed[:place], Approval(new.signer, new.role, old.signature), *signed[place + 1 :]]
        return None


def sign(digest: bytes, name: str) -> bytes:
    return bytes(Account.unsafe_sign_hash(digest, key(name)).signature)


def run(machine: Callable[[], Machine]) -> None:
    """Random examples, as many as the profile says: `pytest --hypothesis-profile=long` for many."""
    name = settings.get_current_profile_name()
    run_state_machine_as_test(machine, settings=settings.get_profile("long" if name == "long" else "short"))
