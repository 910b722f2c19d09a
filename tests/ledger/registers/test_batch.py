"""The codec of batch registers against the compiled contract; tests/contracts/test_batches.py runs both together."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.crypto import keccak

from ledger.batch_entry import ACTIVE, AMENDED, APPEND, NOTHING, VOIDED, BatchEntry, batch_id
from ledger.encoding import ZERO32, to_hex
from ledger.entries import approvals_hash, verify_history
from ledger.errors import InvalidProof
from ledger.merkle import inclusion_path, leaf_hash, root
from ledger.model import Application, Approval, Log
from ledger.registers import batch
from ledger.registers.base import HEAD_SLOT
from ledger.registers.transactions import REGISTER
from tests.builders import NAME, REGISTER_ADDRESS, REGISTRARS
from wallet.typed_data import TYPES, VERSION

CONTRACT = json.loads(Path("contracts/artifacts/BatchRegister.json").read_text())
SOURCE = Path("contracts/BatchRegister.sol").read_text()
SERIES, MANIFEST, REASON, DEADLINE = keccak(b"series"), keccak(b"manifest"), keccak(b"reason"), 1_800_000_000
BLOCK, TIME = 77, 1_700_000_000
SIGNED = [Approval(signer, "registrar", bytes([n]) * 65) for n, signer in enumerate(REGISTRARS, 1)]
DIGESTS = [keccak(bytes([n])) for n in range(5)]
LEAVES = [leaf_hash(digest) for digest in DIGESTS]
FIRST = BatchEntry(
    ZERO32, 1, TIME, APPEND, ACTIVE, ZERO32, approvals_hash(REGISTRARS), root(LEAVES), 5, 5, MANIFEST
)  # fmt: skip


def _type(parameter: dict[str, Any]) -> str:
    inner = ",".join(_type(part) for part in parameter.get("components", []))
    return str(parameter["type"]).replace("tuple", f"({inner})")


def types(name: str) -> list[str]:
    """The parameter types of a function or event, from the compiled contract."""
    found = next(item for item in CONTRACT["abi"] if item.get("name") == name and item["type"] in ("function", "event"))
    return [_type(parameter) for parameter in found["inputs"]]


def signature(name: str) -> str:
    return f"{name}({','.join(types(name))})"


ENTRY = types("Recorded")[1]


def words(entry: BatchEntry) -> tuple[Any, ...]:
    return tuple(vars(entry).values())


def application(action: str, current: BatchEntry | None = None, **changes: Any) -> Application:
    records = [{"digest": to_hex(digest)} for digest in DIGESTS]
    if action in ("append", "appendLeaves"):
        payload = {"series": to_hex(SERIES), "records": records}
        payload |= {"manifest": to_hex(MANIFEST)} if action == "append" else {}
    else:
        path = [to_hex(node) for node in inclusion_path(LEAVES, 3)]
        place = {"series": to_hex(SERIES), "batch": FIRST.as_json(), "digest": to_hex(DIGESTS[3]), "index": 3}
        payload = {"place": {**place, "path": path}, "reason": to_hex(REASON)}
        payload["records"] = [{"digest": to_hex(keccak(b"right"))}] if action == "amend" else []
    payload |= {"deadline": DEADLINE, "current": current and current.as_json(), **changes}
    return Application("id", str(NAME), action, payload, "approved", 0, bytes(32))


def called(action: str, current: BatchEntry | None = None) -> tuple[Any, ...]:
    """The arguments of a call, decoded as the compiled contract does, and encoded again as the standard says."""
    data = REGISTER.calldata(application(action, current), SIGNED[::-1])
    assert data[:4] == function_signature_to_4byte_selector(signature(action))
    arguments = decode(types(action), data[4:])
    assert data[4:] == encode(types(action), arguments)
    *rest, entry, approvals = arguments
    assert list(approvals) == [(a.signer.lower(), a.signature) for a in SIGNED]
    assert entry == words(current or NOTHING)
    return tuple(rest)


# The contract


def test_an_entry_is_the_struct_of_the_contract() -> None:
    recorded = next(item for item in CONTRACT["abi"] if item.get("name") == "Recorded")
    struct = [(part["name"], part["type"]) for part in recorded["inputs"][1]["components"]]
    assert [(f.name, f.metadata["abi"]) for f in fields(BatchEntry)] == struct


def test_heads_lie_where_verifiers_look_for_them() -> None:
    assert [int(i["slot"]) for i in CONTRACT["storageLayout"] if i["label"] == "headOf"] == [HEAD_SLOT]


def test_the_contract_fits_into_a_block() -> None:
    assert len(CONTRACT["deployedBytecode"]) // 2 - 1 < 24_576  # EIP-170


def test_what_is_signed_is_what_the_contract_hashes() -> None:
    hashed = set(re.findall(r'keccak256\(\s*"(\w+\([^"]+\))"', SOURCE))
    signed = {}
    for name in ("AppendBatch", "AppendLeaves", "AmendLeaf", "VoidLeaf"):
        signed[name] = f"{name}({','.join(m['type'] + ' ' + m['name'] for m in TYPES[name][name])})"
    assert hashed == set(signed.values())
    assert re.findall(r'EIP712\("([^"]+)", "([^"]+)"\)', SOURCE) == [(REGISTER.contract, VERSION)]


def test_actions_and_statuses_have_the_contracts_numbers() -> None:
    numbers = {name: int(number) for name, number in re.findall(r"uint8 public constant (\w+) = (\d+);", SOURCE)}
    names = ("APPEND", "APPEND_LEAVES", "AMEND", "VOID", "ACTIVE", "AMENDED", "VOIDED")
    assert numbers == {name: getattr(batch, name) for name in names}


def test_a_batch_has_the_place_that_the_contract_gives_it() -> None:
    assert batch_id(SERIES, 7) == keccak(encode(["bytes32", "uint32"], [SERIES, 7]))


# What is called and signed


@pytest.mark.parametrize("current", [None, FIRST])
def test_an_append_is_called_as_the_abi_says(current: BatchEntry | None) -> None:
    assert called("append", current) == ((SERIES, root(LEAVES), 5, MANIFEST, DEADLINE),)


def test_an_append_with_leaves_carries_them_all() -> None:
    assert called("appendLeaves", FIRST) == (SERIES, tuple(DIGESTS), DEADLINE)


def test_corrections_are_called_as_the_abi_says() -> None:
    place = (SERIES, words(FIRST), DIGESTS[3], 3, tuple(inclusion_path(LEAVES, 3)))
    amended = replace(NOTHING, sequence=1, status=AMENDED, digest=keccak(b"right"), manifest=REASON)
    assert called("amend") == (place, keccak(b"right"), REASON, DEADLINE)
    assert called("amend", amended) == called("amend")
    assert called("void", amended) == (place, REASON, DEADLINE)


def test_the_typed_data_names_the_register_the_head_and_what_is_recorded() -> None:
    for action in ("append", "appendLeaves"):
        signed = REGISTER.typed_data(application(action, FIRST))
        assert (signed.domain.name, signed.domain.chain_id) == ("BatchRegister", 1337)
        assert signed.domain.verifying_contract == REGISTER_ADDRESS
        expected = {"series": SERIES, "head": FIRST.head, "root": root(LEAVES), "count": 5, "deadline": DEADLINE}
        assert signed.message == expected | ({"manifest": MANIFEST} if action == "append" else {})
        assert REGISTER.typed_data(application(action)).message["head"] == ZERO32
    for action in ("amend", "void"):
        signed = REGISTER.typed_data(application(action))
        expected = {"leaf": LEAVES[3], "head": ZERO32, "reason": REASON, "deadline": DEADLINE}
        assert signed.message == expected | ({"replacement": keccak(b"right")} if action == "amend" else {})


def test_only_registrars_sign() -> None:
    assert REGISTER.signers(application("append")) == {}


# What is read


def log(event: str, data: bytes, record_id: bytes | None = None, transaction: bytes = b"t" * 32) -> Log:
    topics = (keccak(signature(event).encode()), *((record_id,) if record_id else ()))
    return Log(REGISTER_ADDRESS, topics, data, BLOCK, b"b" * 32, transaction, 0)


def approved(signers: tuple[str, ...] = REGISTRARS, transaction: bytes = b"t" * 32) -> Log:
    return log("Approved", encode(["address[]"], [signers]), transaction=transaction)


def recorded(entry: BatchEntry, transaction: bytes = b"t" * 32) -> Log:
    return log("Recorded", encode([ENTRY], [words(entry)]), SERIES, transaction)


def test_a_history_rebuilt_from_events_is_complete() -> None:
    second = replace(FIRST, previous=FIRST.head, sequence=2, count=3, total=8)
    logs = [approved(), recorded(FIRST), approved(transaction=b"u" * 32), recorded(second, b"u" * 32)]
    found = REGISTER.decode(logs, {BLOCK: TIME})
    entries = [BatchEntry.from_json(item.entry) for item in found]
    assert entries == [FIRST, second]
    assert entries[0].head == keccak(encode([ENTRY], [words(FIRST)]))
    assert {(item.record_id, item.approvers, item.block_number) for item in found} == {(SERIES, REGISTRARS, BLOCK)}
    verify_history(entries)


def test_events_of_other_contracts_features_are_passed_over() -> None:
    strange = approved()._replace(topics=(keccak(b"EIP712DomainChanged()"),))
    assert REGISTER.decode([strange, strange._replace(topics=())], {BLOCK: TIME}) == []


@pytest.mark.parametrize(
    "logs",
    [
        [recorded(FIRST)],
        [approved(transaction=b"u" * 32), recorded(FIRST)],
        [approved(REGISTRARS[:1]), recorded(FIRST)],
        [approved(), recorded(FIRST)._replace(topics=recorded(FIRST).topics[:1])],
        [approved(), recorded(FIRST)._replace(data=b"")],
        [approved(), recorded(FIRST)._replace(data=b"\xff" * 352)],
        [approved()._replace(data=b"\xff" * 64), recorded(FIRST)],
    ],
)
def test_events_that_no_such_contract_emits_are_refused(logs: list[Log]) -> None:
    with pytest.raises(InvalidProof, match="log 0 of block 77"):
        REGISTER.decode(logs, {BLOCK: TIME})


def test_a_corrected_record_is_judged_by_its_newest_correction() -> None:
    assert REGISTER.status({}, FIRST, TIME) == ("valid", "recorded in batch 1, never corrected")
    amended = replace(FIRST, status=AMENDED, sequence=2)
    assert REGISTER.status({}, amended, TIME)[0] == "valid" and "2 time(s)" in REGISTER.status({}, amended, TIME)[1]
    assert REGISTER.status({}, replace(FIRST, status=VOIDED), TIME) == ("invalid", "the record was declared void")
