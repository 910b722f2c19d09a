"""FAULTS row 20: the chain is wiped. Nothing of it is called valid, and all the office had goes to a new chain."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.bootstrap import open_office
from ledger.encoding import canonical_json
from ledger.errors import ChainMismatch, ConfigurationError
from ledger.model import Application
from ledger.upkeep import audit, reanchor
from ledger.verifier import verify
from tests.lively import lively
from tests.office import DEED, TestOffice, record_of, running_office


def folder_of(office: TestOffice) -> Path:
    return office.office.settings.data


def newest(office: TestOffice, kind: str, application: Application, index: int = 0) -> dict[str, object]:
    entry = office.newest(kind, record_of(application, index))
    return {name: entry[name] for name in ("digest", "holder", "area", "controller", "validUntil") if name in entry}


def state_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def run(new: TestOffice, old: Path) -> tuple[list[str], int, list[str]]:
    done = reanchor(new.office, old, lambda: None)
    return done.applications, done.waiting, done.remarks


def test_fault_20_all_that_an_office_had_is_approved_anew_on_another_chain(tmp_path: Path) -> None:
    with lively(tmp_path / "old") as life:
        old, applications = life.parts, life.applications
        titles = {name: newest(old, "land", applications[name]) for name in ("issued", "won", "to be frozen")}
        titles["sold"] = newest(old, "land", applications["issued"], 1)
        person = newest(old, "identity", applications["identity"])
        leaves = [record_of(applications["diplomas"], index) for index in range(2)]
        certificate = canonical_json(
            old.office.certifier.newest(old.trusted(), record_of(applications["won"])).as_json()
        )
        trust, folder = old.office.trust, folder_of(old)
        with pytest.raises(ConfigurationError, match="of this very chain"):
            reanchor(old.office, folder, lambda: None)
    left = state_of(folder)

    with running_office(tmp_path / "new") as new:
        with pytest.raises(ChainMismatch):
            open_office(new.office.settings.model_copy(update={"data": folder}))
        submitted, waiting, remarks = run(new, folder)
        assert (len(submitted), waiting) == (4, 0)
        assert run(new, folder)[0] == submitted
        said = " ".join(remarks)
        for words in (
            "had 1 lien(s)",
            "was frozen; do it again",
            "was corrected (amend)",
            "or erased it",
            "a legal hold",
        ):
            assert words in said
        for application_id in submitted:
            new.approve(new.office.store.application(application_id))
            assert new.certify(application_id).state == "certified"
        assert run(new, folder)[0] == []
        assert state_of(folder) == left

        for name, was in titles.items():
            application, index = (applications["issued"], 1) if name == "sold" else (applications[name], 0)
            assert newest(new, "land", application, index) == was
            assert new.verdict("land", record_of(application, index)).valid
        assert newest(new, "identity", applications["identity"]) == person
        for leaf in leaves:
            made = new.office.certifier.newest(new.trusted("diplomas"), leaf)
            assert verify(canonical_json(made.as_json()), new.office.trust, document=DEED).valid
        assert verify(certificate, trust).valid and not verify(certificate, new.office.trust).valid
        assert list(audit(new.office, lambda: None)) == []
