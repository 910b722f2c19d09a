"""A short `make soak`: the worker is killed with -9 again and again, and nothing is lost or doubled."""

from __future__ import annotations

import pytest

from tests import soak


def test_a_worker_that_is_killed_again_and_again_loses_and_doubles_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert soak.main(8, seed=7) == 0
    assert "'doubled': 0, 'lost': 0" in capfd.readouterr().out
