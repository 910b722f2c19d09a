"""The garbage collector is on again when the last has left, in whatever order threads enter and leave."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import permutations

import pytest

from ledger.collecting import uncollected


@pytest.fixture(autouse=True)
def on_as_it_was() -> Iterator[None]:
    assert gc.isenabled()
    yield
    gc.enable()


def test_it_is_off_inside_and_on_after_also_where_something_fails() -> None:
    with pytest.raises(ZeroDivisionError), uncollected():
        assert not gc.isenabled()
        raise ZeroDivisionError
    assert gc.isenabled()


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_it_is_on_when_the_last_has_left(order: tuple[int, ...]) -> None:
    inside = [ExitStack() for _ in order]
    for stack in inside:
        stack.enter_context(uncollected())
    for number in order:
        inside[number].close()
    assert gc.isenabled()


def test_it_stays_off_where_somebody_had_turned_it_off() -> None:
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()
