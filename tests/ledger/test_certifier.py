"""The certifier on a real devnet: witnesses, forged proofs, earlier blocks, and absence."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from ledger.checkpoint import Checkpoint
from ledger.encoding import canonical_json
from ledger.errors import BadInput, ChainMismatch, Conflict, StateDropped, Unavailable
from ledger.model import Application
from ledger.state_proof import parse_header
from ledger.verifier import verify
from tests.fakes import FaultyChain
from tests.office import TestOffice, record_of, running_office


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("certifier")) as office:
        yield office


def approved(desk: TestOffice, **changed: str) -> Application:
    return desk.approve(desk.issue(desk.request(**changed)))


def certificate_of(desk: TestOffice, application: Application) -> Any:
    return desk.office.store.certificate(str(desk.trusted().name), record_of(application))


def test_too_few_witnesses_delay_the_certificate_and_nothing_else(
    desk: TestOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    application, certifier = approved(desk), desk.office.certifier
    with monkeypatch.context() as away:
        away.setattr(certifier, "witnesses", certifier.witnesses[:1])
        for _ in range(4):
            desk.office.run_once()
        assert desk.office.store.application(application.id).state == "final"
        assert certificate_of(desk, application) is None
        with pytest.raises(Unavailable, match="witness"):
            certifier.absence("land", {"nib": "99.99.99.99.99999"})
    assert desk.certify(application.id).state == "certified"


def test_witness_that_errs_spoils_no_other(desk: TestOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    certifier = desk.office.certifier
    witnesses = certifier.witnesses

    def erring(checkpoint: Checkpoint) -> str:
        name, signature = witnesses[0](checkpoint).rsplit(" ", 1)
        return f"{name} {signature[:20]}{signature[20:].swapcase()}"

    monkeypatch.setattr(certifier, "witnesses", [erring, *witnesses[1:]])
    assert desk.certify(approved(desk).id).state == "certified"


def test_forged_proof_of_the_node_is_never_certified(desk: TestOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    application, office = approved(desk), desk.office

    class Forging(FaultyChain):
        def proof(self, address: str, slots: Any, block_number: int) -> Any:
            true = self.real.proof(address, slots, block_number)
            return replace(true, slots=tuple((*nodes[:-1], nodes[-1][:-1] + b"\x00") for nodes in true.slots))

    with monkeypatch.context() as forged:
        forged.setattr(office.certifier, "chain", Forging(office.chain))
        with pytest.raises(ChainMismatch):
            for _ in range(5):
                office.run_once()
        assert certificate_of(desk, application) is None
    assert desk.certify(application.id).state == "certified"


def test_many_bulks_are_certified_in_one_step_each_with_its_own_titles(
    desk: TestOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.certifier.RECORDS_AT_ONCE", 1)
    applications = [approved(desk) for _ in range(5)]
    with monkeypatch.context() as waiting:
        waiting.setattr(desk.office.certifier, "run_once", lambda: None)
        for _ in range(4):
            desk.office.run_once()
    states = [desk.office.store.application(application.id).state for application in applications]
    assert states == ["final"] * len(applications)
    desk.office.certifier.run_once()
    for application in applications:
        assert desk.office.store.application(application.id).state == "certified"
        file = canonical_json(certificate_of(desk, application))
        assert verify(file, desk.office.trust).valid
        assert certificate_of(desk, application)["recordId"] == application.payload["records"][0]["recordId"]


class Counting(FaultyChain):
    """A node that counts the proofs it is asked for."""

    proofs = 0

    def proof(self, address: str, slots: Any, block_number: int) -> Any:
        type(self).proofs += 1
        return self.real.proof(address, slots, block_number)


def test_a_backlog_is_captured_with_one_question_to_each_contract(
    desk: TestOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    applications = [desk.approve(desk.issue(desk.request(), desk.request())) for _ in range(4)]
    final(desk, applications)
    with monkeypatch.context() as counted:
        counted.setattr(desk.office.certifier, "chain", Counting(desk.office.chain))
        desk.office.certifier.run_once()
    assert Counting.proofs == 2
    for application in applications:
        assert desk.office.store.application(application.id).state == "certified"
        for index in range(2):
            found = desk.office.store.certificate(str(desk.trusted().name), record_of(application, index))
            assert found and verify(canonical_json(found), desk.office.trust).valid


def test_a_record_whose_content_is_gone_keeps_no_other_from_its_certificate(desk: TestOffice) -> None:
    lost, kept = approved(desk), approved(desk)
    final(desk, [lost, kept])
    digest = bytes.fromhex(lost.payload["records"][0]["digest"][2:])
    with closing(sqlite3.connect(desk.office.settings.data / "office.db")) as database, database:
        rows = database.execute("SELECT * FROM contents WHERE digest = ?", (digest,)).fetchall()
        database.execute("DELETE FROM contents WHERE digest = ?", (digest,))
    desk.office.certifier.run_once()
    states = [desk.office.store.application(application.id).state for application in (lost, kept)]
    assert states == ["final", "certified"]
    with closing(sqlite3.connect(desk.office.settings.data / "office.db")) as database, database:
        database.executemany(f"INSERT INTO contents VALUES ({', '.join('?' * len(rows[0]))})", rows)
    assert desk.certify(lost.id).state == "certified"


def final(desk: TestOffice, applications: list[Application]) -> None:
    while any(desk.office.store.application(item.id).state != "final" for item in applications):
        desk.publish_and_follow()


class Pruned(FaultyChain):
    """A node that keeps no state of old blocks."""

    def proof(self, address: str, slots: Any, block_number: int) -> Any:
        raise StateDropped("The node cannot prove that state: missing trie node.")


def test_an_earlier_block_is_told_by_what_was_captured_or_not_at_all(
    desk: TestOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    application, certifier = approved(desk), desk.office.certifier
    assert desk.certify(application.id).state == "certified"
    captured = certificate_of(desk, application)
    number = parse_header(bytes.fromhex(captured["state"]["header"][2:])).number
    for _ in range(2):
        desk.certify(approved(desk).id)
    desk.office.run_once()
    with monkeypatch.context() as pruned:
        pruned.setattr(certifier, "chain", Pruned(desk.office.chain))
        assert certifier.as_of(desk.trusted(), record_of(application), number).as_json() == captured
        with pytest.raises(StateDropped):
            certifier.as_of(desk.trusted(), record_of(application), number + 1)
    made = certifier.as_of(desk.trusted(), record_of(application), number + 1)
    assert verify(canonical_json(made.as_json()), desk.office.trust).valid


def test_absence_is_proved_and_of_an_existing_title_refused(desk: TestOffice) -> None:
    absence = desk.office.certifier.absence("land", {"nib": "99.99.99.99.99998"})
    assert verify(canonical_json(absence.as_json()), desk.office.trust).valid
    desk.certify(approved(desk, nib="77.00.00.00.00009").id)
    with pytest.raises(Conflict):
        desk.office.certifier.absence("land", {"nib": "77.00.00.00.00009"})
    with pytest.raises(BadInput):
        desk.office.certifier.absence("land", {"nib": "77.00.00.00.00009 "})
