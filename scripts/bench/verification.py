"""Verifying certificates."""

from __future__ import annotations

import json
import time
from pathlib import Path

import rlp

from ledger import certificate
from ledger.encoding import canonical_json, keccak256, parse_json
from ledger.registers.forms import Change, RecordRequest
from ledger.verifier import verify
from scripts.bench.desk import Desk, open_desk
from scripts.bench.figures import Figures, figure, rate
from wallet.keys import address_of, new_key

SAMPLES = Path(__file__).parent.parent / "samples"
TITLES = 300


def verification_figures() -> Figures:
    """One batch of titles, from submission to certificates, then their verification, on a real devnet."""
    with open_desk() as desk:
        files, started = _certificates(desk), time.process_time()
        for data in files:  # once: a second time they would not be new ones
            if not verify(data, desk.office.trust).valid:
                raise SystemExit("A certificate of the benchmark does not verify.")
        verified = TITLES / (time.process_time() - started)
        _print_shares(files, TITLES / verified)
        proofs = [_proof_nodes(data) for data in files]
        limit = TITLES * rate(lambda: [_proof_work(nodes) for nodes in proofs])
    reference = "hashing and decoding of the same proofs alone"
    return {"verify_certificates_per_s": figure(verified, "certificates/s a core", limit, reference)}


def _certificates(desk: Desk) -> list[bytes]:
    fields, document = json.loads((SAMPLES / "deed.json").read_text()), (SAMPLES / "deed.pdf").read_bytes()
    holder = address_of(new_key())
    requests = [RecordRequest({**fields, "nib": f"10.15.22.05.{n:05}"}, holder, document) for n in range(TITLES)]
    application = desk.office.applications.submit("land", Change("issue", requests), "bench").application
    desk.approve(application)
    desk.certify()
    register = str(desk.office.trust.register_of_kind("land").name)
    ids = [bytes.fromhex(record["recordId"][2:]) for record in application.payload["records"]]
    return [canonical_json(desk.office.store.certificate(register, record_id)) for record_id in ids]


def _print_shares(files: list[bytes], seconds: float) -> None:
    """Where the time of verifying the files went."""
    json_alone = 1 / rate(lambda: [parse_json(data, len(data), "") for data in files])
    parsing = 1 / rate(lambda: [certificate.parse(data) for data in files])
    shares = {"reading JSON": json_alone, "reading forms, hashing fields": parsing - json_alone}
    shares["proofs, signatures, rules"] = seconds - parsing
    print("verification:", ", ".join(f"{name} {share / seconds:.0%}" for name, share in shares.items()))


def _proof_work(nodes: list[bytes]) -> None:
    for node in nodes:
        keccak256(node)
        rlp.decode(node)


def _proof_nodes(data: bytes) -> list[bytes]:
    """What any verifier of this certificate must hash and decode: the header and the nodes of its proofs."""
    parsed = certificate.parse(data)
    assert isinstance(parsed, certificate.Certificate)
    contracts = (parsed.state.register, parsed.state.authority)
    proofs = [nodes for contract in contracts if contract for nodes in (contract.account, *contract.slots.values())]
    return [parsed.state.header, *(node for nodes in proofs for node in nodes)]
