"""The certifier: captures the proof of a record when its block is final, before nodes drop the state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog

from ledger.certificate import Absence, Certificate, ContractProof, StateProof, parse_subject
from ledger.checkpoint import Checkpoint, cosigners, note
from ledger.content import Content
from ledger.encoding import canonical_json, from_hex
from ledger.errors import ChainMismatch, Conflict, KhalayakError, NotFound, Unavailable
from ledger.model import Application, Block, BlockTag
from ledger.ports import Chain, RecordStore
from ledger.registers import register_of_kind
from ledger.registers.base import head_slot, suspect_since_slot
from ledger.trust import TrustedRegister, TrustRoot
from ledger.verifier import verify

# Asks one witness for its signature line under a checkpoint.
Cosign = Callable[[Checkpoint], str]

log = structlog.get_logger()


class Certifier:
    def __init__(
        self, trust: TrustRoot, trusted: TrustedRegister, store: RecordStore, chain: Chain, witnesses: Sequence[Cosign]
    ) -> None:
        self.trust = trust
        self.trusted = trusted
        self.register = register_of_kind(trusted.kind)
        self.store = store
        self.chain = chain
        self.witnesses = witnesses

    def run_once(self) -> None:
        """Certify every application that is final. What cannot be certified now stays final and is tried again."""
        cursor = self.store.cursor(str(self.trusted.name))
        for application in self.store.applications("final"):
            transaction = self.store.transaction_of(application.id)
            if cursor is None or transaction is None or cursor < (transaction.block_number or 0):
                continue
            try:
                self._certify(application, cursor)
            except Unavailable as error:
                log.warning("certificate waits", application=application.id, reason=error.message)

    def absence(self, subject: Mapping[str, str]) -> Absence:
        """A proof that nothing was ever recorded about a subject, as of the newest final block. Raises BadInput,
        Conflict when something was, Unavailable when too few witnesses sign."""
        record_id = self.register.record_id(parse_subject(self.register, subject))
        state = self._capture(record_id, *self._witnessed("finalized"), None)
        absence = Absence(self.trusted.name, self.trusted.kind, dict(subject), state)
        verdict = verify(canonical_json(absence.as_json()), self.trust)
        refusal = verdict.refusal
        if refusal and refusal.number == 5:
            raise Conflict("The register holds a record about this.", "Ask for its certificate.")
        if refusal:
            raise Unavailable(f"No proof can be given now: check {refusal.number}, {refusal.detail}.", "Try later.")
        return absence

    def _certify(self, application: Application, block_number: int) -> None:
        block, checkpoint = self._witnessed(block_number)
        for record in application.payload["records"]:
            self.certify(from_hex(record["recordId"], 32), block, checkpoint)
        self.store.move(application.id, "final", "certified")

    def certify(self, record_id: bytes, block: Block, checkpoint: str) -> Certificate:
        """Make, verify and keep the full certificate of a record as of a final block that has been followed, with the
        block's cosigned checkpoint. Raises NotFound, Unavailable (too few witnesses), ChainMismatch (our own verifier
        refuses it)."""
        history = self.store.history(str(self.trusted.name), record_id)
        content = self.store.content(from_hex(history[-1].entry["digest"], 32)) if history else None
        if content is None:
            raise NotFound("Neither this office nor its chain knows the content of this record.")
        entries = tuple(self.register.entry.from_json(item.entry) for item in history)
        approvers = tuple(item.approvers for item in history)
        state = self._capture(record_id, block, checkpoint, {a for names in approvers for a in names})
        certificate = Certificate(
            self.trusted.name,
            self.trusted.kind,
            record_id,
            entries,
            approvers,
            Content.from_json(content).disclose(),
            state,
        )
        self._check_own(certificate)
        self.store.save_certificate(str(self.trusted.name), record_id, entries[-1].head, certificate.as_json())
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

    def _capture(self, record_id: bytes, block: Block, checkpoint: str, registrars: set[str] | None) -> StateProof:
        register = self.chain.proof(self.trusted.name.address, [head_slot(record_id)], block.number)
        authority = None
        if registrars is not None:
            names = sorted(registrars)
            slots = [suspect_since_slot(name) for name in names]
            proof = self.chain.proof(self.trusted.authority, slots, block.number)
            authority = ContractProof(proof.account, dict(zip(names, proof.slots, strict=True)))
        heads = ContractProof(register.account, {"head": register.slots[0]})
        return StateProof(block.header, heads, authority, checkpoint)

    def _cosigned(self, checkpoint: Checkpoint) -> str:
        """The checkpoint with every good signature; a witness that is away, refuses or errs spoils no other's."""
        lines = []
        for cosign in self.witnesses:
            try:
                line = cosign(checkpoint)
                cosigners(note(checkpoint, [line]), self.trust.origin, self.trust.witnesses)
                lines.append(line)
            except KhalayakError as error:
                log.warning("witness did not sign", block=checkpoint.number, reason=error.message)
        if not lines:
            raise Unavailable(f"No witness has signed block {checkpoint.number}.", "It is asked for again.")
        return note(checkpoint, lines)
