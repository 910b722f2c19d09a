"""The audit of an office: database, chain, documents and key ring must say the same, row by row (`khalayak fsck`).

What can contradict a cell is asked: the chain for what followers wrote, the sealed dossiers for what was accepted,
given and ended, hashes and signatures for both. docs/operations.md lists the cells that nothing can contradict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, cast

import orjson

from ledger.application_checks import ApplicationChecks
from ledger.certificate import Certificate, parse
from ledger.comparison import UNREADABLE, compared_rows, different
from ledger.custody_checks import CustodyChecks
from ledger.dossiers import Dossiers
from ledger.encoding import to_hex
from ledger.errors import BadInput, Conflict, KhalayakError, NotFound, Unavailable
from ledger.follower import Follower
from ledger.model import ENDED, Block, BlockTag, Dossier, Finding, StoredCertificate
from ledger.ports import Chain, RecordStore
from ledger.rebuilding import Places
from ledger.state_proof import parse_header
from ledger.trust import TrustRoot
from ledger.verifier import verify
from wallet.errors import TransactionInvalid

UNDER_WAY = ("signed", "sent", "included")
Progress = Callable[[], None]  # called after each application and certificate


class Tables(Protocol):
    """A database below its port (ledger.adapters.sql_audit)."""

    def malformed(self) -> Iterator[Finding]: ...
    def orphans(self) -> Iterator[Finding]: ...
    def cids(self) -> Iterator[str]: ...
    def registers(self) -> list[tuple[int, str]]: ...


class _AsOf:
    """A chain on which a block was the last final one."""

    def __init__(self, chain: Chain, number: int) -> None:
        self._chain = chain
        self._number = number

    def block(self, at: int | BlockTag) -> Block:
        return self._chain.block(self._number if at == "finalized" else at)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)


class Auditor:
    """`follower` makes what follows a register on a chain once more, into an empty store, where it has the number that
    it has in the office's own; `differences` compares the two."""

    def __init__(
        self,
        trust: TrustRoot,
        store: RecordStore,
        chain: Chain,
        dossiers: Dossiers,
        tables: Tables,
        follower: Callable[..., Follower],
        number_next: Callable[[int], None],
        differences: Callable[[], Iterator[Finding]],
        places: Places,
        checks: ApplicationChecks,
        custody: CustodyChecks,
    ) -> None:
        self.trust = trust
        self.store = store
        self.chain = chain
        self.dossiers = dossiers
        self.tables = tables
        self.follower = follower
        self.number_next = number_next
        self.differences = differences
        self.places = places
        self.checks = checks
        self.custody = custody

    def run(self, progress: Progress) -> Iterator[Finding]:
        """Every row that differs. Raises Unavailable and WalletError where it cannot be told."""
        yield from self.tables.malformed()
        for number, name in self.tables.registers():
            yield from self._follow(number, name)
        yield from self.differences()
        yield from self.tables.orphans()
        seen = set[int]()
        yield from self._applications(seen, progress)
        for cid in self.tables.cids():
            if hash(cid) not in seen:
                yield Finding("documents", f"cid={cid}", "", "it belongs to no application")
        yield from self._certificates(progress)
        yield from self.custody.check()

    def _follow(self, number: int, name: str) -> Iterator[Finding]:
        """As far as the office says that it did."""
        try:
            trusted = self.trust.register_named(name)
        except BadInput:
            yield Finding("cursors", f"register={name}", "", "the trust root does not list it")
            return
        cursor, final = self.store.cursor(name), self.chain.block("finalized").number
        if not isinstance(cursor, int):
            return
        if cursor > final:
            yield Finding("cursors", f"register={name}", "block_number", f"block {final} is the last final one")
        as_of = cast(Chain, _AsOf(self.chain, min(cursor, final)))
        self.number_next(number)
        self.follower(trusted, chain=as_of).run_once()

    def _applications(self, seen: set[int], progress: Progress) -> Iterator[Finding]:
        in_ring = set[str]()
        for name, found in self.dossiers.all():
            in_ring.add(name)
            if isinstance(found, KhalayakError):
                yield Finding("dossiers", f"application={name}", "", found.message)
            yield from self._application(name, found if isinstance(found, Dossier) else None, seen)
            progress()
        ended = self.dossiers.ended()
        for name in self.store.ids():
            if name not in in_ring:
                yield Finding("applications", f"id={name}", "", "the key ring has no dossier of it")
                yield from self._application(name, None, seen)
                progress()
            elif name not in ended and self.store.application(name).state in ENDED:
                yield Finding(
                    "applications", f"id={name}", "state", "the key ring does not say so; run the office once"
                )

    def _application(self, name: str, kept: Dossier | None, seen: set[int]) -> Iterator[Finding]:
        try:
            actual = self.store.dossier(name)
            seen.update(hash(document.cid) for document in actual.documents)
            if kept:
                yield from self._compared(kept, actual)
            yield from self.checks.check(actual)
        except NotFound:
            if kept:
                yield Finding("applications", f"id={name}", "", "the key ring holds it, and the row is missing")
        except Unavailable:
            raise
        except (KhalayakError, *UNREADABLE):
            yield Finding("applications", f"id={name}", "", "its rows cannot be read")

    def _compared(self, kept: Dossier, actual: Dossier) -> Iterator[Finding]:
        """Where an application differs from its dossier and from what the chain says of it."""
        key = f"id={kept.application.id}"
        try:
            expected = self.places.placed(kept)
        except (Conflict, TransactionInvalid) as error:
            yield Finding("applications", key, "state", error.message)
            expected = kept
        for column in different(expected.application, actual.application, but=("state",)):
            yield Finding("applications", key, column, "it is not what was accepted, or how it ended")
        for column in different(expected, actual, only=("idempotency_key", "body_digest")):
            yield Finding("applications", key, column, "it is not what was accepted")
        if problem := _wrong_state(expected, actual):
            yield Finding("applications", key, "state", problem)
        of_it = f"application_id={kept.application.id}"
        for table, keys in (("contents", ("digest",)), ("documents", ("cid",)), ("approvals", ("signer", "role"))):
            yield from compared_rows(table, keys, of_it, getattr(expected, table), getattr(actual, table))
        if kept.application.state in ENDED:
            yield from _compared_transactions(of_it, expected, actual)
        elif any(sent.attempts[0].hash not in _hashes(actual) for sent in expected.transactions):
            yield Finding("attempts", of_it, "", "the chain holds one that is missing")
        for certificate in expected.certificates:
            yield from self._kept_certificate(certificate)

    def _kept_certificate(self, kept: StoredCertificate) -> Iterator[Finding]:
        found = self.store.certificate(kept.register, kept.record_id, kept.head)
        if found is None:
            yield Finding("certificates", _certificate_key(kept), "", "the key ring holds it, and the row is missing")
            return
        made = orjson.loads(kept.file)
        if _unsigned(found) != _unsigned(made) and _block_of(found) <= _block_of(made):
            # One that was made anew is of a later block, or was signed at another time; it is verified as all are.
            yield Finding("certificates", _certificate_key(kept), "certificate", "it is not the one that was made")

    def _certificates(self, progress: Progress) -> Iterator[Finding]:
        for row in self.store.certificates():
            try:
                verdict, certificate = verify(row.file, self.trust), parse(row.file)
                if verdict.axes["integrity"].state != "valid" or not isinstance(certificate, Certificate):
                    why = verdict.refusal.detail if verdict.refusal else "it is none"
                    yield Finding("certificates", _certificate_key(row), "certificate", f"it does not verify: {why}")
                    continue
            except (KhalayakError, *UNREADABLE):
                yield Finding("certificates", _certificate_key(row), "certificate", "it cannot be read")
                continue
            for column, said in _columns_of(certificate).items():
                if getattr(row, column) != said:
                    yield Finding("certificates", _certificate_key(row), column, "the certificate says otherwise")
            progress()


