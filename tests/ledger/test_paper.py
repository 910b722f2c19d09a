"""The offline code: what it proves, what it does not, that nothing in it can be changed, and how big it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import base45
from ledger.content import Content
from ledger.errors import BadInput, TooLarge
from ledger.merkle import inclusion_path, leaf_hash, root
from ledger.model import Application, Approval
from ledger.paper import MAX_BYTES, PREFIX, Paper, paper_of
from ledger.paper_message import compact, signed_digest
from ledger.paper_verifier import verify_paper
from ledger.registers import register_of_kind
from ledger.registers.leaf import Leaf
from ledger.trust import TrustRoot
from ledger.verdict import Verdict
from tests.builders import NAME, NIB, World, address, content, trust_root
from wallet.keys import address_of
from wallet.signer import LocalSigner
from wallet.typed_data import TYPES, Domain, build

KEYS = [bytes(31) + bytes([number]) for number in (1, 2)]
REGISTRARS = sorted(address_of(key) for key in KEYS)
WORLD = World()
DEADLINE = 2_000_000_000


def trust(**changes: Any) -> TrustRoot:
    (register,) = trust_root().registers
    return trust_root(registers=(replace(register, **{"registrars": tuple(REGISTRARS), **changes}),))


def signed(application: Application, kind: str, keys: Sequence[bytes] = KEYS) -> tuple[Any, list[Approval]]:
    data = register_of_kind(kind).typed_data(application)
    signers = sorted((LocalSigner(key) for key in keys), key=lambda signer: signer.address.lower())
    return data, [Approval(signer.address, "registrar", signer.sign_typed(data)) for signer in signers]


def title_record(record: Content, nib: str = NIB) -> dict[str, Any]:
    record_id = register_of_kind("land").record_id({"nib": nib})
    members = {"holder": address("holder"), "area": "41250"}
    return {"recordId": "0x" + record_id.hex(), "digest": "0x" + record.digest.hex(), **members}


def issue(others: int = 0, keys: Sequence[bytes] = KEYS, record: Content = WORLD.record) -> Paper:
    """The paper of a title that was issued with others."""
    rest = [title_record(content(nib=f"10.15.22.05.{n:05}"), f"10.15.22.05.{n:05}") for n in range(others)]
    payload = {"records": [title_record(record), *rest], "deadline": DEADLINE}
    application = Application("a", str(NAME), "issue", payload, "certified", 0, b"")
    return paper_of(WORLD.certificate(), record, *signed(application, "land", keys))


def batch(kind: str, fields: Mapping[str, str], size: int, index: int, action: str = "append") -> Paper:
    """The paper of a record in a batch of `size` leaves."""
    register = register_of_kind(kind)
    document = {"document": {"sha256": "0x" + "00" * 32}} if register.schema.document else {}
    record = Content.salted({**fields, "schema": register.schema.id, **document})
    digests = [bytes([n % 251]) * 28 + n.to_bytes(4, "big") for n in range(size)]
    digests[index] = record.digest
    payload = {
        "series": "0x" + register.record_id(fields).hex(),
        "records": [{"digest": "0x" + digest.hex()} for digest in digests],
        "manifest": "0x" + "11" * 32,
        "current": None,
        "deadline": DEADLINE,
    }
    application = Application("a", str(NAME), action, payload, "certified", 0, b"")
    leaves = [leaf_hash(digest) for digest in digests]
    assert leaves and root(leaves)
    evidence = Leaf(record.digest, index, tuple(inclusion_path(leaves, index)))
    certificate = replace(WORLD.certificate(), kind=kind, evidence=evidence)
    return paper_of(certificate, record, *signed(application, kind))


def identity() -> Paper:
    register = register_of_kind("identity")
    fields = {"recordId": "0x" + "ab" * 32, "kind": "citizen", "validity": "2099-12-31", "name": "Siti Contoh"}
    fields |= {"birthDate": "1979-03-14", "birthPlace": "Sleman", "address": "Jl. Kenanga 7", "nationality": "ID"}
    record = Content.salted({**fields, "schema": register.schema.id, "document": {"sha256": "0x" + "00" * 32}})
    members = {"controller": address("holder"), "validUntil": "4102444800", "digest": "0x" + record.digest.hex()}
    payload = {"records": [{"recordId": fields["recordId"], **members}], "deadline": DEADLINE}
    application = Application("a", str(NAME), "issue", payload, "certified", 0, b"")
    return paper_of(replace(WORLD.certificate(), kind="identity"), record, *signed(application, "identity"))


DIPLOMA = {"number": "UGM/2026/S1/004217", "institution": "id-ugm", "year": "2026", "degree": "Sarjana Komputer"}
DIPLOMA |= {"programme": "Ilmu Komputer", "name": "Siti Contoh", "birthDate": "2003-03-14", "graduated": "2026-08-20"}
SPENT = {"id": "2026-11/000417", "buyer": "id-kemenkeu", "period": "2026-11", "date": "2026-11-03"}
SPENT |= {"supplier": "PT Contoh Jaya Abadi", "amount": "1250000.00", "currency": "IDR", "description": "x" * 300}

PAPERS: Mapping[str, Callable[[], Paper]] = {
    "land": issue,
    "land, ten titles at once": lambda: issue(9),
    "identity": identity,
    "diplomas": lambda: batch("diplomas", DIPLOMA | {"honours": "cum laude"}, 3_800, 1_234, "appendLeaves"),
    "diplomas by root": lambda: batch("diplomas", DIPLOMA, 5_000, 4_321),
    "transactions": lambda: batch("transactions", SPENT, 10_000, 6_789),
}


def states(verdict: Verdict) -> tuple[str, str, str]:
    return tuple(verdict.axes[name].state for name in ("integrity", "status", "issuer"))  # type: ignore[return-value]


def size_of(paper: Paper) -> int:
    return len(base45.decode(paper.text().removeprefix(PREFIX)))


@pytest.mark.parametrize("name", PAPERS)
def test_every_kind_fits_on_paper_and_verifies_there(name: str, record_property: Any) -> None:
    paper = PAPERS[name]()
    text = paper.text()
    record_property("bytes", size_of(paper))
    print(f"{name}: {size_of(paper)} bytes, {len(text)} characters")
    assert size_of(paper) <= MAX_BYTES == 1300
    verdict = verify_paper(text, trust(kind=paper.kind))
    assert states(verdict) == ("valid", "unknown", "valid")
    assert Paper.parse(text) == paper and not verdict.valid


def test_the_status_is_never_known_and_the_paper_says_when_it_was_printed() -> None:
    verdict = verify_paper(issue().text(), trust())
    assert "since printing" in verdict.axes["status"].reason and "recorded" in verdict.axes["status"].reason
    assert (verdict.block_number, verdict.refusal and verdict.refusal.number) == (4242, 12)


def test_only_mandatory_fields_are_on_it() -> None:
    text, schema = issue().text(), register_of_kind("land").schema
    assert Paper.parse(text).values.keys() == schema.mandatory
    assert b"Siti" not in base45.decode(text.removeprefix(PREFIX))


def test_who_signed_counts_as_registrar_only_by_the_trust_root() -> None:
    text = issue().text()
    assert states(verify_paper(text, trust(registrars=()))) == ("valid", "unknown", "unknown")
    assert states(verify_paper(text, None)) == ("valid", "unknown", "unknown")
    assert states(verify_paper(text, trust(registrars=(REGISTRARS[0],)))) == ("valid", "unknown", "invalid")
    assert states(verify_paper(text, trust(kind="identity"))) == ("unknown", "unknown", "invalid")
    assert states(verify_paper(text, trust(threshold=3))) == ("valid", "unknown", "invalid")
    assert states(verify_paper(issue(keys=KEYS[:1]).text(), trust())) == ("valid", "unknown", "invalid")


def test_one_registrar_counts_once() -> None:
    paper = issue(keys=KEYS[:1])
    twice = replace(paper, signatures=paper.signatures * 2)
    assert states(verify_paper(twice.text(), trust())) == ("invalid", "unknown", "unknown")


def forgeries() -> Iterator[tuple[str, Paper]]:
    good, batched = issue(2), batch("transactions", SPENT, 20, 7)
    for number, leaf in enumerate(good.leaves):
        changed: Any = leaf_hash(leaf) if isinstance(leaf, bytes) else leaf._replace(value=leaf.value + "1")
        yield f"leaf {number}", replace(good, leaves=(*good.leaves[:number], changed, *good.leaves[number + 1 :]))
    shown = next(number for number, leaf in enumerate(good.leaves) if not isinstance(leaf, bytes))
    hidden: Any = good.leaves[shown].leaf()  # type: ignore[union-attr]
    yield "mandatory withheld", replace(good, leaves=(*good.leaves[:shown], hidden, *good.leaves[shown + 1 :]))
    yield "another chain", replace(good, register=replace(good.register, chain_id=1))
    yield "another struct", replace(good, primary="AmendTitle", message=[bytes(32), bytes(32), None, DEADLINE])
    yield "no digest", replace(good, message=[good.message[0][1:], DEADLINE])
    yield "the others are missing", replace(good, message=[good.message[0][:1], DEADLINE])
    yield "another deadline", replace(good, message=[good.message[0], DEADLINE + 1])
    yield "another signer", replace(good, signatures=((REGISTRARS[1], good.signatures[0][1]),))
    yield "high v", replace(good, signatures=((REGISTRARS[0], good.signatures[0][1][:64] + b"\x01"),))
    yield "another place", replace(batched, place=(6, batched.place[1] if batched.place else ()))
    yield "no place", replace(batched, place=None)
    yield "short path", replace(batched, place=(7, ()))
    yield "another series", replace(batched, message=[bytes(32), *batched.message[1:]])
    yield "a batch of titles", replace(good, primary="AppendBatch", message=batched.message, place=batched.place)


@pytest.mark.parametrize("paper", [pytest.param(paper, id=name) for name, paper in forgeries()])
def test_whatever_is_changed_the_fields_are_not_what_was_signed(paper: Paper) -> None:
    verdict = verify_paper(paper.text(), trust(kind=paper.kind))
    assert verdict.axes["integrity"].state == "invalid" or "does not list" in verdict.axes["issuer"].reason
    assert verdict.axes["issuer"].state != "valid"


def test_a_title_that_was_signed_for_is_not_shown_for_another_parcel() -> None:
    other = content(nib="10.15.22.05.00999")
    forged = issue(record=other)
    verdict = verify_paper(forged.text(), trust())
    assert "another record" in verdict.axes["integrity"].reason


def test_what_is_too_big_has_no_code() -> None:
    with pytest.raises(TooLarge):
        issue(40).text()


def test_what_was_not_signed_for_the_content_makes_no_paper() -> None:
    payload = {"records": [title_record(content())], "deadline": DEADLINE}
    data = register_of_kind("land").typed_data(Application("a", str(NAME), "issue", payload, "certified", 0, b""))
    with pytest.raises(BadInput):
        compact(data, WORLD.record.digest)


@pytest.mark.parametrize(
    "text",
    ["", "KHALAYAK1:", "KHALAYAK2:00", "KHALAYAK1:" + "0" * 5000, "KHALAYAK1:é", "KHALAYAK1:" + "FFF" * 400, "{}"],
)
def test_what_is_no_code_is_invalid(text: str) -> None:
    assert states(verify_paper(text, trust())) == ("invalid", "unknown", "unknown")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_damaged_byte_of_a_code_passes(data: st.DataObject) -> None:
    raw = bytearray(base45.decode(GOOD.removeprefix(PREFIX)))
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= data.draw(st.integers(1, 255))
    text = PREFIX + base45.encode(bytes(raw))
    verdict = verify_paper(text, trust())
    same = states(verdict) == ("valid", "unknown", "valid")
    # The block and time of printing are the paper's own words.
    assert not same or replace(Paper.parse(text), block=0, time=0) == replace(Paper.parse(GOOD), block=0, time=0)


GOOD = issue(1).text()


@pytest.mark.parametrize("primary", sorted(set(TYPES)))
def test_the_digest_is_the_one_that_wallets_sign(primary: str) -> None:
    def sample(kind: str, types: Any) -> Any:
        if kind.endswith("[]"):
            return [sample(kind[:-2], types), sample(kind[:-2], types)]
        if kind in types:
            return {member["name"]: sample(member["type"], types) for member in types[kind]}
        return 7 if kind.startswith("uint") else b"\x05" * (20 if kind == "address" else 32)

    types = TYPES[primary]
    data = build(Domain("LandRegister", 1337, NAME.address), primary, _hex(sample(primary, types)))

    def listed(kind: str, value: Any) -> Any:
        if kind.endswith("[]"):
            return [listed(kind[:-2], item) for item in value]
        if kind in types:
            return [listed(member["type"], value[member["name"]]) for member in types[kind]]
        return value

    message = listed(primary, sample(primary, types))
    assert signed_digest("LandRegister", 1337, NAME.address, primary, message, bytes(32)) == data.digest()


def _hex(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _hex(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_hex(item) for item in value]
    return "0x" + value.hex() if isinstance(value, bytes) else value
