"""The file format, proofs of absence, and that no file at all can mislead or crash the verifier."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.certificate import MAX_BYTES, Certificate, parse
from ledger.errors import BadInput, TooLarge
from ledger.verifier import verify
from tests.builders import BLOCK_NUMBER, DOCUMENT, NIB, UNUSED_NIB, World, as_bytes, trust_root

WORLD = World()
TRUST = trust_root()
CERTIFICATE, ABSENCE = WORLD.certificate(), WORLD.absence()
FILES = {"certificate": CERTIFICATE.as_json(), "absence": ABSENCE.as_json()}


@pytest.mark.parametrize("made", [CERTIFICATE, ABSENCE])
def test_a_file_survives_parsing(made: Certificate) -> None:
    assert parse(as_bytes(made)) == made


def test_an_absence_is_proved() -> None:
    verdict = verify(as_bytes(ABSENCE), TRUST)
    assert verdict.valid
    assert verdict.subject == "absence"
    assert (verdict.axes["status"].reason, verdict.block_number) == ("never issued", BLOCK_NUMBER)


def test_an_existing_record_is_not_absent() -> None:
    verdict = verify(as_bytes(WORLD.absence(NIB)), TRUST)
    assert verdict.refusal is not None
    assert (verdict.refusal.number, verdict.axes["integrity"].state) == (5, "invalid")


@pytest.mark.parametrize(
    ("number", "forge"),
    [
        (5, lambda v: v["subject"].update(nib=NIB)),
        (5, lambda v: v["state"]["register"]["slots"].update(head=[])),
        (5, lambda v: v["state"]["register"]["slots"]["head"].pop()),
        (4, lambda v: v["state"]["register"].update(account=FILES["certificate"]["state"]["authority"]["account"])),
        (1, lambda v: v["subject"].clear()),
        (1, lambda v: v["subject"].update(holder="Siti")),
        (1, lambda v: v["subject"].update(nib=7)),
        (1, lambda v: v["state"].update(authority=FILES["certificate"]["state"]["authority"])),
    ],
)
def test_a_forged_absence_is_refused(number: int, forge: Callable[[dict[str, Any]], Any]) -> None:
    value = copy.deepcopy(FILES["absence"])
    forge(value)
    verdict = verify(as_bytes(value), TRUST)
    assert verdict.refusal is not None
    assert verdict.refusal.number == number
    assert not verdict.valid


@pytest.mark.parametrize(
    "lookalike", [NIB + " ", NIB + "\u200b", NIB.replace("0", "O"), NIB.replace("1", "\u0661"), NIB + ".", "." + NIB]
)
def test_a_parcel_that_only_looks_like_one_with_a_title_is_no_subject(lookalike: str) -> None:
    # Nothing was ever recorded under such a number, so the proof is true, and the answer would mislead.
    verdict = verify(as_bytes(WORLD.absence(lookalike)), TRUST)
    assert verdict.refusal is not None
    assert verdict.refusal.number == 1


def test_a_parcel_number_without_its_dots_is_the_same_parcel() -> None:
    verdict = verify(as_bytes(WORLD.absence(NIB.replace(".", ""))), TRUST)
    assert verdict.refusal is not None
    assert verdict.refusal.number == 5
    assert verify(as_bytes(WORLD.absence(UNUSED_NIB.replace(".", ""))), TRUST).valid


def test_a_file_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(TooLarge):
        parse(b" " * (MAX_BYTES + 1))


@pytest.mark.parametrize(
    ("pointer", "change"),
    [
        ("/entries", lambda v: v.update(entries=[v["entries"][0]] * 4097)),
        ("/approvers", lambda v: v["approvers"].pop()),
        ("/approvers/0", lambda v: v["approvers"].__setitem__(0, v["approvers"][0] * 17)),
        ("/approvers/0/0", lambda v: v["approvers"][0].__setitem__(0, "0x00")),
        ("/recordId", lambda v: v.update(recordId=v["recordId"][2:])),
        ("/register", lambda v: v.update(register=7)),
        ("/kind", lambda v: v.update(kind=["land"])),
        ("/state/header", lambda v: v["state"].update(header=None)),
        ("/state/checkpoint", lambda v: v["state"].update(checkpoint="x" * 16385)),
        ("/state/register/account", lambda v: v["state"]["register"].update(account=["0x"] * 66)),
        ("/state/register/slots", lambda v: v["state"]["register"].update(slots=[])),
        ("/state/register/slots", lambda v: v["state"]["register"].update(slots={})),
        ("/content/size", lambda v: v["content"].update(size="9")),
    ],
)
def test_what_is_malformed_is_named_by_its_pointer(pointer: str, change: Callable[[dict[str, Any]], Any]) -> None:
    value = copy.deepcopy(FILES["certificate"])
    change(value)
    with pytest.raises(BadInput) as caught:
        parse(as_bytes(value))
    assert caught.value.pointer == pointer


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a JSON document."""
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*place, key))