def _wrong_state(expected: Dossier, actual: Dossier) -> str:
    """Why the database's state cannot be, given the one that chain and key ring say; empty if it can."""
    said, state = expected.application.state, actual.application.state
    if state in UNDER_WAY and not actual.transactions:
        return "no transaction of it is there"
    if state == said or (said == "approved" and state in UNDER_WAY):
        return ""
    if said == "final" and (state in UNDER_WAY or (state == "certified" and actual.certificates)):
        return ""
    return f"by the chain and the key ring it is {said}"


def _hashes(dossier: Dossier) -> set[bytes]:
    return {attempt.hash for sent in dossier.transactions for attempt in sent.attempts}


def _compared_transactions(of_it: str, expected: Dossier, actual: Dossier) -> Iterator[Finding]:
    """Those of an application that has ended, which change no more."""
    wanted, found = ({(t.sender, t.nonce): t for t in dossier.transactions} for dossier in (expected, actual))
    for sender, nonce in sorted({**wanted, **found}):
        key, one, other = (
            f"sender={sender} nonce={nonce} {of_it}",
            wanted.get((sender, nonce)),
            found.get((sender, nonce)),
        )
        if one is None or other is None:
            yield Finding("transactions", key, "", "key ring and database do not both have it")
            yield Finding("carried", key, "", "key ring and database do not both have it")
            continue
        if one.applications != other.applications:
            yield Finding("carried", key, "application_id", "it is not what the key ring says")
        yield from compared_rows("attempts", ("hash",), key, one.attempts, other.attempts)


def _unsigned(certificate: Any) -> Any:
    """What a certificate says but for who signed its block, and when."""
    state = certificate.get("state") if isinstance(certificate, dict) else None
    if not isinstance(state, dict):
        return certificate
    return {**certificate, "state": {name: value for name, value in state.items() if name != "checkpoint"}}


def _block_of(certificate: Any) -> int:
    try:
        return parse_header(bytes.fromhex(certificate["state"]["header"][2:])).number
    except (KhalayakError, *UNREADABLE):
        return 0


def _columns_of(certificate: Certificate) -> dict[str, Any]:
    heads = certificate.evidence.heads(certificate.record_id, certificate.entries)
    return {
        "register": str(certificate.register),
        "record_id": heads.get("leaf", certificate.record_id),
        "sequence": len(certificate.entries) + len(certificate.evidence.approved()),
        "head": certificate.newest[0].head,
    }


def _certificate_key(row: StoredCertificate) -> str:
    return f"register={row.register} record_id={to_hex(row.record_id)} head={to_hex(row.head)}"
