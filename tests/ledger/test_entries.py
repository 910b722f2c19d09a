from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from ledger.encoding import checksum_address
from ledger.entries import approvals_hash, verify_history
from ledger.errors import BadInput, InvalidProof
from ledger.registers.land import LandEntry
from tests.builders import REGISTRARS, content, entries_of

TYPES = [f.metadata["abi"] for f in fields(LandEntry)]


def _values(abi_type: str) -> st.SearchStrategy[Any]:
    if abi_type == "bytes32":
        return st.binary(min_size=32, max_size=32)
    if abi_type == "address":
        return st.binary(min_size=20, max_size=20).map(checksum_address)
    return st.integers(0, 2 ** int(abi_type[4:]) - 1)


ENTRIES = st.builds(LandEntry, *(_values(abi_type) for abi_type in TYPES))


@given(ENTRIES)
def test_an_entry_is_encoded_as_the_abi_encodes_the_struct(entry: LandEntry) -> None:
    encoded = encode([f"({','.join(TYPES)})"], [tuple(vars(entry).values())])
    assert entry.encode() == encoded
    assert entry.head == keccak(encoded)


@given(ENTRIES)
def test_an_entry_survives_json(entry: LandEntry) -> None:
    assert LandEntry.from_json(json.loads(json.dumps(entry.as_json()))) == entry


def test_wide_numbers_are_strings_in_json_and_narrow_ones_numbers() -> None:
    value = entries_of(content())[0].as_json()
    assert value["area"] == "41250"
    assert value["time"] == entries_of(content())[0].time
    assert isinstance(value["sequence"], int)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((f.name, 2 ** int(f.metadata["abi"][4:])) for f in fields(LandEntry) if f.metadata["abi"].startswith("uint")),
        *((f.name, -1) for f in fields(LandEntry) if f.metadata["abi"].startswith("uint")),
        *((f.name, "0x00") for f in fields(LandEntry)),
        *((f.name, None) for f in fields(LandEntry)),
        ("sequence", True),
        ("sequence", 1.0),
        ("sequence", "1"),
        ("area", 41250),
        ("area", str(2**64)),
        ("area", "041250"),
        ("area", "-1"),
        ("area", "4e4"),
        ("area", "\u0661"),
        ("area", "1" * 5000),
        ("holder", "0x" + "00" * 32),
        ("digest", "0x" + "0" * 63),
        ("unknown", 1),
    ],
)
def test_a_field_out_of_range_or_form_is_refused_by_name(name: str, value: Any) -> None:
    written = entries_of(content())[0].as_json() | {name: value}
    with pytest.raises(BadInput, match=name):
        LandEntry.from_json(written, "/entries/0")


@pytest.mark.parametrize("name", [f.name for f in fields(LandEntry)])
def test_a_missing_field_is_refused_by_name(name: str) -> None:
    written = entries_of(content())[0].as_json()
    del written[name]
    with pytest.raises(BadInput, match=name):
        LandEntry.from_json(written, "/entries/0")


def test_every_field_changes_the_head() -> None:
    entry = entries_of(content())[0]
    for f in fields(LandEntry):
        old = getattr(entry, f.name)
        new = old + 1 if isinstance(old, int) else bytes(31) + b"\x07" if isinstance(old, bytes) else REGISTRARS[0]
        assert replace(entry, **{f.name: new}).head != entry.head


def test_approvals_are_the_hash_of_the_packed_addresses_in_order() -> None:
    packed = b"".join(bytes.fromhex(registrar[2:]) for registrar in REGISTRARS)
    assert approvals_hash(REGISTRARS) == keccak(packed)
    assert approvals_hash(REGISTRARS) != approvals_hash(REGISTRARS[::-1])


def history() -> list[LandEntry]:
    return list(entries_of(content(), count=4))


def test_a_whole_history_is_accepted_and_equal_times_too() -> None:
    verify_history(history())
    verify_history(history()[:1])


@pytest.mark.parametrize("dropped", [0, 1, 2])
def test_a_history_with_an_entry_dropped_is_refused(dropped: int) -> None:
    shown = history()
    del shown[dropped]
    with pytest.raises(InvalidProof):
        verify_history(shown)


def test_a_history_with_an_entry_added_is_refused() -> None:
    whole = history()
    for place in range(5):
        with pytest.raises(InvalidProof):
            verify_history([*whole[:place], whole[0], *whole[place:]])


def test_a_history_in_another_order_is_refused() -> None:
    whole = history()
    for wrong in (whole[::-1], [whole[0], whole[2], whole[1], whole[3]], [whole[1], whole[0]]):
        with pytest.raises(InvalidProof):
            verify_history(wrong)


def test_renumbering_does_not_hide_a_dropped_entry() -> None:
    whole = history()
    with pytest.raises(InvalidProof, match="entry 2"):
        verify_history([whole[0], replace(whole[2], sequence=2), whole[3]])


def test_an_entry_older_than_the_one_before_is_refused() -> None:
    first, second, *_ = history()
    with pytest.raises(InvalidProof, match="older"):
        verify_history([first, replace(second, time=first.time - 1)])
    verify_history([first, replace(second, time=first.time)])


def test_a_first_entry_that_follows_another_is_refused() -> None:
    with pytest.raises(InvalidProof):
        verify_history([replace(history()[0], previous=b"\x01" * 32)])
