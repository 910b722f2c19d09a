"""Golden vectors: certificates, proofs of absence and what a verifier answers. `python -m tests.vectors.make` writes
them again, to the same bytes, into tests/vectors/certificates/."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ledger.encoding import to_hex
from ledger.verifier import AXIS_OF_CHECK
from tests.builders import DOCUMENT
from tests.vectors.careless import careless
from tests.vectors.forged_approvers import approvers, documents
from tests.vectors.forged_blocks import checkpoints, headers, registers, roots
from tests.vectors.forged_record import contents, evidence, histories, newest_entries
from tests.vectors.forged_state import accounts, heads
from tests.vectors.genuine import UNKNOWN, States, Vector, compact, genuine
from tests.vectors.malformed import EDITED, MALFORMED, RAW
from tests.vectors.printed import printed
from tests.vectors.tamper import Forgery

FOLDER = Path(__file__).parent / "certificates"
FORGERIES: Mapping[int, list[Callable[[], list[Forgery]]]] = {
    1: [lambda: MALFORMED],
    2: [registers],
    3: [headers, checkpoints],
    4: [accounts],
    5: [heads],
    6: [newest_entries],
    7: [histories],
    8: [contents],
    9: [evidence],
    10: [approvers],
    11: [documents],
}
DOCUMENTS = {"document.pdf": DOCUMENT, "other.pdf": DOCUMENT + b"\n", "empty.pdf": b""}


def vectors() -> Mapping[str, Vector]:
    """Every vector, by the name of its file."""
    true = {vector.name: vector for vector in genuine()}
    made = {f"genuine/{name}.json": vector for name, vector in true.items()}
    for number, makers in FORGERIES.items():
        for forgery in (one for make in makers for one in make()):
            value = json.loads(true[forgery.base].data)
            forgery.tamper(value)
            vector = _forged(number, compact(value), forgery)
            made[f"forged/{vector.name}.json"] = vector
    for name, data in _malformed(true["one-title"].data).items():
        made[f"forged/01-{name}.json"] = Vector(name, data, _refused(1, "failed"), (1, "failed"))
    for number, vector in careless():
        made[f"forged/{vector.name}.json"] = replace(
            vector, states=_refused(number, "failed"), refusal=(number, "failed")
        )
    return {**made, **printed()}


def files() -> Mapping[str, bytes]:
    """What lies in the folder: path → bytes."""
    made = vectors()
    index = [_listed(name, vector) for name, vector in made.items()]
    lines = ",\n".join(json.dumps(item, ensure_ascii=False) for item in index)
    trusts = {f"{name}.json": compact(root.as_json()) for name, root in roots().items()}
    parts = {name: vector.data for name, vector in made.items()}
    return {**parts, **trusts, **DOCUMENTS, "index.json": f"[\n{lines}\n]\n".encode()}


def _forged(number: int, data: bytes, forgery: Forgery) -> Vector:
    return Vector(
        f"{number:02}-{forgery.name}",
        data,
        _refused(number, forgery.outcome),
        (number, forgery.outcome),
        forgery.trust,
        forgery.document,
        forgery.block_hashes,
    )


def _refused(number: int, outcome: str) -> States:
    """The axes of a file that one check refuses: nothing after it is claimed (docs/protocol.md section 7)."""
    if outcome == "unknown":
        return UNKNOWN
    axis = AXIS_OF_CHECK.get(number, "integrity")
    return tuple("invalid" if name == axis else "unknown" for name in ("integrity", "status", "issuer"))  # type: ignore[return-value]


def _malformed(whole: bytes) -> Mapping[str, bytes]:
    made = {**RAW, "cut-short": whole[:-1], "cut-in-the-middle": whole[: len(whole) // 2], "two-files": whole + whole}
    for name, (old, new) in EDITED.items():
        if whole.count(old) < 1:
            raise ValueError(f"The file has nothing to edit for {name}.")
        made[name] = whole.replace(old, new, 1)
    return made


def _listed(name: str, vector: Vector) -> dict[str, Any]:
    item: dict[str, Any] = {"file": name, "trust": f"{vector.trust}.json" if vector.trust else None}
    if vector.document:
        item["document"] = vector.document
    if vector.block_hashes:
        item["blockHashes"] = {str(number): to_hex(block) for number, block in vector.block_hashes.items()}
    refusal = {"check": vector.refusal[0], "outcome": vector.refusal[1]} if vector.refusal else None
    states = dict(zip(("integrity", "status", "issuer"), vector.states, strict=True))
    return item | {"expected": {**states, "refusal": refusal}}


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name, data in files().items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    main()
