"""Whatever is done to a file, the verifier answers, raises nothing, believes nothing untrue, and does no endless work.

tests/ledger/test_certificate.py changes values and bytes; here files are cut, blown up, nested and given keys twice."""

from __future__ import annotations

import copy
import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.certificate import Certificate, parse
from ledger.errors import BadInput
from ledger.registers import REGISTERS
from ledger.trust import TrustRoot
from ledger.verdict import Verdict
from ledger.verifier import verify
from tests.vectors.genuine import compact, records
from tests.vectors.make import FOLDER, vectors

LISTED = {name: vector for name, vector in vectors().items() if name.endswith(".json") and vector.trust == "trust"}
TRUE = {name: vector.data for name, vector in LISTED.items() if vector.refusal is None}
HEADS = {head for record in records().values() for head in record.heads}
TRUST = TrustRoot.parse((FOLDER / "trust.json").read_bytes())
NAMES = st.sampled_from(sorted(name for name, data in TRUE.items() if verify(data, TRUST).valid))
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 2**70), st.floats(), st.text(max_size=40), st.just("0x" + "ff" * 32)
)
JSON = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=9), part), max_leaves=5
)
BIG = 1 << 19
LARGE = 10_000  # places: blown up once more, a file is too large to be read and takes a minute to make
Place = tuple[Any, Any]


def said(data: bytes) -> dict[str, Any]:
    """What a file says of a record, and the state that it says it of. Who else signed the block, and which fields there
    are beside those shown, is not part of that, nor are proofs about approvers that no entry has."""
    parsed = parse(data)
    value = parsed.as_json()
    del value["state"]["checkpoint"]
    if isinstance(parsed, Certificate):
        fields = value.pop("content")["fields"]
        value["fields"] = {field["name"]: field for field in fields}
        del value["state"]["authority"]["slots"]
    return value


def answer(name: str, data: bytes) -> Verdict:
    """The verdict, which is valid only of what the true file says too, or of less of its fields."""
    verdict = verify(data, TRUST)
    json.dumps(verdict.as_json(), ensure_ascii=False).encode()
    if verdict.valid:
        true, claimed = said(TRUE[name]), said(data)
        fields = claimed.pop("fields", {}), true.pop("fields", {})
        assert fields[0].items() <= fields[1].items()
        if subject := claimed.pop("subject", None):  # one proof shows many a record to be absent, and rightly so
            assert REGISTERS[claimed["kind"]].record_id(subject) not in HEADS
            del true["subject"]
        assert claimed == true
    return verdict