def meaning(data: bytes) -> dict[str, Any]:
    """What a file says, without who witnessed it and without proofs that nothing asked for."""
    value = parse(data).as_json()
    value["state"].pop("checkpoint")
    value["subject"] = value.get("subject", {}).get("nib", "").replace(".", "")  # the dots say nothing
    registrars = {name for names in value.get("approvers", []) for name in names}
    authority = value["state"].get("authority", {"slots": {}})
    authority["slots"] = {name: nodes for name, nodes in authority["slots"].items() if name in registrars}
    return value


def assert_not_misled(kind: str, data: bytes) -> None:
    for document in (None, DOCUMENT):
        verdict = verify(data, TRUST, document=document)
        if verdict.valid:
            said, true = meaning(data), meaning(as_bytes(FILES[kind]))
            shown, all_fields = (part.pop("content", {"size": 0, "fields": []}) for part in (said, true))
            assert said == true
            assert shown["size"] == all_fields["size"]
            assert all(field in all_fields["fields"] for field in shown["fields"])  # the rest is withheld
        else:
            assert verdict.refusal is not None
        json.dumps(verdict.as_json()).encode()


PLACES = {kind: list(places(value)) for kind, value in FILES.items()}
REPLACEMENTS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["", "0x", "0x00", "0x80", "0xc0", "0x" + "00" * 32, "0x" + "ff" * 20, 10**400]),
    st.just([]),
    st.just({}),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_no_changed_json_value_misleads_or_crashes_the_verifier(kind: str, data: st.DataObject) -> None:
    value = copy.deepcopy(FILES[kind])
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(PLACES[kind][1:]))
        part: Any = value
        try:
            for step in place[:-1]:
                part = part[step]
            old = part[place[-1]]
        except (LookupError, TypeError):
            continue
        if not isinstance(part, dict | list):  # the first change put a string here
            continue
        action = data.draw(st.sampled_from(["replace", "delete", "edit", "repeat", "move"]))
        if action == "delete":
            del part[place[-1]]
        elif action == "edit" and isinstance(old, str) and old:
            at = data.draw(st.integers(0, len(old) - 1))
            part[place[-1]] = old[:at] + data.draw(st.text(max_size=2)) + old[at + 1 :]
        elif action == "repeat" and isinstance(old, list | str):
            part[place[-1]] = old * 2
        elif action == "move":
            other: Any = FILES[data.draw(st.sampled_from(sorted(FILES)))]
            for step in data.draw(st.sampled_from(list(places(other)))):
                other = other[step]
            part[place[-1]] = copy.deepcopy(other)
        else:
            part[place[-1]] = data.draw(REPLACEMENTS)
    assert_not_misled(kind, json.dumps(value).encode())


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_no_changed_byte_misleads_or_crashes_the_verifier(kind: str, data: st.DataObject) -> None:
    changed = bytearray(as_bytes(FILES[kind]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(changed) - 1))
        cut = data.draw(st.integers(0, 3))
        changed[at : at + cut] = data.draw(st.binary(max_size=3))
    assert_not_misled(kind, bytes(changed))


@given(st.binary(max_size=200))
def test_no_bytes_at_all_crash_the_verifier(data: bytes) -> None:
    assert not verify(data, TRUST).valid
    assert not verify(data, None).valid


def test_every_single_hex_digit_matters() -> None:
    # Each digit of each proof, hash and address of the certificate, changed alone: never valid.
    value = FILES["certificate"]
    for place in PLACES["certificate"]:
        old: Any = value
        for step in place:
            old = old[step]
        if not isinstance(old, str) or not old.startswith("0x"):
            continue
        for at in range(2, len(old), max(1, len(old) // 12)):
            changed = copy.deepcopy(value)
            part: Any = changed
            for step in place[:-1]:
                part = part[step]
            part[place[-1]] = old[:at] + ("0" if old[at] != "0" else "1") + old[at + 1 :]
            assert not verify(as_bytes(changed), TRUST).valid, place
