"""FAULTS row 60: somebody tries all national id numbers against everything that is public, and finds none.

Four thousand numbers stand for all: nothing that is public depends on the number, so what cannot be told from these
cannot be told from more. The same search finds a parcel number, which is public and not meant to be hidden.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator

import httpx
import pytest
from sqlalchemy import create_engine, text

from ledger import merkle
from ledger.cid import cid_of
from ledger.encoding import canonical_json, keccak256
from ledger.retention import Policy, normalised
from tests.api.conftest import Applicant
from tests.api.test_registers import certified
from tests.office import DEED, TestOffice
from wallet.files import read_private
from wallet.keys import new_key
from wallet.signer import LocalSigner

NUMBERS = [f"340401010179{n:04}" for n in range(4_000)]
SECRET = NUMBERS[2_412]
HASHES: list[Callable[[bytes], bytes]] = [
    keccak256,
    merkle.leaf_hash,
    lambda data: hashlib.sha256(data).digest(),
    lambda data: hashlib.sha512(data).digest(),
    lambda data: hashlib.sha3_256(data).digest(),
    lambda data: hashlib.sha1(data).digest(),
    lambda data: hashlib.md5(data).digest(),
]
WINDOW = 8  # bytes of a hash: it may be shortened


def spellings(number: str, name: str) -> Iterator[bytes]:
    """What somebody who knows how this office works would hash."""
    yield from (number.encode(), normalised(number).encode(), f"{name}/{number}".encode())
    yield from (canonical_json(value) for value in ([name, number], ["", name, number], {name: number}, number))


def guesses(number: str, name: str, kind: str) -> Iterator[bytes]:
    for data in {*spellings(number, name), *spellings(number, kind)}:
        for make in HASHES:
            digest = make(data)
            yield digest[:WINDOW]
            yield digest[-WINDOW:]
        yield cid_of(data).encode()[-WINDOW - 4 :][:WINDOW]


def windows(public: bytes) -> set[bytes]:
    """Every eight bytes in a row of what is public: as it stands, and where it is hex or base64."""
    texts = [bytes.fromhex(found.decode()) for found in re.findall(rb"(?:[0-9a-fA-F]{2}){8,}", public)]
    for found in re.findall(rb"[A-Za-z0-9_-]{11,}", public):
        texts.append(urlsafe_b64decode(found[: len(found) // 4 * 4]))
    return {data[at : at + WINDOW] for data in [public, *texts] for at in range(len(data) - WINDOW + 1)}


@pytest.fixture(scope="module")
def public(applicant: Applicant) -> bytes:
    """All that anybody gets of an identity whose name and birth place are a national id number."""
    secret = {"name": SECRET, "birthPlace": SECRET}
    fields = {"kind": "citizen", "validity": "2099-12-31", "birthDate": "1979-03-14", **secret}
    value = {"records": [{"fields": fields, "holder": LocalSigner(new_key()).address}]}
    accepted = certified(applicant, "identity", "issue", value, "secret-number", DEED)
    title = applicant.certified(applicant.parts.request(nib="99.88.77.06.00042"), "public-number")
    paths = [path for answer in (accepted, title) for path in answer["links"].values() if "approvals" not in path]
    paths += [f"/v1/{kind}/entries?limit=100" for kind in ("identity", "land")]
    paths.append(f"/en/r/identity/{accepted['recordIds'][0]}")
    return b"\n".join(
        [*(get(applicant.http, path) for path in paths), on_chain(applicant.parts), *sealed(applicant.parts)]
    )


def get(http: httpx.Client, path: str) -> bytes:
    answer = http.get(path)
    assert answer.status_code == 200, path
    return answer.content


def on_chain(parts: TestOffice) -> bytes:
    found = [parts.office.store.transactions(state, 1_000) for state in ("sent", "included", "final")]
    return b"\n".join(attempt.raw for some in found for transaction in some for attempt in transaction.attempts)


def sealed(parts: TestOffice) -> Iterator[bytes]:
    """What lies in the document store: a public network may hold it."""
    for cid in parts.office.documents.cids():
        yield cid.encode() + parts.office.documents.get(cid, 30_000_000)


def test_fault_60_no_number_is_told_from_any_other(public: bytes) -> None:
    found = windows(public)
    assert SECRET.encode() not in public and len(found) > 10_000
    hits = {number for number in NUMBERS for guess in guesses(number, "name", "identity") if guess in found}
    assert hits == set()


def test_fault_60_the_same_search_finds_what_is_public(public: bytes) -> None:
    found = windows(public)
    parcels = [f"9988770600{n:03}" for n in range(100)]
    assert [nib for nib in parcels if any(g in found for g in guesses(nib, "nib", "land"))] == ["9988770600042"]


def test_fault_60_the_index_of_persons_tells_nobody_without_its_key(public: bytes, parts: TestOffice) -> None:
    retention, settings = parts.office.retention, parts.office.settings
    assert [holding.kind for holding in retention.held_about(Policy({}), [SECRET])] == ["identity"]
    engine = create_engine(settings.database)
    with engine.connect() as connection:
        there = {bytes(row.hmac) for row in connection.execute(text("SELECT hmac FROM identifiers"))}
    engine.dispose()
    starts = {one[:WINDOW] for one in there}
    assert not [number for number in NUMBERS for guess in guesses(number, "name", "identity") if guess in starts]
    key = read_private(retention.index_key)
    assert [n for n in NUMBERS if hmac.digest(key, normalised(n).encode(), "sha256") in there] == [SECRET]
