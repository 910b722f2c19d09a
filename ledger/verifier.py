"""The verifier: a pure function of a certificate and what is trusted. No network, no clock, no database.

The checks and their numbers are those of docs/protocol.md section 7. A check that fails ends the verification: nothing
after it is claimed. A check that cannot tell leaves its axis unknown and the rest goes on, so that a forgery is still
called one. There is no way through that ends valid without every check of the axis having passed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from typing import Any, NoReturn, TypeVar

from ledger.certificate import Absence, Certificate, ContractProof, StateProof, parse
from ledger.checkpoint import believed
from ledger.encoding import ZERO32, RegisterName, to_hex
from ledger.entries import approvals_hash, verify_history
from ledger.errors import BadInput, InvalidProof, VerificationFailed
from ledger.printing.attachment import is_pdf
from ledger.registers import register_of_kind
from ledger.registers.base import head_slot, suspect_since_slot
from ledger.state_proof import Account, Header, parse_header, prove_account, prove_slot
from ledger.trust import TrustedRegister, TrustRoot
from ledger.verdict import Axis, AxisName, CheckResult, State, Verdict

T = TypeVar("T")

AXIS_OF_CHECK: Mapping[int, AxisName] = {2: "issuer", 10: "issuer", 12: "status"}


def verify(
    data: bytes,
    trust: TrustRoot | None,
    *,
    block_hashes: Mapping[int, bytes] | None = None,
    document: bytes | None = None,
    as_of: int | None = None,
) -> Verdict:
    """Verify a certificate or a proof of absence.

    `data` is the file. `block_hashes` (block number → 32 bytes) are hashes the caller believes, from nodes of its own
    or pinned; else a block is believed when enough witnesses of the trust root signed it. `document` is the plaintext
    of the document the certificate is about. `as_of` asks for the status at an earlier time (seconds since 1970) than
    that of the block. Never raises for what is in the file: the verdict says what is wrong.
    """
    return _Verification(trust, block_hashes or {}, document, as_of).run(data)


class _Verification:
    """One run: the checks in order, and what they have found so far."""

    def __init__(
        self, trust: TrustRoot | None, block_hashes: Mapping[int, bytes], document: bytes | None, as_of: int | None
    ) -> None:
        self.trust = trust
        self.as_of = as_of
        self.block_hashes = block_hashes
        self.document = document
        self.checks: list[CheckResult] = []
        self.by_axis: dict[AxisName, list[CheckResult]] = {"integrity": [], "status": [], "issuer": []}
        self.header: Header | None = None

    def run(self, data: bytes) -> Verdict:
        subject: str = "record"
        try:
            parsed = self._parse(data)
            if isinstance(parsed, Absence):
                subject = "absence"
                self._check_absence(parsed)
            else:
                self._check_certificate(parsed)
        except VerificationFailed as failure:
            self._note(failure.check, "failed", failure.message)
        axes = {name: self._axis(name) for name in self.by_axis}
        number, time = (self.header.number, self.header.time) if self.header else (None, None)
        return Verdict(subject, axes, tuple(self.checks), number, time)  # type: ignore[arg-type]

    def _check_certificate(self, certificate: Certificate) -> None:
        trusted = self._check_register(certificate.register, certificate.kind)
        header = self._check_block(certificate.state)
        account = self._check_account(header, certificate.register.address, certificate.state.register, trusted)
        heads = self._check_heads(
            account,
            certificate.evidence.heads(certificate.record_id, certificate.entries),
            certificate.state.register,
        )
        self._check_newest_entry(certificate, heads["head"])
        self._check_history(certificate)
        self._check_fields(certificate)
        self._check_evidence(certificate, heads)
        self._check_approvers(certificate, header, trusted)
        self._check_document(certificate)
        self._check_status(certificate, header)

    def _check_absence(self, absence: Absence) -> None:
        trusted = self._check_register(absence.register, absence.kind)
        header = self._check_block(absence.state)
        account = self._check_account(header, absence.register.address, absence.state.register, trusted)
        record_id = register_of_kind(absence.kind).record_id(absence.subject)
        heads = self._check_heads(account, {"head": record_id}, absence.state.register)
        if heads["head"] != ZERO32:
            self._fail(5, "the register does hold a record about this subject")
        # What was never recorded up to the block was not recorded at any time before.
        if not self._note_too_late(self.as_of or 0, header):
            self._note(12, "passed", "never issued")

    def _parse(self, data: bytes) -> Certificate | Absence:
        try:
            parsed = parse(data)
        except BadInput as error:
            self._fail(1, str(error))
        pages = ", a PDF: what it carries is checked, what its pages say is not" if is_pdf(data) else ""
        self._note(1, "passed", f"{len(data):,} bytes{pages}")
        return parsed

    def _check_register(self, name: RegisterName, kind: str) -> TrustedRegister | None:
        if self.trust is None:
            self._note(2, "unknown", "no trust root was given, so nothing says whose register this is")
            return None
        trusted = self.trust.register(name)
        if trusted is None:
            self._fail(2, f"the trust root {self.trust.name} does not list {name}")
        if trusted.kind != kind:
            self._fail(2, f"the trust root lists this register as {trusted.kind}, not {kind}")
        self._note(2, "passed", f"{trusted.authority_name}")
        return trusted

    def _check_block(self, state: StateProof) -> Header:
        header = self.header = self._prove(3, lambda: parse_header(state.header))
        hash_believed = self.block_hashes.get(header.number)
        if hash_believed is not None:
            if hash_believed != header.hash:
                self._fail(3, f"block {header.number} has another hash on the chain you believe")
            self._note(3, "passed", f"block {header.number}: the hash you supplied")
            return header
        if self.trust is None or not self.trust.witnesses:
            self._note(3, "unknown", f"block {header.number}: no hash was supplied and no witness is trusted")
            return header
        self._check_witnesses(header, state.checkpoint, self.trust)
        return header

    def _check_witnesses(self, header: Header, note: str, trust: TrustRoot) -> None:
        try:
            signed, names = believed(note, trust.origin, trust.witnesses)
        except InvalidProof as error:
            self._note(3, "unknown", f"block {header.number}: {error.message}")
            return
        if (signed.number, signed.block_hash) != (header.number, header.hash):
            self._note(3, "unknown", f"block {header.number}: the checkpoint is of another block")
            return
        witnesses = f"{len(names)} witnesses signed it, {trust.threshold} must"
        enough = len(names) >= trust.threshold
        listed = f" ({', '.join(sorted(names))})" if names else ""
        self._note(3, "passed" if enough else "unknown", f"block {header.number}: {witnesses}{listed}")

    def _check_account(
        self, header: Header, address: str, proof: ContractProof, trusted: TrustedRegister | None
    ) -> Account:
        account = self._prove(4, lambda: prove_account(header.state_root, address, proof.account))
        if account is None:
            self._fail(4, "there is no contract at the register's address")
        if trusted and account.code_hash != trusted.code_hash:
            self._fail(4, "the contract at the register's address has other code than the trust root says")
        self._note(4, "passed", "account and code" if trusted else "account")
        return account

    def _check_heads(self, account: Account, records: Mapping[str, bytes], proof: ContractProof) -> Mapping[str, bytes]:
        heads = {}
        for name, record_id in records.items():
            slot, nodes = head_slot(record_id), proof.slots[name]
            heads[name] = self._prove(5, partial(prove_slot, account.storage_root, slot, nodes))
        head = heads["head"]
        self._note(5, "passed", "no head: nothing was ever recorded" if head == ZERO32 else to_hex(head))
        return heads

    def _check_newest_entry(self, certificate: Certificate, head: bytes) -> None:
        if certificate.entries[-1].head != head:
            self._fail(6, "the newest entry shown is not the one in the register: it was changed, or a newer exists")
        self._note(6, "passed", f"entry {certificate.entries[-1].sequence} is the one that the head commits to")

    def _check_history(self, certificate: Certificate) -> None:
        history = certificate.evidence.history(certificate.entries)
        self._prove(7, lambda: verify_history(history))
        self._note(7, "passed", f"{len(history)} entries, none missing" if history else "no entries of its own")

    def _check_fields(self, certificate: Certificate) -> None:
        register, (entry, digest) = register_of_kind(certificate.kind), certificate.newest
        self._prove(8, lambda: certificate.content.verify(digest))
        values = certificate.content.values
        if hidden := sorted(register.schema.mandatory - values.keys()):
            self._fail(8, f"the mandatory field {hidden[0]} is withheld")
        if values["schema"] != register.schema.id:
            self._fail(8, f"the content is not of the schema {register.schema.id}")
        try:
            register.schema.validate_disclosed({k: v for k, v in values.items() if k not in ("schema", "document")})
        except BadInput as error:
            self._fail(8, error.message)
        if problem := register.disagreement(values, certificate.record_id, entry):
            self._fail(8, problem)
        # The paths do not bind the number of leaves, so how many others there are is not said.
        others = "others withheld" if certificate.content.size > len(values) else "none withheld"
        self._note(8, "passed", f"{len(values)} fields shown, {others}")

    def _check_evidence(self, certificate: Certificate, heads: Mapping[str, bytes]) -> None:
        found = self._prove(9, lambda: certificate.evidence.verify(certificate.entries, heads))
        self._note(9, "passed", found)

    def _check_approvers(self, certificate: Certificate, header: Header, trusted: TrustedRegister | None) -> None:
        for number, (entry, approvers) in enumerate(certificate.approved, 1):
            if approvals_hash(approvers) != entry.approvals:
                self._fail(10, f"the approvers of entry {number} are not the ones it commits to")
        if trusted is None:
            self._note(10, "unknown", "no trust root was given, so the authority is not known")
            return
        alone = register_of_kind(certificate.kind).without_registrars
        for number, (entry, approvers) in enumerate(certificate.approved, 1):
            # The contract has its own rule, which its authority can change; the trust root has the reader's.
            if entry.action not in alone and len(set(approvers)) < trusted.threshold:
                self._fail(10, f"entry {number} has {len(approvers)} approvers, {trusted.threshold} must approve")
        suspect_since = self._suspect_since(certificate, header, trusted)
        for number, (entry, approvers) in enumerate(certificate.approved, 1):
            for approver in approvers:
                since = suspect_since[approver]
                if since and entry.time >= since:
                    self._note(10, "unknown", f"approver {approver} of entry {number} is suspect since time {since}")
                    return
        self._note(10, "passed", f"{len(certificate.approvers[-1])} registrars approved, none suspect")

    def _suspect_since(self, certificate: Certificate, header: Header, trusted: TrustedRegister) -> dict[str, int]:
        proof = certificate.state.authority
        assert proof is not None, "a parsed certificate has an authority proof"
        account = self._prove(10, lambda: prove_account(header.state_root, trusted.authority, proof.account))
        if account is None or account.code_hash != trusted.authority_code_hash:
            self._fail(10, "the authority has other code than the trust root says")
        registrars = {name for _, names in certificate.approved for name in names}
        if missing := sorted(registrars - proof.slots.keys()):
            self._fail(10, f"nothing shows whether approver {missing[0]} is suspect")
        since = {}
        for registrar in sorted(registrars):
            slot = suspect_since_slot(registrar)
            word = self._prove(10, partial(prove_slot, account.storage_root, slot, proof.slots[registrar]))
            since[registrar] = int.from_bytes(word, "big")
        return since

    def _check_document(self, certificate: Certificate) -> None:
        if self.document is None:
            self._note(11, "skipped", "no document was given to compare")
            return
        described = certificate.content.values.get("document")
        if not isinstance(described, dict):
            self._note(11, "unknown", "the certificate withholds which document it is about")
        elif described.get("sha256") != to_hex(sha256(self.document).digest()):
            self._fail(11, "the document is not the one that was recorded")
        else:
            self._note(11, "passed", "the document is the one that was recorded")

    def _check_status(self, certificate: Certificate, header: Header) -> None:
        time = header.time if self.as_of is None else self.as_of
        if not self._note_too_late(time, header):
            state, reason = certificate.status_at(time)
            outcomes: dict[State, Any] = {"valid": "passed", "invalid": "failed", "unknown": "unknown"}
            self._note(12, outcomes[state], reason)

    def _note_too_late(self, time: int, header: Header) -> bool:
        if too_late := time > header.time:
            self._note(12, "unknown", f"the file tells nothing after block {header.number}: ask for a newer one")
        return too_late

    def _prove(self, number: int, proof: Callable[[], T]) -> T:
        try:
            return proof()
        except InvalidProof as error:
            self._fail(number, error.message)

    def _fail(self, number: int, message: str) -> NoReturn:
        raise VerificationFailed(number, AXIS_OF_CHECK.get(number, "integrity"), message)

    def _note(self, number: int, outcome: Any, detail: str) -> None:
        check = CheckResult(number, outcome, detail)
        self.checks.append(check)
        self.by_axis[AXIS_OF_CHECK.get(number, "integrity")].append(check)

    def _axis(self, name: AxisName) -> Axis:
        """The worst of the axis' checks; unknown when a failure anywhere kept one of them from being reached."""
        own = self.by_axis[name]
        for outcome, state in (("failed", "invalid"), ("unknown", "unknown")):
            for check in own:
                if check.outcome == outcome:
                    return Axis(state, check.detail)  # type: ignore[arg-type]
        failure = next((check for check in self.checks if check.outcome == "failed" and check.number != 12), None)
        if failure or not own:
            number = failure.number if failure else 0
            return Axis("unknown", f"not decided: check {number} failed")
        # Whoever makes up a block makes up the state in it, so nothing that was read from it may look good.
        unbelieved = next((check for check in self.checks if check.number == 3 and check.outcome == "unknown"), None)
        if unbelieved:
            return Axis("unknown", f"not decided: {unbelieved.detail}")
        return Axis("valid", own[-1].detail if name != "integrity" else "every proof holds")
