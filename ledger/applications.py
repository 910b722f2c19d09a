"""Applications: accepting a request, sealing its documents, collecting its approvals."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from ledger import authority, sealing
from ledger.change_checks import check_change, check_record
from ledger.content import Content, salted
from ledger.dossiers import Dossiers
from ledger.encoding import canonical_json, from_hex, parse_address, to_hex
from ledger.errors import Conflict, ContractReverted, Refused, Unavailable
from ledger.known import NewestState
from ledger.model import Application, Approval, Dossier, StoredContent, StoredDocument
from ledger.ports import Chain, Clock, DocumentStore, RecordStore
from ledger.readers import HOLDER, ReaderKeys, parse_public_key
from ledger.registers import register_of_kind
from ledger.registers.base import Register
from ledger.registers.forms import Change, RecordRequest
from ledger.trust import TrustedRegister, TrustRoot
from wallet.keys import recover
from wallet.typed_data import TypedData

APPROVAL_SECONDS = 7 * 24 * 3600
CLOSED = "This office cannot publish now: it verifies and answers, and takes no applications."
_UNSEALED = "0x" + 64 * "f"

Policies = Mapping[str, authority.Policy]  # by office


@dataclass(frozen=True)
class Receipt:
    """What an applicant gets. `access_token` opens the full certificate; it is shown once and again on a replay."""

    application: Application
    access_token: str


class Applications:
    """The front desk of an office, for all its registers. `readers` have the keys that documents are sealed for,
    `secret` derives access tokens. While the office cannot publish it is `closed`: nothing new is taken."""

    def __init__(
        self,
        trust: TrustRoot,
        store: RecordStore,
        documents: DocumentStore,
        chain: Chain,
        clock: Clock,
        readers: ReaderKeys,
        secret: bytes,
        dossiers: Dossiers,
        closed: bool = False,
    ) -> None:
        self.trust = trust
        self.store = store
        self.documents = documents
        self.chain = chain
        self.clock = clock
        self.readers = readers
        self.secret = secret
        self.dossiers = dossiers
        self.closed = closed
        self._windows: dict[str, int] = {}
        # What was shown last: each of its approvers is shown the same, and it may be of 400 titles.
        self._shown: tuple[Any, TypedData | None] = None, None

    def submit(self, kind: str, change: Change, idempotency_key: str) -> Receipt:
        """Accept an application for a change of the register of a kind. Raises BadInput, TooLarge, NotFound,
        AlreadyRecorded, Conflict, Unavailable; nothing is kept then but sealed documents that nobody can open."""
        with self.readers.sealing() as readers:
            return self._submit(kind, change, idempotency_key, readers)

    def _submit(self, kind: str, change: Change, idempotency_key: str, readers: Mapping[str, bytes]) -> Receipt:
        trusted, register = self.trust.register_of_kind(kind), register_of_kind(kind)
        check_change(register, change)
        body_digest = _body_digest(kind, change)
        # Asked before anything else: what was accepted stays accepted, also once it is recorded on the chain.
        if earlier := self.store.accepted_before(idempotency_key, body_digest):
            return Receipt(earlier, self._token(earlier.id))
        if self.closed:
            raise Unavailable(CLOSED, "Apply later; what it has taken before is kept and goes on then.")
        change = register.prepared(change)
        for i, request in enumerate(change.records):
            check_record(register, request, f"/records/{i}")
        known = NewestState(trusted, self.store, self.chain)
        payload = register.draft(change, known)
        self._check_rules(register, change.action, payload, known)
        contents, documents = self._sealed(register, change.records, readers)
        accepted = self._accept(trusted, change.action, payload, contents, documents, idempotency_key, body_digest)
        return Receipt(accepted, self._token(accepted.id))

    def submit_sealed(
        self,
        kind: str,
        change: Change,
        contents: Sequence[Content],
        documents: Sequence[StoredDocument],
        idempotency_key: str,
    ) -> Application:
        """As `submit`, with contents that have their salts already, those of the change's records in their order, and
        documents that lie in the store sealed."""
        trusted, register = self.trust.register_of_kind(kind), register_of_kind(kind)
        body_digest = _body_digest(kind, change)
        if earlier := self.store.accepted_before(idempotency_key, body_digest):
            return earlier
        known = NewestState(trusted, self.store, self.chain)
        payload = register.draft(change, known)
        self._check_rules(register, change.action, payload, known)
        return self._accept(trusted, change.action, payload, contents, documents, idempotency_key, body_digest)

    def _accept(
        self,
        trusted: TrustedRegister,
        action: str,
        payload: dict[str, Any],
        contents: Sequence[Content],
        documents: Sequence[StoredDocument],
        idempotency_key: str,
        body_digest: bytes,
    ) -> Application:
        register, digests = register_of_kind(trusted.kind), [content.digest for content in contents]
        for record, digest in zip(payload["records"], digests, strict=False):
            record["digest"] = to_hex(digest)
        for listed in register.finish(action, payload):
            self.documents.put(listed)
        stored = [
            StoredContent(digest, from_hex(record["recordId"], 32), content.as_json())
            for digest, record, content in zip(digests, payload["records"], contents, strict=False)
        ]
        now, application_id = self.clock.now(), secrets.token_hex(16)
        payload["deadline"] = now + APPROVAL_SECONDS
        access = sha256(self._token(application_id).encode()).digest()
        application = Application(application_id, str(trusted.name), action, payload, "submitted", now, access)
        if not register.approver_roles(application) and not register.signers(application):
            application = application.moved("approved")
        keep = self.dossiers.keep(Dossier(application, idempotency_key, body_digest, stored, documents))
        return self.store.add_application(application, stored, documents, idempotency_key, body_digest, keep)

    def approve(self, application_id: str, signature: bytes, signer: str, role: str) -> Application:
        """Add one signature; the application as it is then. Raises NotFound, Conflict, Refused, BadSignature."""
        application = self.store.application(application_id)
        if application.state not in ("submitted", "approved"):
            raise Conflict(f"The application is {application.state}; it takes no approvals now.")
        if self.clock.now() > application.payload["deadline"]:
            raise Refused("The deadline of this application has passed.", "Submit it again.")
        signer = parse_address(signer, "/signer")
        if recover(self.typed_data(application).digest(), signature) != signer:
            raise Refused(
                f"The signature is not by {signer} over this application.", "Sign the typed data it answers with."
            )
        policies = self._policies(application)
        self._check_entitled(application, policies, signer, role)
        approval = Approval(signer, role, signature)
        keep = partial(self.dossiers.keep_approval, application_id, approval)
        self.store.add_approval(application_id, approval, keep)
        given = self.store.approvals(application_id)
        if application.state == "approved" or _lacking(self._required(application, policies), given):
            return application
        return self._approved(application)

    def register(self, application: Application) -> Register:
        """The definition of the register that an application is for."""
        return register_of_kind(self.trust.register_named(application.register).kind)

    def typed_data(self, application: Application) -> TypedData:
        """What its approvers sign. Raises BadInput when nobody signs its action."""
        asked = application.register, application.action, application.payload
        known, data = self._shown
        if data is None or asked != known:
            data = self.register(application).typed_data(application)
            self._shown = asked, data
        return data

    def required(self, application: Application) -> list[str]:
        """The roles that must sign, one for each signature."""
        return self._required(application, self._policies(application))

    def missing(self, application: Application) -> list[str]:
        """Those of `required` that have not signed yet."""
        return self.lacking(application, self.store.approvals(application.id))

    def lacking(self, application: Application, approvals: Iterable[Approval]) -> list[str]:
        """Those of `required` that are not among these."""
        return _lacking(self.required(application), approvals)

    def _required(self, application: Application, policies: Policies) -> list[str]:
        by_office = [role for role, policy in policies.items() for _ in range(policy.threshold)]
        return [*self.register(application).signers(application), *by_office]

    def may_read(self, application: Application, access_token: str) -> bool:
        return hmac.compare_digest(sha256(access_token.encode()).digest(), application.access_digest)

    def _check_rules(self, register: Register, action: str, payload: Mapping[str, Any], known: NewestState) -> None:
        """That the contract would take the change as things are now; it judges again when it is sent. Raises Conflict,
        BadInput."""
        # What is approved is known after sealing. The rules ask only that there is something.
        unsealed = {**payload, "records": [{**record, "digest": _UNSEALED} for record in payload["records"]]}
        register.finish(action, unsealed)
        # A chain without transactions mines no blocks: the next one will be of now.
        time = max(self.chain.block("latest").time, self.clock.now())
        window = self._window(register.window, known.address)
        try:
            register.follow(action, unsealed, known.head, time, window)
        except ContractReverted as refusal:
            raise Conflict(refusal.message, refusal.hint) from None

    def _window(self, view: str, address: str) -> int:
        """How long a change waits in a register, in seconds. It is part of the contract's code."""
        if view and address not in self._windows:
            answer = self.chain.call(address, authority.window_call(view))
            self._windows[address] = authority.parse_window(answer)
        return self._windows.get(address, 0)

    def _sealed(
        self, register: Register, requests: Sequence[RecordRequest], readers: Mapping[str, bytes]
    ) -> tuple[list[Content], list[StoredDocument]]:
        values: list[dict[str, Any]] = [{**request.fields, "schema": register.schema.id} for request in requests]
        if not register.schema.document:
            return salted(values), []
        sealed = [sealing.seal(request.document) for request in requests]
        cids = self.documents.put_many(ciphertext for _, ciphertext in sealed)
        documents = []
        for fields, request, (key, _), cid in zip(values, requests, sealed, cids, strict=True):
            digest, size = sha256(request.document).digest(), len(request.document)
            described = {"sha256": to_hex(digest), "size": str(size), "mediaType": "application/pdf"}
            fields["document"] = {**described, "cid": cid, "sealed": "true"}
            named = {HOLDER: parse_public_key(request.reader)} if request.reader else {}
            wraps = {name: sealing.wrap(key, public_key, cid) for name, public_key in {**readers, **named}.items()}
            documents.append(StoredDocument(cid, digest, size, "application/pdf", wraps))
        return salted(values), documents

    def _policies(self, application: Application) -> Policies:
        """The approval rule of the application's register for each office that approves it, from the chain."""
        trusted = self.trust.register_named(application.register)
        roles = self.register(application).approver_roles(application)
        calls = [(trusted.authority, authority.policy_call(trusted.name.address, role)) for role in roles]
        return dict(zip(roles, map(authority.parse_policy, self.chain.calls(calls)), strict=True))

    def _check_entitled(self, application: Application, policies: Policies, signer: str, role: str) -> None:
        if role not in policies:
            if self.register(application).signers(application).get(role) != signer:
                raise Refused(f"{signer} is not the {role[:20]} of this application.", "Sign with that address.")
            return
        held = self._held(application, policies, signer)
        if role not in held:
            raise Refused(f"{signer} is not a {role} of this register.", "Ask the authority to grant the role.")
        if role == "registrar" and "court" in held:
            raise Refused(f"{signer} sits in the court and counts for it alone.", "Sign as court.")

    def _held(self, application: Application, policies: Policies, signer: str) -> set[str]:
        """Those of the offices that the signer holds."""
        to = self.trust.register_named(application.register).authority
        calls = [(to, authority.has_role_call(policy.role, signer)) for policy in policies.values()]
        answers = map(authority.parse_has_role, self.chain.calls(calls))
        return {role for role, holds in zip(policies, answers, strict=True) if holds}

    def _approved(self, application: Application) -> Application:
        try:
            self.store.move(application.id, "submitted", "approved")
        except Conflict:
            # Two last approvals at once: the other one has moved it, which is what we want.
            moved = self.store.application(application.id)
            if moved.state == "submitted":
                raise
            return moved
        return application.moved("approved")

    def _token(self, application_id: str) -> str:
        digest = hmac.digest(self.secret, b"application/" + application_id.encode(), "sha256")
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _lacking(required: Iterable[str], approvals: Iterable[Approval]) -> list[str]:
    given = Counter(approval.role for approval in approvals)
    lacking = []
    for role in required:
        if given[role] > 0:
            given[role] -= 1
        else:
            lacking.append(role)
    return lacking


def _body_digest(kind: str, change: Change) -> bytes:
    records = [[dict(r.fields), r.holder.lower(), sha256(r.document).hexdigest()] for r in change.records]
    subjects, details = [dict(subject) for subject in change.subjects], dict(change.details)
    readers = {str(i): r.reader.lower() for i, r in enumerate(change.records) if r.reader}
    return sha256(canonical_json([kind, change.action, records, subjects, details, *filter(None, [readers])])).digest()
