"""`make demo`: a land title from the deed to the certificate, verified offline, and seven frauds refused."""

from __future__ import annotations

import json
import logging
import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console

from ledger import bootstrap, certificate
from ledger.encoding import canonical_json, from_hex, to_hex
from ledger.errors import ContractReverted, KhalayakError, Unavailable
from ledger.model import Approval
from ledger.registers.forms import Change, RecordRequest
from ledger.settings import Settings
from ledger.verifier import verify
from scripts.cli_verify import answer, check_lines
from scripts.deploy import deploy_devnet
from scripts.devnet import start_hardhat
from scripts.frauds import Fraud, all_frauds
from scripts.tools.kubo import document_store
from wallet.keys import new_key
from wallet.signer import LocalSigner

HERE = Path("build/demo")
SAMPLES = Path(__file__).parent / "samples"
UNTITLED = "10.15.22.04.09999"

console = Console(highlight=False, soft_wrap=True)


class DemoFailed(KhalayakError):
    """Something did not come out as it must."""


def main() -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    started = time.monotonic()
    shutil.rmtree(HERE, ignore_errors=True)
    (HERE / "frauds").mkdir(parents=True)
    try:
        refused_on_chain = _issue_and_transfer()
        results = [*_verify_offline(), ("OK", *refused_on_chain)]
    except KhalayakError as error:
        console.print(f"\n[bold red]The demo failed:[/] {error}")
        return 1
    console.print(f"\n[bold]In short[/]  ({time.monotonic() - started:.0f} s; everything is in {HERE}/)")
    for mark, what, how in results:
        console.print(f"  [green]{mark:4}[/] {what:35} {how}")
    console.print(f"\nCheck it yourself:  .venv/bin/khalayak verify --checks {HERE}/certificate.json")
    return 0


def _issue_and_transfer() -> tuple[str, str]:
    """All that needs the chain. Everything started here is stopped when it returns."""
    with ExitStack() as running:
        url = running.enter_context(start_hardhat())
        _step(f"devnet: hardhat on {url.removeprefix('http://')}, chain 31337")
        documents = running.enter_context(document_store(HERE / "ipfs"))
        settings = Settings(data=HERE / "office", rpc_url=url, documents=documents)
        deploy_devnet(settings)
        office = bootstrap.open_office(settings)
        running.callback(office.close)
        trusted = office.trust.register_of_kind("land")
        _step(f"contracts: {len(office.trust.registers)} registers; land is {trusted.name}; 2 of 3 registrars approve")
        _step(f"documents: {office.documents.name} store")
        fields, document = json.loads((SAMPLES / "deed.json").read_text()), (SAMPLES / "deed.pdf").read_bytes()
        seller, buyer = LocalSigner(new_key()), LocalSigner(new_key())
        registrars = _registrars(office)
        issue = Change("issue", [RecordRequest(fields, seller.address, document)])
        issued = office.applications.submit("land", issue, "demo-issue")
        _step(f"sealed: {len(document):,} bytes of PDF under {_cid(office, issued.application)}")
        office.certifier.witnesses = office.certifier.witnesses[:2]  # two of three suffice; the third is away
        refused = _try_one_approval(office, issued.application, registrars[0])
        _approve(office, issued.application, registrars[:2])
        _certify(office, issued.application.id, "issued")
        sold = RecordRequest({**fields, "holder": "Sari Contoh Pembeli"}, document=document)
        sale = Change("transfer", [sold], details={"recipient": buyer.address})
        transfer = office.applications.submit("land", sale, "demo-transfer")
        _approve(office, transfer.application, registrars[1:], seller, buyer)
        _certify(office, transfer.application.id, "transferred")
        record_id = from_hex(issued.application.payload["records"][0]["recordId"], 32)
        _write("certificate.json", office.store.certificate(str(trusted.name), record_id))
        _write("absent.json", office.certifier.absence("land", {"nib": UNTITLED}).as_json())
        _write("trust.json", office.trust.as_json())
        (HERE / "document.pdf").write_bytes(document)
        return refused


