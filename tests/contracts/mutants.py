"""What a slip in a contract may look like: one changed token, or one statement less, at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SWAPS = (
    (r"(?<![<>=!])<=", "<"),
    (r"(?<![<>=!])>=", ">"),
    (r" < ", " <= "),
    (r" > ", " >= "),
    (r"==", "!="),
    (r"!=", "=="),
    (r"&&", "||"),
    (r"\|\|", "&&"),
    (r"!(?=[A-Za-z_])", ""),
    (r" \+ ", " - "),
    (r" - ", " + "),
    (r" \* ", " + "),
    (r"\+=", "-="),
    (r"-=", "+="),
    (r"\+\+", "--"),
    (r"--", "++"),
    (r">>=", "<<="),
    (r" & ", " | "),
    (r" \? ", " == false ? "),
    (r"\b(?:30|1) days\b", "1 hours"),
    (r" onlyAuthorized\b", ""),
    (r'(?<=")[A-Z](?=\w+\(\w+)', "X"),
    # in assembly
    (r"\badd\(", "sub("),
    (r"\bsub\(", "add("),
    (r"\bmul\(", "add("),
    (r"\blt\(", "gt("),
    (r"\bgt\(", "lt("),
    (r"\beq\(", "lt("),
    (r"\band\(", "or("),
    (r"\biszero\(", "not("),
    (r"\bshl\(", "shr("),
    (r"\bshr\(", "shl("),
    (r"\bmstore\(", "mstore8("),
    (r"\bmstore8\(", "mstore("),
)
# Each becomes the next of its line, the last the first.
RINGS = (
    ("ACTIVE", "FROZEN", "PENDING", "RETIRED"),
    ("ACTIVE", "SUSPENDED", "RECOVERING", "REVOKED"),
    ("ACTIVE", "AMENDED", "VOIDED"),
)
NUMBER = re.compile(r"(?<![\w.])(?:0x[0-9a-fA-F]+|\d+)(?![\w.])")
STATEMENT = re.compile(
    r"^\s*(?!return\b|import\b|using\b|error\b|event\b|let\b)"
    r"(?:if .*revert .*;|(?:emit|revert)\b.*;|\(?[\w.\[\], ]+\)? [-+>|]?:?= .*[;)]|\w+\(.*\);?"
    r"|(?:\+\+|--)\w+;|if \(\w+\) \+\+\w+;)$"
)
DECLARATION = re.compile(
    r"^\s*(?:\w+(?:\[\])*(?: memory| calldata)|bytes32|address|u?int\d*|bool|bytes|string)(?: \w+)+ ="
)
SKIPPED = re.compile(r"^\s*(?://|pragma|import|error |event |struct |using )")
ENUMERATED = re.compile(r"uint8 public constant")


@dataclass(frozen=True)
class Mutant:
    """One change of one line, which is numbered from 1."""

    contract: str
    line: int
    before: str
    after: str

    def apply(self, text: str) -> str:
        lines = text.splitlines()
        lines[self.line - 1] = self.after
        return "\n".join(lines) + "\n"


def mutants(contract: str, text: str) -> Iterator[Mutant]:
    """Every mutant of a source, in the order of its lines."""
    for number, line in enumerate(text.splitlines(), 1):
        if SKIPPED.match(line):
            continue
        code = line.split(" //")[0]
        for after in dict.fromkeys(_changes(code)):
            if after != code:
                yield Mutant(contract, number, line, after)


def _changes(code: str) -> Iterator[str]:
    for pattern, replacement in SWAPS:
        for match in re.finditer(pattern, code):
            yield code[: match.start()] + replacement + code[match.end() :]
    for ring in RINGS:
        for position, name in enumerate(ring):
            for match in re.finditer(rf"\b{name}\b(?! =)", code):
                yield code[: match.start()] + ring[(position + 1) % len(ring)] + code[match.end() :]
    for match in NUMBER.finditer(code):
        value = int(match.group(), 0)
        yield code[: match.start()] + (hex(value + 1) if "x" in match.group() else str(value + 1)) + code[match.end() :]
        if value == 1:
            yield code[: match.start()] + "0" + code[match.end() :]
    if STATEMENT.match(code) and not DECLARATION.match(code) and not ENUMERATED.search(code):
        yield re.match(r"\s*", code).group()  # type: ignore[union-attr]
