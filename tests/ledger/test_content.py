from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import merkle
from ledger.content import Content, DisclosedField, Disclosure, SaltedField, salted
from ledger.errors import BadInput, InvalidProof

SALT = "AAECAwQFBgcICQoLDA0ODw"
VALUES: dict[str, Any] = {"area": "412.50", "holder": "Siti Rahmawati", "nib": "10.15.22", "document": {"size": "9"}}


def disclosed_json() -> dict[str, Any]:
    return json.loads(json.dumps(Content.salted(VALUES).disclose().as_json()))


def test_a_leaf_is_the_hash_of_the_canonical_json_of_salt_name_and_value() -> None:
    field = SaltedField(SALT, "note", {"ö": "€\n", "a": "\u2028"})
    written = '["AAECAwQFBgcICQoLDA0ODw","note",{"a":"\u2028","ö":"€\\n"}]'
    assert field.leaf() == sha256(b"\x00" + written.encode()).digest()


def test_object_keys_are_sorted_by_utf16_as_rfc_8785_says() -> None:
    # Section 3.2.3: U+1F600 is written with surrogates (D83D) and so comes before U+FB33.
    field = SaltedField(SALT, "note", {"\ufb33": "2", "\U0001f600": "1"})
    written = f'["{SALT}","note",{{"\U0001f600":"1","\ufb33":"2"}}]'
    assert field.leaf() == sha256(b"\x00" + written.encode()).digest()


def test_every_field_gets_a_fresh_salt_of_16_bytes_each_time() -> None:
    salts = [field.salt for _ in range(20) for field in Content.salted(VALUES).fields]
    assert len(set(salts)) == len(salts)
    assert {len(salt) for salt in salts} == {22}
    assert all(urlsafe_b64encode(urlsafe_b64decode(salt + "==")).decode() == salt + "==" for salt in salts)


def test_salts_that_are_drawn_together_are_16_bytes_each_and_all_others() -> None:
    drawn = [field.salt for content in salted([VALUES] * 50) for field in content.fields]
    assert {len(urlsafe_b64decode(salt + "==")) for salt in drawn} == {16}
    assert len(set(drawn)) == 50 * len(VALUES)
    assert len({salt[21] for salt in drawn}) == 4  # the last letter holds the last two bits


def test_the_digest_does_not_depend_on_the_order_of_the_fields() -> None:
    content = Content.salted(dict(reversed(VALUES.items())))
    assert [field.name for field in content.fields] == sorted(VALUES)
    again = Content.from_json(json.loads(json.dumps(content.as_json())))
    assert again == content
    assert again.digest == merkle.root([field.leaf() for field in content.fields])


def test_unsorted_or_repeated_names_are_refused() -> None:
    fields = Content.salted(VALUES).as_json()
    for wrong in (fields[::-1], [*fields, fields[-1]], [fields[0], {**fields[1], "name": fields[0]["name"]}]):
        with pytest.raises(BadInput, match="unique and sorted"):
            Content.from_json(wrong)


def test_every_subset_of_the_fields_can_be_disclosed() -> None:
    content = Content.salted(VALUES)
    for count in range(len(VALUES) + 1):
        for names in combinations(sorted(VALUES), count):
            disclosure = content.disclose(names)
            parsed = Disclosure.from_json(json.loads(json.dumps(disclosure.as_json())), "/content")
            assert parsed == disclosure
            assert parsed.values == {name: VALUES[name] for name in names}
            parsed.verify(content.digest)


def test_what_is_withheld_is_not_in_the_file() -> None:
    content = Content.salted(VALUES)
    hidden = next(field for field in content.fields if field.name == "holder")
    shown = json.dumps(content.disclose(set(VALUES) - {"holder"}).as_json())
    assert hidden.salt not in shown
    assert hidden.value not in shown


