"""Applications: accepting a request, sealing its documents, collecting its approvals."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ledger import authority, sealing
from ledger.content import Content
from ledger.encoding import ZERO32, canonical_json, parse_address, to_hex
from ledger.errors import AlreadyRecorded, BadInput, Conflict, NotFound, Refused, TooLarge
from ledger.model import Application, Approval, StoredDocument
from ledger.ports import Chain, Clock, DocumentStore, RecordStore
from ledger.registers import register_of_kind
from ledger.registers.base import Register
from ledger.trust import TrustedRegister
from wallet.keys import recover

MAX_DOCUMENT_BYTES = 25_000_000
MAX_BATCH = 400
APPROVAL_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class RecordRequest:
    """One record as an applicant asks for it: the schema's fields, the holder's address, the PDF's bytes."""

    fields: Mapping[str, str]
    holder: str
    document: bytes


@dataclass(frozen=True)
class Receipt:
    """What an applicant gets. `access_token` opens the full certificate; it is shown once and again on a replay."""

    application: Application
    access_token: str


class Applications:
    """The front desk of one register. `readers` (name → X25519 public key) can open the documents, `secret` derives
    access tokens."""

    def __init__(
        self,
        trusted: TrustedRegister,
        store: RecordStore,
        documents: DocumentStore,
        chain: Chain,
        clock: Clock,
        readers: Mapping[str, Any],
        secret: bytes,
    ) -> None:
        self.trusted = trusted
        self.register: Register = register_of_kind(trusted.kind)
        self.store = store
        self.documents = documents
        self.chain = chain
        self.clock = clock
        self.readers = readers
        self.secret = secret

    def submit_issue(self, requests: Sequence[RecordRequest], idempotency_key: str) -> Receipt:
        """Accept a batch of first registrations. Raises BadInput, TooLarge, AlreadyRecorded, Conflict, Unavailable."""
        if not 0 < len(requests) <= MAX_BATCH:
            raise BadInput(f"A batch has 1 to {MAX_BATCH} records; this one has {len(requests)}.", "Split it.")
        for request in requests:
            self._validate(request)
        body_digest = _body_digest("issue", requests)
        if earlier := self._replayed(idempotency_key, body_digest):
            return earlier
        record_ids = [self.register.record_id(request.fields) for request in requests]
        if len(set(record_ids)) < len(record_ids):
            raise BadInput("Two records of the batch are about the same parcel.", "Each parcel may occur once.")
        for record_id in record_ids:
            if self.head(record_id) != ZERO32:
                raise AlreadyRecorded(
                    f"Record {to_hex(record_id)} exists already.", "Look at its history; amend or transfer it instead."
                )
        sealed = [self._seal(request) for request in requests]
        records = [record for record, _ in sealed]
        return self._accept("issue", records, [d for _, d in sealed], idempotency_key, body_digest, {})

    def submit_transfer(self, request: RecordRequest, idempotency_key: str) -> Receipt:
        """Accept the transfer of an existing record to `request.holder`. Raises NotFound and as submit_issue."""
        self._validate(request)
        body_digest = _body_digest("transfer", [request])
        if earlier := self._replayed(idempotency_key, body_digest):
            return earlier
        record_id = self.register.record_id(request.fields)
        history = self.store.history(str(self.trusted.name), record_id)
        if not history:
            raise NotFound(f"No record {to_hex(record_id)} is known.", "Check the parcel number.")
        current = self.register.entry.from_json(history[-1].entry)
        if self.head(record_id) != current.head:
            raise Conflict("A newer change of this record is not final yet.", "Try again when it is.")
        record, document = self._seal(request)
        signed = {"head": to_hex(current.head), "current": current.as_json(), "recipient": record["holder"]}
        return self._accept("transfer", [record], [document], idempotency_key, body_digest, signed)

    def approve(self, application_id: str, signature: bytes, signer: str, role: str) -> Application:
        """Add one signature; the application as it is then. Raises NotFound, Conflict, Refused, BadSignature."""
        application = self.store.application(application_id)
        if application.state not in ("submitted", "approved"):
            raise Conflict(f"The application is {application.state}; it takes no approvals now.")
        if self.clock.now() > application.payload["deadline"]:
            raise Refused("The deadline of this application has passed.", "Submit it again.")
        signer = parse_address(signer, "/signer")
        if recover(self.register.typed_data(application).digest(), signature) != signer:
            raise Refused(
                f"The signature is not by {signer} over this application.", "Sign the typed data it answers with."
            )
        self._check_entitled(application, signer, role)
        self.store.add_approval(application_id, Approval(signer, role, signature))
        if application.state == "submitted" and self.missing(application) == []:
            self._mark_approved(application_id)
        return self.store.application(application_id)

    def missing(self, application: Application) -> list[str]:
        """Who has still to sign, in words; empty when all have."""
        given = self.store.approvals(application.id)
        roles = {approval.role for approval in given}
        others: list[str] = [role for role in self.register.signers(application) if role not in roles]
        lacking = self.policy().threshold - sum(approval.role == "registrar" for approval in given)
        return others + (["registrar"] * lacking)

    def policy(self) -> authority.Policy:
        """The register's approval rule, from the chain."""
        call = authority.policy_call(self.trusted.name.address)
        return authority.parse_policy(self.chain.call(self.trusted.authority, call))

    def head(self, record_id: bytes) -> bytes:
        """The record's head on the latest block, zero when nothing was ever recorded."""
        return self.chain.call(self.trusted.name.address, authority.head_call(record_id))

    def may_read(self, application: Application, access_token: str) -> bool:
        return hmac.compare_digest(sha256(access_token.encode()).digest(), application.access_digest)

    def _validate(self, request: RecordRequest) -> None:
        self.register.schema.validate(request.fields)
        parse_address(request.holder, "/holder")
        check_pdf(request.document)

    def _replayed(self, idempotency_key: str, body_digest: bytes) -> Receipt | None:
        # Asked before anything else: what was accepted stays accepted, also once it is recorded on the chain.
        earlier = self.store.accepted_before(idempotency_key, body_digest)
        return Receipt(earlier, self._token(earlier.id)) if earlier else None

    def _seal(self, request: RecordRequest) -> tuple[dict[str, Any], StoredDocument]:
        key, ciphertext = sealing.seal(request.document)
        cid = self.documents.put(ciphertext)
        digest, size = sha256(request.document).digest(), len(request.document)
        described = {"sha256": to_hex(digest), "size": str(size), "mediaType": "application/pdf"}
        values = {**request.fields, "schema": self.register.schema.id}
        content = Content.salted({**values, "document": {**described, "cid": cid, "sealed": "true"}})
        record = {
            "recordId": to_hex(self.register.record_id(request.fields)),
            "digest": to_hex(content.digest),
            "content": content.as_json(),
            **self.register.signed_fields(request.fields, parse_address(request.holder)),
        }
        wraps = {name: sealing.wrap(key, public_key, cid) for name, public_key in self.readers.items()}
        return record, StoredDocument(cid, digest, size, "application/pdf", wraps)

    def _accept(
        self,
        action: str,
        records: list[dict[str, Any]],
        documents: list[StoredDocument],
        idempotency_key: str,
        body_digest: bytes,
        signed: Mapping[str, Any],
    ) -> Receipt:
        now, application_id = self.clock.now(), secrets.token_hex(16)
        token = self._token(application_id)
        payload = {"deadline": now + APPROVAL_SECONDS, "records": records, **signed}
        application = Application(
            application_id, str(self.trusted.name), action, payload, "submitted", now, sha256(token.encode()).digest()
        )
        accepted = self.store.add_application(application, documents, idempotency_key, body_digest)
        return Receipt(accepted, self._token(accepted.id))

    def _check_entitled(self, application: Application, signer: str, role: str) -> None:
        if role == "registrar":
            call = authority.has_role_call(self.policy().role, signer)
            if not authority.parse_has_role(self.chain.call(self.trusted.authority, call)):
                raise Refused(f"{signer} is not a registrar of this register.", "Ask the authority to grant the role.")
        elif self.register.signers(application).get(role) != signer:
            raise Refused(f"{signer} is not the {role[:20]} of this application.", "Sign with the key of that address.")

    def _mark_approved(self, application_id: str) -> None:
        try:
            self.store.move(application_id, "submitted", "approved")
        except Conflict:
            # Two last approvals at once: the other one has moved it, which is what we want.
            if self.store.application(application_id).state == "submitted":
                raise

    def _token(self, application_id: str) -> str:
        digest = hmac.digest(self.secret, b"application/" + application_id.encode(), "sha256")
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


def check_pdf(data: bytes) -> None:
    """Whether these bytes may be a PDF (ISO 32000-2 section 7.5.2); nothing is unpacked. Raises BadInput, TooLarge."""
    if not data:
        raise BadInput("The document is empty.", "Choose the PDF again.", "/document")
    if len(data) > MAX_DOCUMENT_BYTES:
        raise TooLarge(
            f"The document has {len(data):,} bytes; at most {MAX_DOCUMENT_BYTES:,} are taken.", "", "/document"
        )
    if b"%PDF-" not in data[:1024] or b"%%EOF" not in data[-1024:]:
        raise BadInput("The document is not a whole PDF.", "Save or scan it as PDF and choose it again.", "/document")


def _body_digest(action: str, requests: Sequence[RecordRequest]) -> bytes:
    parts = [[dict(r.fields), r.holder.lower(), sha256(r.document).hexdigest()] for r in requests]
    return sha256(canonical_json([action, parts])).digest()
