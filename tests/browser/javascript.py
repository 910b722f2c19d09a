"""Runs the bundle of api/static/verify/ in Node, and the Python verifier on the same cases."""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.encoding import to_hex
from ledger.errors import BadInput
from ledger.trust import TrustRoot
from ledger.verifier import verify
from scripts.node import NODE

RUNNER = Path(__file__).with_name("verify.mjs")


@dataclass(frozen=True)
class Case:
    """What a verifier is given: `trust` are the bytes of a trust.json, the rest as in ledger.verifier.verify."""

    file: bytes
    trust: bytes | None
    document: bytes | None = None
    block_hashes: Mapping[int, bytes] = field(default_factory=dict)
    as_of: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "file": _base64(self.file),
            "trust": _base64(self.trust),
            "document": _base64(self.document),
            "blockHashes": {str(number): to_hex(block) for number, block in self.block_hashes.items()},
            "asOf": self.as_of,
        }


def in_javascript(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """The verdicts as JSON; {"badInput": message} where the trust root cannot be read."""
    given = json.dumps([case.as_json() for case in cases]).encode()
    done = subprocess.run([NODE, RUNNER], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def in_python(case: Case) -> dict[str, Any]:
    try:
        root = None if case.trust is None else TrustRoot.parse(case.trust)
    except BadInput as error:
        return {"badInput": str(error)}
    given = {"block_hashes": case.block_hashes, "document": case.document, "as_of": case.as_of}
    return verify(case.file, root, **given).as_json()  # type: ignore[arg-type]


def assert_both_agree(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Both verifiers give the same answer to each case, word by word. The answers."""
    expected = [in_python(case) for case in cases]
    for number, (case, wanted, got) in enumerate(zip(cases, expected, in_javascript(cases), strict=True)):
        assert got == wanted, f"case {number}: {case.file[:300]!r}"
    return expected


def _base64(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode()
