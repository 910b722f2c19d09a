"""What the state machines of the registers share: random changes, signed rightly or wrongly, go to the compiled contract
on a devnet and to the rules in Python, and what the two say is compared."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, TypeVar

from eth_account import Account
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from ledger.encoding import RegisterName, address_bytes, checksum_address, from_hex, keccak256, to_hex
from ledger.entries import Entry, verify_history
from ledger.errors import ContractReverted
from ledger.model import Application, Approval, Log
from ledger.registers.base import Register
from scripts.compile import ARTIFACTS
from tests.contracts.offices import CHAIN_ID, DEADLINE, Office, address_of, key

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
flaws = st.sampled_from((*len(FLAWS) * 3 * ("",), *FLAWS))
numbers = st.integers(0, 99)


def oddities(*names: str) -> st.SearchStrategy[str]:
    """What is wrong with a change that is asked for: mostly nothing."""
    return st.sampled_from((*len(names) * 2 * ("",), *names))


def pick(options: Sequence[T], number: int) -> T:
    return options[number % len(options)]


class Node:
    """The devnet of an office, over one connection that stays open."""

    def __init__(self, office: Office) -> None:
        self.connection = http.client.HTTPConnection(office.url.removeprefix("http://"), timeout=60)
        self.accounts = self.rpc("eth_accounts")

    def ask(self, method: str, *params: Any) -> dict[str, Any]:
        return self._post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})

    def rpc(self, method: str, *params: Any) -> Any:
        answer = self.ask(method, *params)
        assert "error" not in answer, answer
        return answer["result"]

    def call_all(self, to: str, calls: Sequence[bytes]) -> list[bytes]:
        """The answers to read-only calls, in their order."""
        asked = [
            {"jsonrpc": "2.0", "id": i, "method": "eth_call", "params": [{"to": to, "data": to_hex(data)}, "latest"]}
            for i, data in enumerate(calls)
        ]
        answers = self._post(asked) if asked else []
        return [from_hex(answer["result"], None) for answer in sorted(answers, key=lambda answer: answer["id"])]

    def _post(self, body: Any) -> Any:
        self.connection.request("POST", "/", json.dumps(body), {"Content-Type": "application/json"})
        return json.loads(self.connection.getresponse().read())


class Machine(RuleBasedStateMachine):
    """One example: what the model holds is in `histories`, and the contract must hold the same."""

    register: ClassVar[Register]

    def __init__(self, node: Node, address: str) -> None:
        super().__init__()
        self.node, self.address, self.team, self.serial = node, address, REGISTRARS, 0
        self.time = int(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        self.histories: dict[bytes, list[Any]] = {}
        self.accepted: list[tuple[str, dict[str, Any], list[Approval]]] = []
        self.snapshot = node.rpc("evm_snapshot")

    def teardown(self) -> None:
        self.node.rpc("evm_revert", self.snapshot)

    def heads(self) -> dict[bytes, bytes]:
        return {record_id: history[-1].head for record_id, history in self.histories.items()}

    def newest(self, record_id: bytes) -> Any:
        return self.histories[record_id][-1]

    def choose(self, number: int, *statuses: int) -> bytes:
        """A record, mostly one of these statuses."""
        fit = [record_id for record_id in self.histories if self.newest(record_id).status in statuses]
        return pick(fit if fit and number % 6 else [*self.histories], number // 6)

    def has(self, count: int, *statuses: int) -> bool:
        """Whether to try what records of these statuses can do: if there are so many, and now and then if not."""
        fit = sum(history[-1].status in statuses for history in self.histories.values())
        return fit >= count or len(self.accepted) % 8 == 7

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

    def attempt(self, action: str, payload: dict[str, Any], flaw: str = "", number: int = 0) -> Mapping[bytes, Entry]:
        """Let both judge a change; what it recorded, nothing if it was refused. `number` chooses who approves and who
        sends."""
        self.team = pick(TEAMS, number)
        payload["deadline"] = self.time if flaw == "expired" else DEADLINE
        approvals = self.approvals(action, payload, flaw)
        if approvals is None:
            flaw, payload["deadline"] = "", DEADLINE
            approvals = self.approvals(action, payload, flaw) or []
        return self.send(action, payload, approvals, flaw, number)

    def send(
        self, action: str, payload: dict[str, Any], approvals: list[Approval], flaw: str = "", sender: int = 0
    ) -> Mapping[bytes, Entry]:
        self.time += 1
        roles = self.officials(action)
        approvers = sorted((a.signer for a in approvals if a.role in roles), key=address_bytes)
        expected, errors = self.judge(action, payload, approvers, set(FLAWS.get(flaw, ())))
        logs, error = self.transact(self.register.calldata(self.application(action, payload), approvals), sender)
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
        selector, heads = keccak256(b"headOf(bytes32)")[:4], self.heads() | {keccak256(b"never"): bytes(32)}
        stored = self.node.call_all(self.address, [selector + record_id for record_id in heads])
        assert stored == list(heads.values())
        for record_id in told:
            verify_history(self.histories[record_id])

    def told(self, expected: Mapping[bytes, Entry]) -> Mapping[bytes, Entry]:
        """Those of the new entries that have an event."""
        return expected

    def transact(self, data: bytes, sender: int) -> tuple[list[Log], str]:
        """The logs of a transaction in a block of `self.time`, and the name of its error, of which one is empty."""
        self.node.rpc("evm_setNextBlockTimestamp", self.time)
        fields = {"from": pick(self.node.accounts, sender), "to": self.address, "data": to_hex(data)}
        answer = self.node.ask("eth_sendTransaction", fields | {"gas": hex(1 << 24)})
        if "error" in answer:
            assert answer["error"]["data"][:10] in error_names(), answer
            return [], error_names()[answer["error"]["data"][:10]]
        receipt = self.node.rpc("eth_getTransactionReceipt", answer["result"])
        assert receipt["status"] == "0x1"
        return [parse_log(log) for log in receipt["logs"]], ""

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
            signed[spoilt[flaw]] = Approval(theirs.signer, theirs.role, sign(digest, "stranger"))
        return signed

    def reuse(self, signed: list[Approval]) -> list[Approval] | None:
        """One of the signatures taken from the newest change that the same person signed."""
        for _, _, approvals in reversed(self.accepted):
            for old in approvals:
                for place, new in enumerate(signed):
                    if new.signer == old.signer:
                        return [*signed[:place], Approval(new.signer, new.role, old.signature), *signed[place + 1 :]]
        return None

    def replay(self, number: int, sender: int) -> None:
        """Send a call that was taken once again, signatures and all."""
        if self.accepted:
            assert not self.send(*pick(self.accepted, number), sender=sender)


def sign(digest: bytes, name: str) -> bytes:
    return bytes(Account.unsafe_sign_hash(digest, key(name)).signature)


def run(machine: Callable[[], Machine]) -> None:
    """Random examples, as many as the profile says: `pytest --hypothesis-profile=long` for many."""
    name = settings.get_current_profile_name()
    run_state_machine_as_test(machine, settings=settings.get_profile("long" if name == "long" else "short"))


@cache
def error_names() -> dict[str, str]:
    names = {}
    for path in ARTIFACTS.glob("*.json"):
        for item in json.loads(path.read_text())["abi"]:
            if item["type"] == "error":
                signature = f"{item['name']}({','.join(argument['type'] for argument in item['inputs'])})"
                names[to_hex(keccak256(signature.encode())[:4])] = item["name"]
    return names


def parse_log(log: Mapping[str, Any]) -> Log:
    topics = tuple(from_hex(topic, 32) for topic in log["topics"])
    block, index = int(log["blockNumber"], 16), int(log["logIndex"], 16)
    hashes = from_hex(log["blockHash"], 32), from_hex(log["transactionHash"], 32)
    return Log(checksum_address(from_hex(log["address"], 20)), topics, from_hex(log["data"], None), block, *hashes, index)