def places(value: Any) -> Iterator[Place]:
    """Every container in a JSON value with each of its keys."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(item, dict | list):
            yield from places(item)


def nested(item: Any, depth: int) -> Any:
    for level in range(depth):
        item = [item] if level % 2 else {"value": item}
    return item


MUTATIONS: list[Callable[[st.DataObject, Place, Place], Any]] = [
    lambda data, place, other: data.draw(JSON),
    lambda data, place, other: copy.deepcopy(other[0][other[1]]),
    lambda data, place, other: nested(place[0][place[1]], data.draw(st.sampled_from([1, 20, 31, 200]))),
    lambda data, place, other: blown_up(place[0][place[1]], data.draw(st.sampled_from([2, 33, 70, 5000]))),
    lambda data, place, other: cut(data, place[0][place[1]]),
]


def blown_up(item: Any, times: int) -> Any:
    if isinstance(item, dict):
        return item | {f"{key}{n}": value for key, value in item.items() for n in range(min(times, 70))}
    return item * min(times, 70 if isinstance(item, list) else times) if isinstance(item, str | list) else item


def cut(data: st.DataObject, item: Any) -> Any:
    if not isinstance(item, str | list | dict) or not item:
        return {}
    kept = data.draw(st.integers(0, len(item) - 1))
    return dict(list(item.items())[:kept]) if isinstance(item, dict) else item[:kept]


@settings(max_examples=400, deadline=None)
@given(NAMES, st.data())
def test_no_change_of_the_structure_misleads_or_crashes_the_verifier(name: str, data: st.DataObject) -> None:
    value, source = json.loads(TRUE[name]), json.loads(TRUE[data.draw(NAMES)])
    for _ in range(data.draw(st.integers(1, 3))):
        found = list(places(value))
        if not found or len(found) > LARGE:
            break
        parent, key = data.draw(st.sampled_from(found))
        other = data.draw(st.sampled_from(list(places(source))))
        parent[key] = data.draw(st.sampled_from(MUTATIONS))(data, (parent, key), other)
    answer(name, json.dumps(value).encode())


@settings(max_examples=200, deadline=None)
@given(NAMES, st.data())
def test_no_file_that_is_cut_or_repeated_misleads_the_verifier(name: str, data: st.DataObject) -> None:
    whole = TRUE[name]
    at = data.draw(st.integers(0, len(whole) - 2))
    size = data.draw(st.sampled_from([1, 2, 16, 300, len(whole)]))
    assert not answer(name, whole[:at]).valid
    assert not answer(name, whole[at + 1 :]).valid
    answer(name, whole[:at] + whole[at : at + size] * 2 + whole[at + size :])


@settings(max_examples=200, deadline=None)
@given(NAMES, st.data())
def test_a_key_that_stands_twice_is_refused_wherever_it_is(name: str, data: st.DataObject) -> None:
    value = json.loads(TRUE[name])
    parent, key = data.draw(st.sampled_from([(p, k) for p, k in places(value) if isinstance(p, dict)]))
    member = compact({key: parent[key]})[1:-1]
    changed = compact(value).replace(member, member + b"," + member, 1)
    assert len(changed) > len(compact(value))
    verdict = answer(name, changed)
    assert verdict.refusal is not None and verdict.refusal.number == 1


@settings(max_examples=100, deadline=None)
@given(NAMES, st.randoms(use_true_random=False), st.sampled_from([None, 0, 1, 9]))
def test_order_of_keys_and_white_space_mean_nothing(name: str, random: Any, indent: int | None) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, list):
            return [shuffled(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {key: shuffled(value[key]) for key in random.sample(sorted(value), len(value))}

    changed = json.dumps(shuffled(json.loads(TRUE[name])), indent=indent, ensure_ascii=bool(indent)).encode()
    assert answer(name, changed).valid
    assert said(changed) == said(TRUE[name])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_trust_root_is_read_or_refused(data: st.DataObject) -> None:
    value = TRUST.as_json()
    parent, key = data.draw(st.sampled_from(list(places(value))))
    parent[key] = data.draw(JSON)
    written = json.dumps(value).encode()
    try:
        assert TrustRoot.parse(written).as_json() == value
    except BadInput:
        return


def _filled(pointer: str, item: Callable[[int], Any]) -> bytes:
    """A certificate with a great many items in one place."""
    value = json.loads(TRUE["genuine/transactions-amend.json"])
    part = value
    *steps, last = pointer.split("/")
    for step in steps:
        part = part[int(step) if step.isdigit() else step]
    size = BIG // (len(json.dumps(item(10**6))) + 12)
    part[last] = {f"{n:08}": item(n) for n in range(size)} if last == "slots" else [item(n) for n in range(size)]
    return json.dumps(value).encode()


HUGE: dict[str, Callable[[], bytes]] = {
    "entries": lambda: _filled("entries", lambda n: json.loads(TRUE["genuine/transactions-amend.json"])["entries"][0]),
    "fields": lambda: _filled(
        "content/fields", lambda n: {"index": n, "salt": "", "name": "", "value": "", "path": []}
    ),
    "slots": lambda: _filled("state/authority/slots", lambda n: []),
    "nodes": lambda: _filled("state/register/account", lambda n: "0x80"),
    "corrections": lambda: _filled("evidence/corrections", lambda n: {"entry": {}, "approvers": []}),
    "one-string": lambda: b'{"format":"' + b"k" * (BIG) + b'"}',
    "one-number": lambda: b'{"format":' + b"1" * (BIG) + b"}",
    "one-key": lambda: b'{"' + b"k" * (BIG) + b'":1}',
    "escapes": lambda: b'"' + b"\\u0000" * (BIG // 6 - 1) + b'"',
    "quotes": lambda: b'\\"' * (BIG // 2),
    "open-strings": lambda: b'"\\' * (BIG // 2),
    "brackets": lambda: b"[" * BIG,
    "pairs": lambda: b"[" + b"{}," * (BIG // 3 - 1) + b"{}]",
    "too-long": lambda: b"[" * (1 << 26),
}


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in HUGE.items()])
def test_work_and_memory_are_bounded_by_the_size_of_the_file(make: Callable[[], bytes]) -> None:
    data, calls = make(), 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += 1

    tracemalloc.start()
    sys.setprofile(count)
    try:
        verdict = verify(data, TRUST)
    finally:
        sys.setprofile(None)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert not verdict.valid
    assert peak < 60 * BIG
    assert calls < 4 * BIG
