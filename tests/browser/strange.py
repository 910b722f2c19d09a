"""Inputs at the edges of what a verifier reads, and ways to tamper with a file."""

from __future__ import annotations

import copy
import random
from typing import Any

JSON = [
    *(
        "",
        " ",
        "\n\n",
        "null",
        "true",
        "1",
        '""',
        "[]",
        "{}",
        "\ufeff{}",
        "{}{}",
        "{}\n}",
        "[1,\n]",
        '{"a":1,\n}',
        "[1\n2]",
    ),
    *('{"a":1,"a":2}', '{"a":{"b":1,\n"b":2}}', "{'a':1}", '{"a"\n1}', '{"a":\n}', "{\n1:2}", "{,}", "[,]", "]", "}"),
    *("NaN", "[Infinity]", '{"a":-Infinity}', "-", "01", "1.", ".5", "1e", "1e999", "-1e999", "1e-999", "- 1", "+1"),
    *('"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\u12"', '"\\u12g4"', '"\\x"', '"a\nb"', '"\t"'),
    *('"\\', '"\\"', "[" * 32, "[" * 33, "[" * 32 + "]" * 32, "[" * 33 + "]" * 33, '{"a":' * 33, '"' + "[" * 99 + '"'),
    *('"\\"[' + "[" * 40, "1" * 4300, "1" * 4301, "-" + "1" * 4301, "0x1", "\x00", "\xa0", "nul", "truefalse", "[1 2]"),
    *('{"format":"khalayak-certificate@1"}', '{"format":"khalayak-absence@1","\U0001f600":1}', '{"__proto__":1}'),
    *('{"format":[]}', "// x"),
    *("[" * 33 + '"\\ud800"' + "]" * 33, '["\\ud800",1e999]', "[1e999,NaN]", "[1e999", "[" * 900, "[" * 5000),
    *('{"a":' * 33 + "1" + "}" * 33, "[" + "[]," * 5000 + "[]]", "[" * 33 + "]" * 33 + "x", '{"a":1e999,"a":1}'),
]

FIELDS = [
    *(
        "",
        " ",
        "\x1c",
        "\ufeff",
        "\u3000",
        "a\u0301",
        "\u00e1",
        "\u200b",
        "\u2028",
        "\ue000",
        "\U0001f600" * 60,
        "x" * 61,
    ),
    *("unlimited", "2024-02-29", "2023-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "20240229", "2024-02-30"),
    *("2024-W01-1", "412.50\n", "0412.50", "\u0664\u0661\u0662.\u0665\u0660", "1", "10.15.22.05.00742\n"),
    *("10.15.22.05.00743", "1015220500742", "10..15", "1234"),
]

VALUES: list[Any] = [
    *(None, True, 0, -1, 1, 1.0, 2**53, 2**64, 10**30, "", "0x", "0X00", "0x0", "0x" + "00" * 32, "0x" + "zz" * 32),
    *("1", "00", "18446744073709551616", "é", "'\"\n\U0001f600", "land", [], {}, [[]]),
    {"é": 1, "\U0001f600": 2, "\uffff": 3},
]
BYTES = [b"", b'"', b"{", b"]", b"\\", b",", b"0", b"a", b"A", b"\xff", b"\n", b"\xc3\xa9", b"0" * 40]
KEYS = ["", "zz", "é", "\U0001f600", "__proto__", "a'b"]


def changed(tree: Any, chance: random.Random) -> Any:
    """A parsed file with one value or key of it replaced, dropped, doubled or renamed."""
    parents = [node for node in nodes_of(tree) if node]
    parent = chance.choice(parents)
    key = chance.choice(list(parent)) if isinstance(parent, dict) else chance.randrange(len(parent))
    other = copy.deepcopy(chance.choice(parents))
    what = chance.randrange(5)
    if what == 0:
        parent[key] = chance.choice(VALUES)
    elif what == 1:
        parent[key] = chance.choice(list(other.values()) if isinstance(other, dict) else other)
    elif what == 2:
        del parent[key]
    elif what == 3 and isinstance(parent[key], str):
        parent[key] = edit(parent[key].encode(), chance).decode(errors="replace")
    elif isinstance(parent, dict):
        parent[chance.choice(KEYS)] = parent[key]
    else:
        parent.insert(key, parent[key])
    return tree


def nodes_of(tree: Any) -> list[Any]:
    """Every object and list in it."""
    if not isinstance(tree, dict | list):
        return []
    inner = tree.values() if isinstance(tree, dict) else tree
    return [tree, *(node for value in inner for node in nodes_of(value))]


def edit(data: bytes, chance: random.Random) -> bytes:
    """Up to two bytes replaced by others."""
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(BYTES) + data[at + chance.randrange(3) :]
