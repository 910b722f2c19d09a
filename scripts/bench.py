"""`make bench`: what this machine does, as ratios against a limit measured in the same run, into build/bench.json."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import rlp
import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger import bootstrap, certificate, sealing
from ledger.cid import cid_of
from ledger.encoding import canonical_json, keccak256, parse_json
from ledger.registers.forms import Change, RecordRequest
from ledger.settings import Settings
from ledger.verifier import verify
from scripts.deploy import deploy_devnet
from scripts.devnet import start_hardhat
from wallet.keys import address_of, new_key
from wallet.signer import LocalSigner

OUT = Path("build/bench.json")
SAMPLES = Path(__file__).parent / "samples"
GAS = Path(__file__).parent.parent / "tests" / "contracts" / "gas.json"
TITLES = 300
BYTES = 64 << 20
CHUNK = 16 << 10
SLOT_AND_EVENT_GAS = 24_025  # a new storage slot and a log of two topics and 100 bytes: the floor of one title


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    figures = {**_documents(), **_titles(), **_gas()}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    for name, figure in figures.items():
        print(f"{name:28} {figure['value']:>12,.0f} {figure['unit']:22} {figure['ratio']:.2f} of {figure['reference']}")


def _figure(value: float, unit: str, limit: float, reference: str, *, lower_is_better: bool = False) -> dict[str, Any]:
    ratio = limit / value if lower_is_better else value / limit
    return {"value": round(value, 1), "unit": unit, "reference": f"{reference}: {limit:,.0f}", "ratio": round(ratio, 3)}


def _documents() -> dict[str, Any]:
    data, key = os.urandom(BYTES), AESGCM(bytes(32))
    nonces, view, megabytes = count(), memoryview(data), BYTES / 1e6
    chunks = [view[i : i + CHUNK] for i in range(0, BYTES, CHUNK)]
    encrypting = _rate(lambda: [key.encrypt(next(nonces).to_bytes(12, "big"), chunk, None) for chunk in chunks])
    hashing = _rate(lambda: sha256(data).digest())
    sealed, named = _rate(lambda: sealing.seal(data)), _rate(lambda: cid_of(data))
    return {
        "seal_mb_per_s": _figure(sealed * megabytes, "MB/s", encrypting * megabytes, "AES-256-GCM alone"),
        "cid_mb_per_s": _figure(named * megabytes, "MB/s", hashing * megabytes, "SHA-256 alone"),
    }


def _titles() -> dict[str, Any]:
    """One batch of titles, from submission to certificates, then their verification, on a real devnet."""
    with tempfile.TemporaryDirectory() as folder, start_hardhat() as url:
        settings = Settings(data=Path(folder) / "office", rpc_url=url)
        deploy_devnet(settings)
        office = bootstrap.open_office(settings)
        files, started = _certificates(office), time.process_time()
        for data in files:  # once: a second time they would not be new ones
            if not verify(data, office.trust).valid:
                raise SystemExit("A certificate of the benchmark does not verify.")
        verified = TITLES / (time.process_time() - started)
        _print_shares(files, TITLES / verified)
        proofs = [_proof_nodes(data) for data in files]
        limit = TITLES * _rate(lambda: [_proof_work(nodes) for nodes in proofs])
        office.close()
    reference = "hashing and decoding of the same proofs alone"
    return {"verify_certificates_per_s": _figure(verified, "certificates/s a core", limit, reference)}


def _certificates(office: bootstrap.Office) -> list[bytes]:
    fields, document = json.loads((SAMPLES / "deed.json").read_text()), (SAMPLES / "deed.pdf").read_bytes()
    holder = address_of(new_key())
    requests = [RecordRequest({**fields, "nib": f"10.15.22.05.{n:05}"}, holder, document) for n in range(TITLES)]
    application = office.applications.submit("land", Change("issue", requests), "bench").application
    data = office.applications.typed_data(application)
    for path in sorted(office.settings.registrar_keystores.glob("*.json"))[:2]:
        signer = LocalSigner.from_keystore(path, office.settings.password)
        office.applications.approve(application.id, signer.sign_typed(data), signer.address, "registrar")
    while office.store.application(application.id).state != "certified":
        office.run_once()
    register = str(office.trust.register_of_kind("land").name)
    ids = [bytes.fromhex(record["recordId"][2:]) for record in application.payload["records"]]
    return [canonical_json(office.store.certificate(register, record_id)) for record_id in ids]


def _print_shares(files: list[bytes], seconds: float) -> None:
    """Where the time of verifying the files went."""
    json_alone = 1 / _rate(lambda: [parse_json(data, len(data), "") for data in files])
    parsing = 1 / _rate(lambda: [certificate.parse(data) for data in files])
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


def _gas() -> dict[str, Any]:
    measured = json.loads(GAS.read_text())["land/issue/400"]
    floor = "storage slot and event"
    return {"land_issue_gas": _figure(measured, "gas a title", SLOT_AND_EVENT_GAS, floor, lower_is_better=True)}


def _rate(work: Callable[[], object]) -> float:
    """Runs a second of processor time: the best of three."""
    best = 0.0
    for _ in range(3):
        started = time.process_time()
        work()
        best = max(best, 1 / (time.process_time() - started))
    return best


if __name__ == "__main__":
    main()
