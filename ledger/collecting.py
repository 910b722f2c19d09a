"""The garbage collector, held off while much is made of which nothing is garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """A step of a follower is a hundred thousand objects, all in use and none in a cycle. The collector would look at
    each of them again and again, and at everything else in this process: a fifth of the time of following. In whatever
    order threads enter and leave, it is on again when the last has left."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
