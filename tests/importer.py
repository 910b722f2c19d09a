"""An importer at a real office: makes files, runs `khalayak import`, looks at what came of it."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.samples import registry
from tests.command import khalayak
from tests.office import TestOffice

ROOT = Path(__file__).parent.parent
BASE = {"buyer": "id-bps", "period": "2025-03", "date": "2025-03-09", "supplier": "PT Contoh", "currency": "IDR"}


@dataclass
class Importer:
    parts: TestOffice
    folder: Path
    numbers: Iterator[int]

    @property
    def environment(self) -> dict[str, str]:
        settings = self.parts.office.settings
        return {"KHALAYAK_DATA": str(settings.data), "KHALAYAK_RPC_URL": settings.rpc_url}

    @property
    def keystores(self) -> list[str]:
        folder = self.parts.office.settings.registrar_keystores
        return [part for n in (1, 2) for part in ("--approve-with", str(folder / f"registrar-{n}.json"))]

    def run(self, *arguments: str | Path, code: int = 0) -> str:
        """What `khalayak import` prints, in this process."""
        exit_code, said = khalayak("import", *arguments, environment=self.environment)
        assert exit_code == code, f"{exit_code}: {said}"
        return said

    def file(self, kind: str, rows: int, form: str = "csv") -> Path:
        """A registry whose records no other file has."""
        number = next(self.numbers)
        path = self.folder / f"{number}" / f"registry.{form}"
        path.parent.mkdir()
        registry.write(path, kind, rows, form, seed=number)
        if kind != "identity":
            field = {"transactions": b"SP2D-", "land": b".000", "diplomas": b"-000"}[kind]
            path.write_bytes(path.read_bytes().replace(field, field[:-1] + b"%d" % (100 + number) + field[-1:]))
        return path

    def table(self, *rows: dict[str, str] | bytes, columns: str = "") -> Path:
        """A CSV of transactions, of these rows or lines; `columns` are the header's."""
        path = self.folder / f"{next(self.numbers)}.csv"
        names = columns.split(",") if columns else ["id", *BASE, "amount"]
        with path.open("wb") as file:
            file.write(",".join(names).encode() + b"\n")
            for row in rows:
                file.write(row if isinstance(row, bytes) else ",".join(row[name] for name in names).encode() + b"\n")
        return path

    def row(self, **changed: str) -> dict[str, str]:
        return {"id": f"T-{next(self.numbers)}", **BASE, "amount": "5.00", **changed}

    def applications(self) -> int:
        with self.database() as database:
            return int(database.execute("SELECT count(*) FROM applications").fetchone()[0])

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """Its changes are kept."""
        with closing(sqlite3.connect(self.parts.office.settings.data / "office.db")) as database, database:
            yield database

    def contents(self, kind: str) -> list[dict[str, Any]]:
        """The fields of every content that was accepted."""
        name = str(self.parts.trusted(kind).name)
        held = (content for content in self.parts.office.store.contents_until(2**40) if content.register == name)
        return [{field["name"]: field["value"] for field in content.fields} for content in held]

    def manifest(self, path: Path) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads(path.with_name(path.stem + ".manifest.json").read_text())
        return manifest

    def certify(self) -> None:
        """Run until nothing approved is left."""
        store = self.parts.office.store
        while any(store.applications(state, 1) for state in ("approved", "signed", "sent", "included", "final")):
            self.parts.office.run_once()


def errors(path: Path) -> list[tuple[str, ...]]:
    with path.with_name(path.stem + ".errors.csv").open(newline="") as file:
        return [tuple(row) for row in csv.reader(file)][1:]
