"""Stand-ins that do what the real parts do when something goes wrong. They wrap a real part; they invent no answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ledger.errors import ChainUnreachable


@dataclass
class FakeClock:
    """A clock that is set by hand."""

    time: int

    def now(self) -> int:
        return self.time


@dataclass
class FaultyChain:
    """A real chain whose named calls fail once each. `before`: the node never heard of it; `after`: it did what was
    asked and the answer was lost."""

    real: Any
    before: set[str] = field(default_factory=set)
    after: set[str] = field(default_factory=set)
    sent: list[bytes] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            if name == "send":
                self.sent.append(arguments[0])
            if name in self.before:
                self.before.discard(name)
                raise ChainUnreachable(f"{name}: the connection was refused.")
            result = getattr(self.real, name)(*arguments)
            if name in self.after:
                self.after.discard(name)
                raise ChainUnreachable(f"{name}: the answer was lost.")
            return result

        return call
