from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from scripts.devnet import start_hardhat
from tests.contracts.machine import COURT, REGISTRARS
from tests.contracts.node import Node
from tests.contracts.offices import REGISTRAR_ROLE, Office, address_of

COURT_ROLE = 2

# The state machines: `make test` runs the same few examples every time, `make fuzz` runs new ones.
settings.register_profile(
    "short",
    max_examples=25,
    stateful_step_count=40,
    derandomize=True,
    print_blob=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
settings.register_profile(
    "long", settings.get_profile("short"), max_examples=1500, stateful_step_count=80, derandomize=False
)


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    """Our contracts on a fresh devnet, so that their addresses are always the same."""
    with start_hardhat() as url:
        yield Office(url).deploy()


@pytest.fixture(scope="module")
def full_office(office: Office) -> Office:
    """The same, with a third registrar and a court of two."""
    office.call(office.authority, "setCourtPolicy", ["address", "uint64", "uint8"], office.register, COURT_ROLE, 2)
    for role, name in ((REGISTRAR_ROLE, REGISTRARS[2]), *((COURT_ROLE, judge) for judge in COURT)):
        office.call(office.authority, "grantRole", ["uint64", "address", "uint32"], role, address_of(name), 0)
    return office


@pytest.fixture(scope="module")
def node(full_office: Office) -> Node:
    return Node(full_office.url)