@pytest.mark.parametrize(
    ("member", "value"),
    [("value", "413.50"), ("value", {"a": "412.50"}), ("salt", SALT), ("name", "areb"), ("index", 1), ("index", 9)],
)
def test_a_changed_field_is_refused_without_showing_it(member: str, value: Any) -> None:
    content = Content.salted(VALUES)
    shown = json.loads(json.dumps(content.disclose(["area"]).as_json()))
    salt = shown["fields"][0]["salt"]
    shown["fields"][0][member] = value
    with pytest.raises(InvalidProof) as caught:
        Disclosure.from_json(shown, "").verify(content.digest)
    assert "412.50" not in str(caught.value)
    assert "413.50" not in str(caught.value)
    assert salt not in str(caught.value)


def test_a_field_of_another_record_is_refused() -> None:
    ours, theirs = Content.salted(VALUES), Content.salted(VALUES)
    with pytest.raises(InvalidProof):
        theirs.disclose().verify(ours.digest)


def test_another_size_or_a_shorter_path_is_refused() -> None:
    disclosure = Content.salted(VALUES).disclose()
    digest = merkle.root([shown.field.leaf() for shown in disclosure.fields])
    shown = disclosure.fields[0]
    cut = DisclosedField(shown.index, shown.field, shown.path[:-1])
    for wrong in (replace(disclosure, size=5), replace(disclosure, size=0), Disclosure(4, (cut,))):
        with pytest.raises(InvalidProof):
            wrong.verify(digest)


def test_of_a_content_that_is_shown_whole_each_path_and_place_is_checked() -> None:
    content = Content.salted(VALUES)
    whole = content.disclose()
    whole.verify(content.digest)
    for i, shown in enumerate(whole.fields):
        for wrong in (replace(shown, path=shown.path[::-1] + shown.path), replace(shown, index=(i + 1) % whole.size)):
            fields = (*whole.fields[:i], wrong, *whole.fields[i + 1 :])
            with pytest.raises(InvalidProof):
                replace(whole, fields=fields).verify(content.digest)


def changed(place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    whole: Any = disclosed_json()
    part = whole
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    return whole  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("size",), -1),
        (("size",), True),
        (("size",), 257),
        (("size",), 4.0),
        (("more",), 1),
        (("fields",), None),
        (("fields", 0, "salt"), "short"),
        (("fields", 0, "salt"), SALT + "="),
        (("fields", 0, "name"), ""),
        (("fields", 0, "name"), "a b"),
        (("fields", 0, "name"), 7),
        (("fields", 0, "value"), 7),
        (("fields", 0, "value"), None),
        (("fields", 0, "value"), ["a"]),
        (("fields", 0, "value"), {"n": 2**53 + 1}),
        (("fields", 0, "value"), {"n": float("inf")}),
        (("fields", 0, "value"), "\ud800"),
        (("fields", 0, "value"), {"\ud800": "a"}),
        (("fields", 0, "index"), -1),
        (("fields", 0, "path"), ["0x" + "00" * 32] * 17),
        (("fields", 0, "path"), ["0x00"]),
        (("fields", 0, "path"), ["00" * 32]),
        (("fields", 1, "index"), 0),
        (("fields", 1, "name"), "area"),
        (("fields", 1, "name"), "Z"),
    ],
)
def test_a_malformed_disclosure_is_refused_without_showing_values(place: tuple[Any, ...], value: Any) -> None:
    with pytest.raises(BadInput) as caught:
        Disclosure.from_json(changed(place, value), "/content")
    assert caught.value.pointer.startswith("/content")
    assert "Siti" not in str(caught.value)


NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{0,10}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(NAMES, TEXTS | st.dictionaries(TEXTS, TEXTS, max_size=3), min_size=1, max_size=12), st.data())
def test_any_content_survives_json_and_any_part_of_it_verifies(values: dict[str, Any], data: st.DataObject) -> None:
    content = Content.salted(values)
    names = data.draw(st.sets(st.sampled_from(sorted(values))))
    written = json.dumps(content.disclose(names).as_json())
    shown = Disclosure.from_json(json.loads(written), "")
    shown.verify(content.digest)
    assert shown.values == {name: values[name] for name in names}
