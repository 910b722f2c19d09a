"""Every register this program knows. A new one is one module here that defines REGISTER; nothing else is edited."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ledger.errors import BadInput
from ledger.registers.base import Register

_PARTS = {"base", "batch", "evidence", "forms", "leaf", "schema"}


def _discover() -> dict[str, Register]:
    modules = (import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__) if m.name not in _PARTS)
    return {module.REGISTER.kind: module.REGISTER for module in modules}


REGISTERS = _discover()


def action_named(register: Register, name: str) -> int:
    """The number of an action. Raises BadInput."""
    for number, known in register.actions.items():
        if known == name:
            return number
    raise BadInput(
        f"{name[:40]!r} is no action of {register.kind}.", f"Known: {', '.join(register.actions.values())}.", "/action"
    )


def register_of_kind(kind: str) -> Register:
    """The definition of a kind of register. Raises BadInput."""
    if kind not in REGISTERS:
        raise BadInput(f"{kind[:40]!r} is not a kind of register.", f"Known: {', '.join(sorted(REGISTERS))}.")
    return REGISTERS[kind]
