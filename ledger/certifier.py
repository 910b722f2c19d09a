"""The certifier: captures the proof of a record when its block is final, before nodes drop the state."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import structlog

from ledger.certificate import Absence, Certificate, ContractProof, StateProof, parse, parse_subject
from ledger.collecting import uncollected
from ledger.content import Content
from ledger.cosigned import Cosign, cosigned
from ledger.encoding import canonical_json, to_hex
from ledger.errors import (
    ChainMismatch,
    Conflict,
    Erased,
    NotFound,
    StateDropped,
    TooLarge,
    Unavailable,
)
from ledger.known import BulkState, FinalState, PastState
from ledger.model import Application, Block, BlockTag, StoredCertificate
from ledger.paper import paper_of
from ledger.ports import Chain, RecordStore
from ledger.registers import register_of_kind
from ledger.registers.base import Claim, head_slot, suspect_since_slot
from ledger.registers.forms import Known
from ledger.state_proof import parse_header
from ledger.trust import TrustedRegister, TrustRoot
from ledger.verdict import Verdict

RECORDS_AT_ONCE = 400  # geth proves 1,024 slots in one answer, and a batch's record has two

K = TypeVar("K", str, bytes)
Nodes = tuple[bytes, ...]
Bulk = list[tuple[str, list[bytes]]]  # applications by id, and the records that each brings or changes

Verifier = Callable[[Iterable[bytes]], Iterable[Verdict]]

log = structlog.get_logger()


class Claimed(NamedTuple):
    """What can be certified of a record; of the record of a batch, the claim is about its series."""

    record_id: bytes
    claim: Claim
    content: Content


class Made(NamedTuple):
    """A certificate, and the file that it is."""

    certificate: Certificate
    file: bytes


class Certifier:
    """`verifier` gives the verdict of each of many certificates, in order."""

    def __init__(
        self, trust: TrustRoot, store: RecordStore, chain: Chain, witnesses: Sequence[Cosign], verifier: Verifier
    ) -> None:
        self.trust = trust
        self.store = store
        self.chain = chain
        self.witnesses = witnesses
        self.verifier = verifier

    def run_once(self) -> None:
        """Certify every application that is final, oldest first, many records of a register at once, so that a backlog
        is captured before the node drops the state. What cannot be certified now stays final and is tried again."""
        # While some are verified, others are read or saved.
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda bulk: self._certify(*bulk), self._bulks()))

    def absence(self, kind: str, subject: Mapping[str, str]) -> Absence:
        """A proof that nothing was ever recorded about a subject, as of the newest final block. Raises BadInput,
        Conflict when something was, Unavailable when too few witnesses sign."""
        trusted, register = self.trust.register_of_kind(kind), register_of_kind(kind)
        record_id = register.record_id(parse_subject(register, subject))
        block, checkpoint = self._witnessed("finalized")
        account, proved = self._prove(trusted.name.address, {"head": head_slot(record_id)}, block)
        state = StateProof(block.header, ContractProof(account, proved), None, checkpoint)
        absence = Absence(trusted.name, kind, dict(subject), state)
        (verdict,) = self.verifier([canonical_json(absence.as_json())])
        refusal = verdict.refusal
        if refusal and refusal.number == 5:
            raise Conflict("The register holds a record about this.", "Ask for its certificate.")
        if refusal:
            raise Unavailable(f"No proof can be given now: check {refusal.number}, {refusal.detail}.", "Try later.")
        return absence

    def newest(self, trusted: TrustedRegister, record_id: bytes) -> Certificate:
        """A record's certificate as of the last block followed, new. Raises NotFound, Unavailable, ChainForked."""
        block = FinalState(trusted, self.store, self.chain).block()
        return self.certify(trusted, record_id, block, cosigned(block, self.trust, self.witnesses))

    def as_of(self, trusted: TrustedRegister, record_id: bytes, number: int) -> Certificate:
        """The certificate of a record as of an earlier block, with the content of then, and it is not kept. Where the
        node has dropped that block's state, the one that was captured later for the same entry: its history tells the
        earlier time too. Raises NotFound (nothing was recorded by then), StateDropped (neither exists), Unavailable."""
        if number > FinalState(trusted, self.store, self.chain).block().number:
            raise Unavailable(f"Block {number} has not been followed yet.", "Try again later.")
        (past,) = self._claimed(trusted, [record_id], PastState(trusted, self.store, self.chain, number))
        try:
            return self._make(trusted, [past], *self._witnessed(number))[0].certificate
        except StateDropped:
            found = self.store.certificate(str(trusted.name), record_id, past.claim.newest.head)
            kept = parse(canonical_json(found)) if found else None
            if isinstance(kept, Certificate) and parse_header(kept.state.header).number >= number:
                return kept
            raise

    def paper(self, certificate: Certificate) -> str:
        """The offline code of a certificate, empty where this office did not take the application, or where it is too
        big for paper: an issue of very many titles, say."""
        digest = certificate.newest[1]
        application, content = self.store.application_of_content(digest), self.store.content(digest)
        if application is None or content is None:
            return ""
        data = register_of_kind(certificate.kind).typed_data(application)
        approvals = self.store.approvals(application.id)
        try:
            return paper_of(certificate, Content.from_json(content), data, approvals).text()
        except TooLarge:
            return ""

    def certify(self, trusted: TrustedRegister, record_id: bytes, block: Block, checkpoint: str) -> Certificate:
        """Make, verify and keep the full certificate of a record as of a final block that has been followed, with the
        block's cosigned checkpoint. Raises NotFound, Unavailable (too few witnesses), ChainMismatch (our own verifier
        refuses it)."""
        claimed = self._claimed(trusted, [record_id], FinalState(trusted, self.store, self.chain))
        (made,) = self._make(trusted, claimed, block, checkpoint)
        self.store.save_certificates([_stored(claimed[0], made)])
        return made.certificate

    def _bulks(self) -> Iterator[tuple[str, Bulk]]:
        """What is final by register, as many records as go together."""
        bulks = dict[str, Bulk]()
        for application_id in self.store.application_ids("final"):
            application = self.store.application(application_id)
            if self._followed(application):
                bulk = bulks.setdefault(application.register, [])
                bulk.append((application_id, self._to_certify(application)))
                if sum(len(record_ids) for _, record_ids in bulk) >= RECORDS_AT_ONCE:
                    yield application.register, bulks.pop(application.register)
        yield from bulks.items()

    def _followed(self, application: Application) -> bool:
        cursor, transaction = self.store.cursor(application.register), self.store.transaction_of(application.id)
        return cursor is not None and cursor >= ((transaction and transaction.block_number) or 0)  # none: found final

    def _to_certify(self, application: Application) -> list[bytes]:
        record_ids = application.record_ids
        kind = self.trust.register_named(application.register).kind
        # The entry of a batch is proved for ever, so its records are certified when they are asked for; the first one
        # shows that each can be.
        return record_ids[:1] if register_of_kind(kind).in_batches else record_ids

    @uncollected()
    def _certify(self, name: str, bulk: Bulk) -> None:
        """Certify applications of one register as of one block."""
        trusted = self.trust.register_named(name)
        number = FinalState(trusted, self.store, self.chain).followed()
        record_ids = [record_id for _, its in bulk for record_id in its]
        known = BulkState(trusted, self.store, self.chain, number, record_ids)
        claimed, certified = list[Claimed](), list[str]()
        for application_id, its in bulk:
            try:
                claimed += self._claimed(trusted, its, known, but_erased=True)
                certified.append(application_id)
            except NotFound as error:
                log.error("no certificate", application=application_id, reason=error.message)
        try:
            made = self._make(trusted, claimed, *self._witnessed(number)) if claimed else []
            self.store.save_certificates(list(map(_stored, claimed, made)), certified)
        except Unavailable as error:
            log.warning("certificates wait", applications=certified, reason=error.message)
        except Conflict:
            log.info("applications are certified elsewhere", applications=certified)

    def _claimed(
        self, trusted: TrustedRegister, record_ids: Sequence[bytes], known: Known, but_erased: bool = False
    ) -> list[Claimed]:
        """With `but_erased`, records whose content was erased are left out. Raises NotFound, Erased."""
        claims = [register_of_kind(trusted.kind).claim(record_id, known) for record_id in record_ids]
        contents, claimed = self.store.contents(claim.digest for claim in claims), list[Claimed]()
        for record_id, claim in zip(record_ids, claims, strict=True):
            fields = contents.get(claim.digest)
            if fields is None and but_erased and self.store.erasure_of(claim.digest):
                continue
            read = Content.from_json(self.content(claim.digest) if fields is None else fields)
            claimed.append(Claimed(record_id, claim, read))
        return claimed

    def _make(self, trusted: TrustedRegister, claimed: Sequence[Claimed], block: Block, checkpoint: str) -> list[Made]:
        """Certificates of records of one register as of one block. The node is asked for all proofs at once, and what
        they share is verified once (ledger/state_proof.py), yet each certificate is verified as a stranger would."""
        claims = [item.claim for item in claimed]
        heads = [claim.evidence.heads(claim.record_id, claim.entries) for claim in claims]
        states = self._capture(trusted, heads, [_registrars(claim) for claim in claims], block, checkpoint)
        made = list[Made]()

        def files() -> Iterator[bytes]:
            for (_, claim, content), state in zip(claimed, states, strict=True):
                told = (claim.record_id, claim.entries, claim.approvers, claim.evidence, content.disclose())
                certificate = Certificate(trusted.name, trusted.kind, *told, state)
                made.append(Made(certificate, canonical_json(certificate.as_json())))
                yield made[-1].file

        for verdict in self.verifier(files()):
            _check_own(verdict)
        return made

    def content(self, digest: bytes) -> list[dict[str, Any]]:
        """The fields of a content. Raises Erased, NotFound."""
        content = self.store.content(digest)
        if content is not None:
            return content
        tombstone = self.store.erasure_of(digest)
        if tombstone is None:
            raise NotFound("Neither this office nor its chain knows the content of this record.")
        day = datetime.fromtimestamp(tombstone.time, UTC).date().isoformat()
        ground = f" Its ground: {tombstone.ground}." if tombstone.ground else ""
        raise Erased(
            f"What this record said was erased by an order of {day}.{ground}",
            "It can never be certified again. Its history stays, and so does the receipt of its erasure.",
            to_hex(tombstone.receipt),
            tombstone.ground,
            tombstone.time,
        )

    def _witnessed(self, at: int | BlockTag) -> tuple[Block, str]:
        """A block and its cosigned checkpoint, which all records of one batch share."""
        block = self.chain.block(at)
        return block, cosigned(block, self.trust, self.witnesses)

    def _capture(
        self,
        trusted: TrustedRegister,
        heads: Sequence[Mapping[str, bytes]],
        registrars: Sequence[Collection[str]],
        block: Block,
        checkpoint: str,
    ) -> list[StateProof]:
        """The state of each of many records: its heads by name, and its registrars."""
        slots = {record_id: head_slot(record_id) for of_one in heads for record_id in of_one.values()}
        account, proved = self._prove(trusted.name.address, slots, block)
        suspects = {name: suspect_since_slot(name) for of_one in registrars for name in sorted(of_one)}
        authority, since = self._prove(trusted.authority, suspects, block)
        return [
            StateProof(
                block.header,
                ContractProof(account, {name: proved[record_id] for name, record_id in named.items()}),
                ContractProof(authority, {name: since[name] for name in sorted(names)}),
                checkpoint,
            )
            for named, names in zip(heads, registrars, strict=True)
        ]

    def _prove(self, address: str, slots: Mapping[K, bytes], block: Block) -> tuple[Nodes, dict[K, Nodes]]:
        """The proof of a contract's account and, under the keys of `slots`, of each slot."""
        proof = self.chain.proof(address, list(slots.values()), block.number)
        return proof.account, dict(zip(slots, proof.slots, strict=True))


def _check_own(verdict: Verdict) -> None:
    """Nothing leaves this office that a stranger's verifier would refuse. An expired right is no refusal."""
    refusal = verdict.refusal
    if refusal and refusal.number == 3 and refusal.outcome == "unknown":
        raise Unavailable(f"Too few witnesses have signed: {refusal.detail}.")
    if verdict.axes["integrity"].state != "valid":
        detail = refusal.detail if refusal else ""
        raise ChainMismatch(f"The node's proof does not verify: {detail}.", "Check the node and the trust root.")


def _registrars(claim: Claim) -> set[str]:
    approved = [*claim.approvers, *(names for _, names in claim.evidence.approved())]
    return {name for names in approved for name in names}


def _stored(claimed: Claimed, made: Made) -> StoredCertificate:
    claim, name = claimed.claim, str(made.certificate.register)
    return StoredCertificate(name, claimed.record_id, claim.sequence, claim.newest.head, made.file)
