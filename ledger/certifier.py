"""The certifier: captures the proof of a record when its block is final, before nodes drop the state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog

from ledger.certificate import Absence, Certificate, ContractProof, StateProof, parse, parse_subject
from ledger.checkpoint import Checkpoint, cosigners, note
from ledger.content import Content
from ledger.encoding import canonical_json, from_hex
from ledger.errors import (
    ChainMismatch,
    Conflict,
    KhalayakError,
    NotFound,
    SplitView,
    StateDropped,
    TooLarge,
    Unavailable,
)
from ledger.known import FinalState, PastState
from ledger.model import Application, Block, BlockTag
from ledger.paper import paper_of
from ledger.ports import Chain, RecordStore
from ledger.registers import register_of_kind
from ledger.registers.base import Claim, head_slot, suspect_since_slot
from ledger.state_proof import parse_header
from ledger.trust import TrustedRegister, TrustRoot
from ledger.verifier import verify

# Asks one witness for its signature line under a checkpoint.
Cosign = Callable[[Checkpoint], str]

log = structlog.get_logger()


class Certifier:
    def __init__(self, trust: TrustRoot, store: RecordStore, chain: Chain, witnesses: Sequence[Cosign]) -> None:
        self.trust = trust
        self.store = store
        self.chain = chain
        self.witnesses = witnesses

    def run_once(self) -> None:
        """Certify every application that is final. What cannot be certified now stays final and is tried again."""
        for application in self.store.applications("final"):
            cursor = self.store.cursor(application.register)
            transaction = self.store.transaction_of(application.id)
            if cursor is None or transaction is None or cursor < (transaction.block_number or 0):
                continue
            try:
                self._certify(application, cursor)
            except Unavailable as error:
                log.warning("certificate waits", application=application.id, reason=error.message)

    def absence(self, kind: str, subject: Mapping[str, str]) -> Absence:
        """A proof that nothing was ever recorded about a subject, as of the newest final block. Raises BadInput,
        Conflict when something was, Unavailable when too few witnesses sign."""
        trusted, register = self.trust.register_of_kind(kind), register_of_kind(kind)
        heads = {"head": register.record_id(parse_subject(register, subject))}
        state = self._capture(trusted, heads, *self._witnessed("finalized"), None)
        absence = Absence(trusted.name, kind, dict(subject), state)
        verdict = verify(canonical_json(absence.as_json()), self.trust)
        refusal = verdict.refusal
        if refusal and refusal.number == 5:
            raise Conflict("The register holds a record about this.", "Ask for its certificate.")
        if refusal:
            raise Unavailable(f"No proof can be given now: check {refusal.number}, {refusal.detail}.", "Try later.")
        return absence

    def newest(self, trusted: TrustedRegister, record_id: bytes) -> Certificate:
        """The certificate of a record as of the last block followed, made anew. Raises NotFound, Unavailable,
        ChainForked."""
        block = FinalState(trusted, self.store, self.chain).block()
        checkpoint = Checkpoint(self.trust.origin, block.number, block.hash)
        return self.certify(trusted, record_id, block, self._cosigned(checkpoint))

    def as_of(self, trusted: TrustedRegister, record_id: bytes, number: int) -> Certificate:
        """The certificate of a record as of an earlier block, with the content of then, and it is not kept. Where the
        node has dropped that block's state, the one that was captured later for the same entry: its history tells the
        earlier time too. Raises NotFound (nothing was recorded by then), StateDropped (neither exists), Unavailable."""
        if number > FinalState(trusted, self.store, self.chain).block().number:
            raise Unavailable(f"Block {number} has not been followed yet.", "Try again later.")
        claim = register_of_kind(trusted.kind).claim(record_id, PastState(trusted, self.store, self.chain, number))
        try:
            return self._make(trusted, claim, *self._witnessed(number))
        except StateDropped:
            found = self.store.certificate(str(trusted.name), record_id, claim.newest.head)
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

    def _certify(self, application: Application, block_number: int) -> None:
        trusted = self.trust.register_named(application.register)
        block, checkpoint = self._witnessed(block_number)
        for record_id in self._to_certify(trusted, application):
            self.certify(trusted, record_id, block, checkpoint)
        self.store.move(application.id, "final", "certified")

    def _to_certify(self, trusted: TrustedRegister, application: Application) -> list[bytes]:
        records = [*application.payload["records"], *application.payload.get("parents", [])]
        record_ids = [from_hex(record["recordId"], 32) for record in records]
        # The entry of a batch is proved for ever, so its records are certified when they are asked for; the first one
        # shows that each can be.
        return record_ids[:1] if register_of_kind(trusted.kind).in_batches else record_ids

    def certify(self, trusted: TrustedRegister, record_id: bytes, block: Block, checkpoint: str) -> Certificate:
        """Make, verify and keep the full certificate of a record as of a final block that has been followed, with the
        block's cosigned checkpoint. Raises NotFound, Unavailable (too few witnesses), ChainMismatch (our own verifier
        refuses it)."""
        claim = register_of_kind(trusted.kind).claim(record_id, FinalState(trusted, self.store, self.chain))
        certificate = self._make(trusted, claim, block, checkpoint)
        name, sequence = str(trusted.name), claim.sequence
        self.store.save_certificate(name, record_id, sequence, claim.newest.head, certificate.as_json())
        return certificate

    def _make(self, trusted: TrustedRegister, claim: Claim, block: Block, checkpoint: str) -> Certificate:
        content = self.store.content(claim.digest)
        if content is None:
            raise NotFound("Neither this office nor its chain knows the content of this record.")
        approved = [*claim.approvers, *(names for _, names in claim.evidence.approved())]
        heads = claim.evidence.heads(claim.record_id, claim.entries)
        certificate = Certificate(
            trusted.name,
            trusted.kind,
            claim.record_id,
            claim.entries,
            claim.approvers,
            claim.evidence,
            Content.from_json(content).disclose(),
            self._capture(trusted, heads, block, checkpoint, {name for names in approved for name in names}),
        )
        self._check_own(certificate)
        return certificate

    def _check_own(self, certificate: Certificate) -> None:
        """Nothing leaves this office that a stranger's verifier would refuse. An expired right is no refusal."""
        verdict = verify(canonical_json(certificate.as_json()), self.trust)
        refusal = verdict.refusal
        if refusal and refusal.number == 3 and refusal.outcome == "unknown":
            raise Unavailable(f"Too few witnesses have signed: {refusal.detail}.")
        if verdict.axes["integrity"].state != "valid":
            detail = refusal.detail if refusal else ""
            raise ChainMismatch(f"The node's proof does not verify: {detail}.", "Check the node and the trust root.")

    def _witnessed(self, at: int | BlockTag) -> tuple[Block, str]:
        """A block and its cosigned checkpoint, which all records of one batch share."""
        block = self.chain.block(at)
        return block, self._cosigned(Checkpoint(self.trust.origin, block.number, block.hash))

    def _capture(
        self,
        trusted: TrustedRegister,
        heads: Mapping[str, bytes],
        block: Block,
        checkpoint: str,
        registrars: set[str] | None,
    ) -> StateProof:
        slots = [head_slot(record_id) for record_id in heads.values()]
        register = self._prove(trusted.name.address, [*heads], slots, block)
        authority = None
        if registrars is not None:
            names = sorted(registrars)
            authority = self._prove(trusted.authority, names, [suspect_since_slot(name) for name in names], block)
        return StateProof(block.header, register, authority, checkpoint)

    def _prove(self, address: str, names: Sequence[str], slots: Sequence[bytes], block: Block) -> ContractProof:
        proof = self.chain.proof(address, slots, block.number)
        return ContractProof(proof.account, dict(zip(names, proof.slots, strict=True)))

    def _cosigned(self, checkpoint: Checkpoint) -> str:
        """The checkpoint with one good signature of each witness, all asked at once; one that is away, refuses or errs
        spoils no other's."""
        lines: dict[str, str] = {}
        with ThreadPoolExecutor(max(1, len(self.witnesses))) as pool:
            for signer, line in filter(None, pool.map(partial(self._ask, checkpoint), self.witnesses)):
                lines.setdefault(signer, line)
        if not lines:
            raise Unavailable(f"No witness has signed block {checkpoint.number}.", "It is asked for again.")
        return note(checkpoint, lines.values())

    def _ask(self, checkpoint: Checkpoint, cosign: Cosign) -> tuple[str, str] | None:
        """A witness's name and its signature line, or None when it gave none that counts."""
        try:
            line = cosign(checkpoint)
            for signer in cosigners(note(checkpoint, [line]), self.trust.origin, self.trust.witnesses):
                return signer, line
            reason = "It signs with a key that the trust root does not list."
        except SplitView as error:
            log.error("split view", block=checkpoint.number, reason=error.message)
            return None
        except KhalayakError as error:
            reason = error.message
        log.warning("witness did not sign", block=checkpoint.number, reason=reason)
        return None
