"""A record's content: named fields, each salted, committed to by one digest (docs/protocol.md section 3)."""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ledger import merkle
from ledger.encoding import canonical_json, exact_list, exact_object, hex_list, to_hex
from ledger.errors import BadInput

SALT_BYTES = 16
MAX_FIELDS = 256
MAX_PATH = 16

_SALT = re.compile(r"[A-Za-z0-9_-]{22}")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]{0,63}")
_MEMBERS = frozenset(("salt", "name", "value"))


class SaltedField(NamedTuple):
    """`salt` is 16 random bytes in base64url without padding; `value` a string or an object of the schema."""

    salt: str
    name: str
    value: Any

    def leaf(self) -> bytes:
        """The 32-byte leaf hash over the RFC 8785 form of [salt, name, value]. Raises BadInput if it has none."""
        return merkle.leaf_hash(canonical_json([self.salt, self.name, self.value]))

    def as_json(self) -> dict[str, Any]:
        return {"salt": self.salt, "name": self.name, "value": self.value}


@dataclass(frozen=True)
class Content:
    """All fields of a record, sorted by name, names unique."""

    fields: tuple[SaltedField, ...]

    @classmethod
    def salted(cls, values: Mapping[str, Any]) -> Content:
        """Content with a fresh salt for every field."""
        (content,) = salted([values])
        return content

    @classmethod
    def from_json(cls, fields: Iterable[object], pointer: str = "") -> Content:
        content = cls(tuple(_field(value, f"{pointer}/{i}") for i, value in enumerate(fields)))
        names = [field.name for field in content.fields]
        if names != sorted(set(names)):
            raise BadInput(f"{pointer or '/'}: field names must be unique and sorted.", "", pointer)
        return content

    @property
    def digest(self) -> bytes:
        return merkle.root([field.leaf() for field in self.fields])

    def as_json(self) -> list[dict[str, Any]]:
        return [field.as_json() for field in self.fields]

    def disclose(self, names: Iterable[str] | None = None) -> Disclosure:
        """The disclosure of the named fields, or of all."""
        wanted = None if names is None else set(names)
        tree = merkle.Tree([field.leaf() for field in self.fields])
        shown = [(i, field) for i, field in enumerate(self.fields) if wanted is None or field.name in wanted]
        return Disclosure(
            len(self.fields),
            tuple(DisclosedField(i, field, tuple(tree.path(i))) for i, field in shown),
        )


@dataclass(frozen=True)
class DisclosedField:
    """A field with its position among the leaves and its audit path, lowest first."""

    index: int
    field: SaltedField
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class Disclosure:
    """Some fields of a content of `size` fields, each with its proof."""

    size: int
    fields: tuple[DisclosedField, ...]

    @property
    def values(self) -> dict[str, Any]:
        return {shown.field.name: shown.field.value for shown in self.fields}

    def verify(self, digest: bytes) -> None:
        """Check every disclosed field against the digest. Raises InvalidProof, naming no value."""
        leaves = [shown.field.leaf() for shown in self.fields]
        if len(leaves) == self.size and self._is_tree(merkle.Tree(leaves), digest):
            return
        for leaf, shown in zip(leaves, self.fields, strict=True):
            merkle.verify_inclusion(leaf, shown.index, self.size, shown.path, digest)

    def _is_tree(self, tree: merkle.Tree, digest: bytes) -> bool:
        """Of a content that is shown whole: each node is hashed once, and not once for each path that it is part of."""
        fields = enumerate(self.fields)
        return tree.root == digest and all(f.index == i and list(f.path) == tree.path(i) for i, f in fields)

    def as_json(self) -> dict[str, Any]:
        return {
            "size": self.size,
            "fields": [
                {"index": shown.index, **shown.field.as_json(), "path": [to_hex(node) for node in shown.path]}
                for shown in self.fields
            ],
        }

    @classmethod
    def from_json(cls, value: object, pointer: str) -> Disclosure:
        """Parse the form of `as_json`. Raises BadInput."""
        value = exact_object(value, {"size", "fields"}, pointer)
        size = _small_number(value["size"], MAX_FIELDS, f"{pointer}/size")
        items = exact_list(value["fields"], MAX_FIELDS, f"{pointer}/fields")
        shown = tuple(_disclosed(item, f"{pointer}/fields/{i}") for i, item in enumerate(items))
        names = [field.field.name for field in shown]
        indexes = [field.index for field in shown]
        if names != sorted(set(names)) or indexes != sorted(set(indexes)):
            raise BadInput(
                f"{pointer}/fields: names and indexes must be unique and ascending.", "", f"{pointer}/fields"
            )
        return cls(size, shown)


def salted(contents: Iterable[Mapping[str, Any]]) -> list[Content]:
    """Contents of these values, every field with a fresh salt; all are drawn at once."""
    named = [sorted(values.items()) for values in contents]
    salts = iter(_salts(sum(map(len, named))))
    return [Content(tuple([SaltedField(next(salts), name, value) for name, value in fields])) for fields in named]


def cids_of(fields: Iterable[Mapping[str, Any]]) -> list[str]:
    """The CIDs of the documents that stored fields name."""
    values = [field["value"] for field in fields if field["name"] == "document"]
    return [value["cid"] for value in values if isinstance(value, dict) and "cid" in value]


def _salts(count: int) -> list[str]:
    # Base64 turns 18 bytes into 24 letters: two zeros behind every 16 make one call write each salt as it stands alone.
    padded, drawn = bytearray(18 * count), secrets.token_bytes(SALT_BYTES * count)
    for i in range(SALT_BYTES):
        padded[i::18] = drawn[i::SALT_BYTES]
    text = urlsafe_b64encode(padded).decode()
    return [text[i : i + 22] for i in range(0, len(text), 24)]


def _disclosed(value: object, pointer: str) -> DisclosedField:
    value = exact_object(value, {"index", "salt", "name", "value", "path"}, pointer)
    path: Sequence[object] = exact_list(value["path"], MAX_PATH, f"{pointer}/path")
    return DisclosedField(
        _small_number(value["index"], MAX_FIELDS, f"{pointer}/index"),
        _salted(value, pointer),
        hex_list(path, 32, f"{pointer}/path"),
    )


def _field(value: object, pointer: str) -> SaltedField:
    return _salted(exact_object(value, _MEMBERS, pointer), pointer)


def _salted(value: Mapping[str, Any], pointer: str) -> SaltedField:
    if not isinstance(value["salt"], str) or not _SALT.fullmatch(value["salt"]):
        raise BadInput(f"{pointer}/salt: expected 16 bytes in base64url.", "", f"{pointer}/salt")
    if not isinstance(value["name"], str) or not _NAME.fullmatch(value["name"]):
        raise BadInput(f"{pointer}/name: expected a field name of letters and digits.", "", f"{pointer}/name")
    if not isinstance(value["value"], str | dict):
        raise BadInput(f"{pointer}/value: expected a string or an object.", "", f"{pointer}/value")
    try:
        canonical_json(value["value"])
    except BadInput as error:
        raise BadInput(f"{pointer}/value: {error.message}", error.hint, f"{pointer}/value") from None
    return SaltedField(value["salt"], value["name"], value["value"])


def _small_number(value: object, limit: int, pointer: str) -> int:
    if type(value) is not int or not 0 <= value <= limit:
        raise BadInput(f"{pointer}: expected a whole number from 0 to {limit}.", "", pointer)
    return value
