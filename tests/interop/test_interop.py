"""Certificates of a real office, checked by tools that are not ours: @ethereumjs/mpt, pymerkle, @sd-jwt/sd-jwt-vc."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import rlp
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pymerkle import InmemoryTree, verify_inclusion
from pymerkle.proof import MerkleProof

from ledger.certificate import Certificate
from ledger.encoding import address_bytes, canonical_json, from_hex, keccak256, to_hex
from ledger.errors import BadInput
from ledger.paper import Paper
from ledger.paper_verifier import verify_paper
from ledger.registers.base import head_slot, suspect_since_slot
from ledger.registers.forms import Change, RecordRequest
from ledger.registers.leaf import Leaf
from ledger.sd_jwt import IssuerKey, export, load_issuer_key
from ledger.state_proof import parse_header
from scripts.node import NODE, WORKSPACE
from tests.office import TestOffice, record_of, running_office

SPENT = {"buyer": "id-contoh", "period": "2026-01", "date": "2026-01-03", "supplier": "PT Contoh", "currency": "IDR"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestOffice]:
    with running_office(tmp_path_factory.mktemp("interop")) as running:
        yield running


@pytest.fixture(scope="module")
def certificates(office: TestOffice) -> Mapping[str, Certificate]:
    """Of a title that was issued with another, of a payment in a batch, and of one that was corrected."""
    titles = office.done("land", Change("issue", [office.request(), office.request()]))
    payments = [RecordRequest({**SPENT, "amount": "5.00", "id": str(number)}) for number in range(5)]
    batch = office.done("transactions", Change("append", payments))
    details = {"record": to_hex(record_of(batch, 1)), "reason": "the amount was wrong"}
    right = RecordRequest({**SPENT, "amount": "9.00", "id": "1"})
    office.done("transactions", Change("amend", [right], details=details))
    wanted = {"land": ("land", record_of(titles)), "payment": ("transactions", record_of(batch, 3))}
    wanted["corrected"] = ("transactions", record_of(batch, 1))
    newest = office.office.certifier.newest
    return {name: newest(office.trusted(kind), record_id) for name, (kind, record_id) in wanted.items()}


def node(script: str, given: str, *arguments: str) -> Any:
    command = [str(NODE), script, *arguments]
    run = subprocess.run(command, cwd=WORKSPACE, input=given, capture_output=True, text=True, timeout=60)
    if run.returncode:
        raise ValueError(run.stderr)
    return json.loads(run.stdout)


def proofs(certificate: Certificate, office: TestOffice) -> list[tuple[dict[str, Any], bytes]]:
    """Every proof of a certificate with what it must prove: RLP of accounts and words, nothing for an empty slot."""
    state, trusted = certificate.state, office.trusted(certificate.kind)
    assert state.authority is not None
    root, found = parse_header(state.header).state_root, []
    heads = certificate.evidence.heads(certificate.record_id, certificate.entries)
    slots = {name: head_slot(record) for name, record in heads.items()}
    registrars = {name: suspect_since_slot(name) for name in state.authority.slots}
    for address, proof, keys, code in (
        (certificate.register.address, state.register, slots, trusted.code_hash),
        (trusted.authority, state.authority, registrars, trusted.authority_code_hash),
    ):
        account = rlp.decode(rlp.decode(proof.account[-1])[1])
        assert account[3] == code
        nodes = [to_hex(item) for item in proof.account]
        found.append(
            ({"root": to_hex(root), "key": to_hex(address_bytes(address)), "nodes": nodes}, rlp.encode(account))
        )
        for name, key in keys.items():
            nodes = [to_hex(item) for item in proof.slots[name]]
            item = {"root": to_hex(account[2]), "key": to_hex(key), "nodes": nodes}
            newest = certificate.newest[0].head if name == "leaf" else certificate.entries[-1].head
            corrected = name != "leaf" or certificate.evidence.approved()
            found.append((item, rlp.encode(newest) if name in heads and corrected else b""))
    return found


@pytest.mark.parametrize("name", ["land", "payment", "corrected"])
def test_ethereumjs_proves_from_the_block_what_we_do(
    name: str, certificates: Mapping[str, Certificate], office: TestOffice
) -> None:
    expected = proofs(certificates[name], office)
    answers = node("verify-proofs.mjs", json.dumps([item for item, _ in expected]))
    assert answers == [to_hex(value) if value else None for _, value in expected]
    assert keccak256(certificates[name].state.header) == parse_header(certificates[name].state.header).hash


def test_ethereumjs_refuses_a_proof_under_another_root(
    certificates: Mapping[str, Certificate], office: TestOffice
) -> None:
    item, _ = proofs(certificates["land"], office)[0]
    with pytest.raises(ValueError, match=r"[Ii]nvalid|hash"):
        node("verify-proofs.mjs", json.dumps([{**item, "root": to_hex(bytes(31) + b"\x01")}]))


def test_pymerkle_builds_the_digest_and_the_paths_of_a_content(certificates: Mapping[str, Certificate]) -> None:
    for certificate in certificates.values():
        tree, shown = InmemoryTree(algorithm="sha256"), certificate.content.fields
        for field in shown:
            tree.append_entry(canonical_json([field.field.salt, field.field.name, field.field.value]))
        assert tree.get_root() == certificate.newest[1]
        for field in shown:
            path = tree.prove_inclusion(field.index + 1, len(shown)).serialize()["path"]
            assert path[1:] == [node.hex() for node in field.path]


def test_pymerkle_builds_the_root_and_the_path_of_a_batch(
    office: TestOffice, certificates: Mapping[str, Certificate]
) -> None:
    certificate = certificates["payment"]
    leaf, batch = certificate.evidence, certificate.entries[-1].as_json()
    assert isinstance(leaf, Leaf)
    payload = office.office.store.application_of_content(leaf.content)
    assert payload is not None
    tree = InmemoryTree(algorithm="sha256")
    for record in payload.payload["records"]:
        tree.append_entry(from_hex(record["digest"], 32))
    assert to_hex(tree.get_root()) == batch["root"] and str(tree.get_size()) == batch["count"]
    theirs = tree.prove_inclusion(leaf.index + 1, tree.get_size())
    assert theirs.serialize()["path"][1:] == [node.hex() for node in leaf.path]
    ours = MerkleProof.deserialize(
        {**theirs.serialize(), "path": [leaf.hash.hex(), *(node.hex() for node in leaf.path)]}
    )
    verify_inclusion(leaf.hash, from_hex(batch["root"], 32), ours)


@pytest.mark.parametrize("name", ["land", "payment", "corrected"])
def test_the_offline_code_of_a_real_certificate_verifies(
    name: str, certificates: Mapping[str, Certificate], office: TestOffice
) -> None:
    text = office.office.certifier.paper(certificates[name])
    verdict = verify_paper(text, office.office.trust)
    assert {axis: found.state for axis, found in verdict.axes.items()} == {
        "integrity": "valid",
        "status": "unknown",
        "issuer": "valid",
    }
    assert {signer for signer, _ in Paper.parse(text).signatures} == {s.address for s in office.registrars[:2]}
    unlisted = [replace(trusted, registrars=()) for trusted in office.office.trust.registers]
    unknown = verify_paper(text, replace(office.office.trust, registers=tuple(unlisted)))
    assert unknown.axes["issuer"].state == "unknown" and "lists no registrars" in unknown.axes["issuer"].reason


KEYS: Mapping[str, IssuerKey] = {"ES256": generate_private_key(SECP256R1()), "EdDSA": Ed25519PrivateKey.generate()}


def pem_of(key: IssuerKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_credential_is_verified_and_presented_by_another_library(
    algorithm: str, certificates: Mapping[str, Certificate], office: TestOffice
) -> None:
    certificate, key = certificates["land"], KEYS[algorithm]
    credential = export(canonical_json(certificate.as_json()), office.office.trust, key, "https://kantor.example")
    answer = node("verify-sd-jwt.mjs", credential, pem_of(key), algorithm, "holder,nib")
    assert answer["header"] == {"alg": algorithm, "typ": "dc+sd-jwt"}
    assert answer["whole"].items() >= certificate.content.values.items()
    assert answer["whole"]["vct"] == "urn:khalayak:land-title@1" and answer["whole"]["iss"] == "https://kantor.example"
    proof = answer["whole"]["khalayak"]
    assert (proof["recordId"], proof["head"]) == (to_hex(certificate.record_id), to_hex(certificate.entries[-1].head))
    assert answer["part"].keys() & certificate.content.values.keys() == {"holder", "nib"}


def test_a_credential_of_another_key_or_with_a_changed_field_is_refused(
    certificates: Mapping[str, Certificate], office: TestOffice
) -> None:
    data, key = canonical_json(certificates["land"].as_json()), KEYS["EdDSA"]
    credential = export(data, office.office.trust, key)
    with pytest.raises(ValueError, match="Invalid JWT Signature"):
        node("verify-sd-jwt.mjs", credential, pem_of(Ed25519PrivateKey.generate()), "EdDSA", "nib")
    foreign = export(canonical_json(certificates["payment"].as_json()), office.office.trust, key).split("~")[1]
    first, _, *rest = credential.split("~")
    answer = node("verify-sd-jwt.mjs", "~".join([first, foreign, *rest]), pem_of(key), "EdDSA", "nib")
    # One field less, and none of the other's.
    shown = answer["whole"].keys() - {"iat", "vct", "khalayak"}
    assert shown < certificates["land"].content.values.keys() and len(shown) == len(rest) - 1


def test_only_a_valid_certificate_becomes_a_credential(
    certificates: Mapping[str, Certificate], office: TestOffice
) -> None:
    data = canonical_json(certificates["land"].as_json())
    with pytest.raises(BadInput, match="not valid"):
        export(data.replace(b"Hak Milik", b"Hak Pakai"), office.office.trust, KEYS["ES256"])
    absence = office.office.certifier.absence("land", {"nib": "10.15.22.04.99999"})
    with pytest.raises(BadInput, match="absence"):
        export(canonical_json(absence.as_json()), office.office.trust, KEYS["ES256"])


def test_a_key_of_another_kind_is_refused() -> None:
    for key in KEYS.values():
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        assert pem_of(load_issuer_key(pem)) == pem_of(key)
    other = generate_private_key(SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for pem in (other, b"", b"no key"):
        with pytest.raises(BadInput):
            load_issuer_key(pem)
