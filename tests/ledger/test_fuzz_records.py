"""Anybody can make up a block, and an office can record nonsense: whatever a state proves, the verifier answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.certificate import Certificate
from ledger.encoding import ZERO32, keccak256
from ledger.entries import Entry
from ledger.errors import BadInput, InvalidProof
from ledger.registers import REGISTERS
from ledger.registers.leaf import Leaf
from ledger.state_proof import parse_header, prove_account, prove_slot
from ledger.verifier import verify
from tests.vectors.chain import fixed_content, trust_root
from tests.vectors.genuine import chain_of, records
from tests.vectors.history import Record

TRUST = trust_root()
BASES = (
    "land-merge-child",
    "land-assign",
    "identity-recover",
    "transactions-amend",
    "transactions-void",
)
WORDS = st.sampled_from([ZERO32, keccak256(b""), b"\xff" * 32]) | st.binary(min_size=32, max_size=32)
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["unlimited", "9999-12-31", "0001-01-01", "0.00", "412.50", "1.1.1.1.1", "0x" + "1a" * 32]),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers(0, 2**53 - 1), max_size=3),
)


def numbers(bits: int) -> st.SearchStrategy[int]:
    return st.one_of(st.integers(0, 4), st.sampled_from([0, (1 << bits) - 1]), st.integers(0, (1 << bits) - 1))


def drawn_entry(data: st.DataObject, entry: Entry) -> Any:
    """The entry with some of its members drawn anew."""
    members = [f for f in fields(entry) if f.metadata["abi"] != "address"]
    changes = {}
    for member in data.draw(st.lists(st.sampled_from(members), max_size=3)):
        kind = member.metadata["abi"]
        changes[member.name] = data.draw(WORDS if kind == "bytes32" else numbers(int(kind[4:])))
    return replace(entry, **changes)


def drawn_history(data: st.DataObject, entries: Sequence[Entry], digest: bytes) -> list[Any]:
    """The same number of entries; most of the time each follows the one before, and all have this digest."""
    drawn, coherent = [drawn_entry(data, entry) for entry in entries], data.draw(st.sampled_from([True, True, False]))
    for number, (entry, old) in enumerate(zip(drawn, entries, strict=True)) if coherent else ():
        previous = drawn[number - 1].head if number else ZERO32
        drawn[number] = replace(entry, previous=previous, sequence=old.sequence, approvals=old.approvals)
        drawn[number] = replace(drawn[number], digest=digest)
    return drawn


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(BASES), st.data())
def test_no_record_that_a_state_proves_crashes_the_verifier(name: str, data: st.DataObject) -> None:
    base = records()[name]
    true, evidence = base.content.disclose().values, base.claim.evidence
    changes = st.dictionaries(st.sampled_from(sorted(true)), VALUES, max_size=3)
    content = fixed_content("drawn", true | data.draw(st.just({}) | changes))
    if isinstance(evidence, Leaf):
        batch = replace(drawn_entry(data, base.claim.entries[0]), previous=ZERO32)
        corrections = drawn_history(data, [entry for entry, _ in evidence.corrections], content.digest)
        approvers = [names for _, names in evidence.corrections]
        evidence = replace(evidence, corrections=tuple(zip(corrections, approvers, strict=True)))
        entries = [batch]
    else:
        entries = drawn_history(data, base.claim.entries, content.digest)
    claim = replace(base.claim, entries=tuple(entries), evidence=evidence)
    of = evidence.heads(claim.record_id, entries)
    heads = {of["head"]: entries[-1].head}
    if isinstance(evidence, Leaf) and evidence.corrections:
        heads[of["leaf"]] = evidence.corrections[-1][0].head
    made = chain_of({"": Record(base.kind, claim, content, content, heads)})
    answered(made.certificate(base.kind, claim, content), made.header)


def answered(certificate: Certificate, header: bytes) -> None:
    """Verify it in a block that is believed, and in one that is not."""
    data = json.dumps(certificate.as_json()).encode()
    block = parse_header(header)
    believed = verify(data, TRUST, block_hashes={block.number: block.hash})
    made_up = replace(certificate, state=replace(certificate.state, checkpoint=""))
    unbelieved = verify(json.dumps(made_up.as_json()).encode(), TRUST)
    assert not unbelieved.valid
    if believed.valid:
        schema = REGISTERS[certificate.kind].schema
        values = {k: v for k, v in certificate.content.values.items() if k not in ("schema", "document")}
        schema.validate(values)
    json.dumps([believed.as_json(), unbelieved.as_json()], ensure_ascii=False).encode()


NODES = st.recursive(st.binary(max_size=40), lambda part: st.lists(part, max_size=17), max_leaves=40)


@settings(max_examples=400, deadline=None)
@given(NODES, st.lists(NODES, max_size=3), st.binary(min_size=32, max_size=32))
def test_no_nodes_crash_a_proof_even_if_their_hashes_are_right(leaf: Any, branches: list[Any], key: bytes) -> None:
    nodes = [rlp.encode(leaf)]
    for branch in branches:
        items = branch if isinstance(branch, list) else [branch]
        nodes.append(rlp.encode([*items[:1], *[keccak256(nodes[-1])] * (1 if len(items) < 3 else 16)]))
    nodes.reverse()
    for proof in (prove_slot, lambda root, at, found: prove_account(root, "0x" + at[:20].hex(), found)):
        try:
            proof(keccak256(nodes[0]), key, nodes)
        except InvalidProof:
            continue


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=40) | NODES, min_size=10, max_size=24) | NODES)
def test_no_rlp_crashes_the_header(items: Any) -> None:
    try:
        parse_header(rlp.encode(items))
    except (InvalidProof, BadInput):
        return
