"""FAULTS row 61: a registrar's role is taken away while what he approved waits. It fails with that reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.deploy import REGISTRAR_ROLE
from tests.faults.test_fault_13_revert import signed_only
from tests.publishing import Desk, governor


@pytest.fixture
def revoked(desk: Desk) -> Iterator[str]:
    """The registrar whose role a test takes away; it comes back afterwards."""
    registrar = desk.registrars[0].address
    yield registrar
    grant = "grantRole(uint64,address,uint32)"
    governor(desk).call(desk.trusted().authority, grant, REGISTRAR_ROLE, registrar, 0)


def revoke(desk: Desk, registrar: str) -> None:
    governor(desk).call(desk.trusted().authority, "revokeRole(uint64,address)", REGISTRAR_ROLE, registrar)


def test_fault_61_what_waits_for_its_nonce_fails_with_the_reason(desk: Desk, revoked: str) -> None:
    application = desk.approved()
    revoke(desk, revoked)
    assert desk.settle(application) == ["failed"]
    reason = desk.office.store.application(application.id).reason
    assert "NotRegistrar" in reason and revoked.lower() in reason.lower()


def test_fault_61_what_is_signed_already_reverts_and_fails_with_the_reason(desk: Desk, revoked: str) -> None:
    application = desk.approved()
    signed_only(desk)
    revoke(desk, revoked)
    assert desk.settle(application) == ["failed"]
    assert "NotRegistrar" in desk.office.store.application(application.id).reason
    assert desk.transaction(application).state == "failed"
