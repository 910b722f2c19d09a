"""What a verifier answers: three axes, the numbered checks behind them, and as of which block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

State = Literal["valid", "invalid", "unknown"]
AxisName = Literal["integrity", "status", "issuer"]
Outcome = Literal["passed", "failed", "unknown", "skipped"]

CHECKS = {
    1: "file",
    2: "register is in the trust root",
    3: "block is believed",
    4: "contract account",
    5: "head in storage",
    6: "newest entry",
    7: "complete history",
    8: "disclosed fields",
    9: "what the entries commit to",
    10: "approvers",
    11: "document",
    12: "status",
}


class Axis(NamedTuple):
    state: State
    reason: str


class CheckResult(NamedTuple):
    """`number` as in docs/protocol.md section 7; `detail` says in words what was found."""

    number: int
    outcome: Outcome
    detail: str

    @property
    def name(self) -> str:
        return CHECKS[self.number]


@dataclass(frozen=True)
class Verdict:
    """`subject` is what was verified: a record, the absence of one, or the offline code of a paper. `block_number` and
    `block_time` (seconds) say as of when; None when no header could be read."""

    subject: Literal["record", "absence", "paper"]
    axes: Mapping[AxisName, Axis]
    checks: tuple[CheckResult, ...]
    block_number: int | None
    block_time: int | None

    @property
    def valid(self) -> bool:
        return all(axis.state == "valid" for axis in self.axes.values())

    @property
    def refusal(self) -> CheckResult | None:
        """The first check that failed, else the first that could not tell; None when valid."""
        for outcome in ("failed", "unknown"):
            for check in self.checks:
                if check.outcome == outcome:
                    return check
        return None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Verdict:
        """What `as_json` has made."""
        axes = {name: Axis(**axis) for name, axis in value["axes"].items()}
        checks = tuple([CheckResult(c["number"], c["outcome"], c["detail"]) for c in value["checks"]])
        return cls(value["subject"], axes, checks, value["asOf"]["block"], value["asOf"]["time"])

    def as_json(self) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "valid": self.valid,
            "axes": {name: {"state": axis.state, "reason": axis.reason} for name, axis in self.axes.items()},
            "checks": [
                {"number": c.number, "name": c.name, "outcome": c.outcome, "detail": c.detail} for c in self.checks
            ],
            "asOf": {"block": self.block_number, "time": self.block_time},
        }
