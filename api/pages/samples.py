"""Sample certificates to try, good and bad, with a trust root of their own that vouches for nothing else."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from api.pages.i18n import mark
from ledger.trust import TrustRoot
from ledger.verdict import Verdict
from ledger.verifier import verify

FOLDER = Path(__file__).parent.parent / "samples"
SAMPLES = {
    "valid": mark("A good certificate"),
    "absent": mark("Proof that no title was ever issued for a parcel"),
    "changed": mark("A forgery: the holder's name was changed"),
    "outdated": mark("A forgery: the sale that came after was left out"),
    "retired": mark("A title that has ended"),
    "unwitnessed": mark("One about which nobody can tell"),
}


@lru_cache
def sample(name: str) -> tuple[bytes, Verdict]:
    """The file of a sample and the verdict on it."""
    data = (FOLDER / f"{name}.json").read_bytes()
    return data, verify(data, TrustRoot.parse((FOLDER / "trust.json").read_bytes()))