def _verify_offline() -> list[tuple[str, str, str]]:
    """The devnet and the document store are stopped by now: only files are left."""
    trust = bootstrap.read_trust(HERE / "trust.json")
    data, document = (HERE / "certificate.json").read_bytes(), (HERE / "document.pdf").read_bytes()
    _step("devnet and document store are stopped; from here on only the files count")
    verdict = verify(data, trust, document=document)
    console.print("\n".join(check_lines(verdict)))
    absence = verify((HERE / "absent.json").read_bytes(), trust)
    if not verdict.valid or not absence.valid:
        raise DemoFailed(f"an honest file was refused: {answer(verdict)}; {answer(absence)}")
    parsed = certificate.parse(data)
    assert isinstance(parsed, certificate.Certificate)
    results = [("OK", "certificate.json", answer(verdict)), ("OK", "absent.json", answer(absence))]
    for number, fraud in enumerate(all_frauds(parsed, document, trust), 1):
        results.append(_try(number, fraud, trust, document))
    return results


def _try(number: int, fraud: Fraud, trust: Any, document: bytes) -> tuple[str, str, str]:
    stem = f"{number}-{fraud.name.replace(' ', '-')}"
    _write(f"frauds/{stem}.json", fraud.certificate)
    if fraud.document:
        (HERE / "frauds" / f"{stem}.pdf").write_bytes(fraud.document)
    verdict = verify(canonical_json(fraud.certificate), trust, document=fraud.document or document)
    refusal = verdict.refusal
    if refusal is None or refusal.number != fraud.check:
        raise DemoFailed(f"the fraud {fraud.name!r} was not refused by check {fraud.check}: {answer(verdict)}")
    return "OK", f"fraud: {fraud.name}", f"refused by check {refusal.number}: {refusal.detail}"


def _try_one_approval(office: bootstrap.Office, application: Any, registrar: LocalSigner) -> tuple[str, str]:
    """The seventh fraud goes past our service, straight to the contract, as whoever steals the relayer's key would."""
    signature = registrar.sign_typed(office.applications.typed_data(application))
    lonely = Approval(registrar.address, "registrar", signature)
    data = office.applications.register(application).calldata(application, [lonely])
    to = office.trust.register_named(application.register).name.address
    try:
        office.chain.estimate_gas(next(iter(office.publisher.relayers)), to, data)
    except ContractReverted as refusal:
        if refusal.name == "TooFewApprovals":
            return "fraud: one approval only", f"refused on chain: {refusal.message}"
    raise DemoFailed("the contract took a title that one registrar alone approved")


def _approve(office: bootstrap.Office, application: Any, registrars: list[LocalSigner], *parties: LocalSigner) -> None:
    data = office.applications.typed_data(application)
    roles = ["registrar"] * len(registrars) + ["holder", "recipient"]
    for signer, role in zip([*registrars, *parties], roles, strict=False):
        office.applications.approve(application.id, signer.sign_typed(data), signer.address, role)


def _certify(office: bootstrap.Office, application_id: str, word: str) -> None:
    for _ in range(300):
        office.run_once()
        application = office.store.application(application_id)
        if application.state == "certified":
            transaction = office.store.transaction_of(application_id)
            assert transaction is not None
            _step(f"{word}: block {transaction.block_number}, final, witnessed; {to_hex(transaction.hash)}")
            return
        if application.state == "failed":
            raise DemoFailed(f"the application failed: {application.reason}")
        time.sleep(0.1)
    raise Unavailable("The application was not certified in time.")


def _registrars(office: bootstrap.Office) -> list[LocalSigner]:
    files = sorted(office.settings.registrar_keystores.glob("*.json"))
    return [LocalSigner.from_keystore(path, office.settings.password) for path in files]


def _cid(office: bootstrap.Office, application: Any) -> str:
    content = office.store.content(from_hex(application.payload["records"][0]["digest"], 32))
    return next(field["value"]["cid"] for field in content or [] if field["name"] == "document")


def _write(name: str, value: Any) -> None:
    (HERE / name).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _step(text: str) -> None:
    console.print(f"[dim]·[/] {text}")


if __name__ == "__main__":
    sys.exit(main())
