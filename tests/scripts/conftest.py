from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.importer import Importer
from tests.office import running_office


@pytest.fixture(scope="package")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Importer]:
    folder = tmp_path_factory.mktemp("import")
    with running_office(folder) as parts:
        parts.office.run_once()
        yield Importer(parts, folder, count(1))
