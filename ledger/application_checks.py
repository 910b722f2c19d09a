"""What the rows of one application prove of themselves: hashes, signatures, transactions, sealed documents."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from ledger import sealing
from ledger.content import Content
from ledger.encoding import keccak256, to_hex
from ledger.errors import BadInput, DocumentCorrupt, DocumentMissing, TooLarge
from ledger.model import Dossier, Finding, StoredContent, StoredDocument
from ledger.ports import Chain, DocumentStore
from ledger.readers import OFFICE, ReaderKeys, document_key
from ledger.registers import register_of_kind
from ledger.registers.base import Register
from ledger.transaction import Attempt, Transaction
from ledger.trust import TrustRoot
from wallet.errors import BadSignature, TransactionInvalid
from wallet.keys import recover
from wallet.signed_transaction import parse

IN_A_BLOCK = ("included", "final", "failed")


class ApplicationChecks:
    """`readers` have the office's own keys, which the documents' wraps are for."""

    def __init__(self, trust: TrustRoot, chain: Chain, documents: DocumentStore, readers: ReaderKeys) -> None:
        self.trust = trust
        self.chain = chain
        self.documents = documents
        self.readers = readers

    def check(self, dossier: Dossier) -> Iterator[Finding]:
        """Raises Unavailable where it cannot be told."""
        application = dossier.application
        try:
            register = register_of_kind(self.trust.register_named(application.register).kind)
        except BadInput:
            yield Finding("applications", f"id={application.id}", "register", "the trust root does not list it")
            return
        listed = {(record.get("digest"), record["recordId"]) for record in application.payload["records"]}
        for content in dossier.contents:
            for column, problem in _content_problems(register, content):
                yield Finding("contents", f"digest={to_hex(content.digest)}", column, problem)
            if (to_hex(content.digest), to_hex(content.record_id)) not in listed:
                said = "the application does not list this record with this content"
                yield Finding("contents", f"digest={to_hex(content.digest)}", "record_id", said)
        yield from self._approvals(register, dossier)
        call = _call(register, dossier)
        for transaction in dossier.transactions:
            for attempt in transaction.attempts:
                for table, column, problem in self._attempt_problems(attempt, transaction, call):
                    yield Finding(table, f"hash={to_hex(attempt.hash)}", column, problem)
        for document in dossier.documents:
            for column, problem in self._document_problems(document):
                yield Finding("documents", f"cid={document.cid}", column, problem)

    def _approvals(self, register: Register, dossier: Dossier) -> Iterator[Finding]:
        application = dossier.application
        if not dossier.approvals:
            return
        digest, signers = register.typed_data(application).digest(), register.signers(application)
        offices = register.approver_roles(application)
        for approval in dossier.approvals:
            key = f"application_id={application.id} signer={approval.signer} role={approval.role}"
            if approval.role not in offices and signers.get(approval.role) != approval.signer:
                yield Finding("approvals", key, "role", "this signer is not asked for in this role")
            try:
                signed = recover(digest, approval.signature) == approval.signer
            except BadSignature:
                signed = False
            if not signed:
                yield Finding("approvals", key, "signature", "it is not by this signer over this application")

    def _attempt_problems(self, row: Attempt, transaction: Transaction, call: bytes) -> Iterator[tuple[str, str, str]]:
        """Table, column and what is wrong."""
        if keccak256(row.raw) != row.hash:
            yield "attempts", "raw", "its hash is another"
        try:
            said = parse(row.raw)
        except TransactionInvalid:
            yield "attempts", "raw", "it is no signed transaction"
            return
        for column in ("sender", "nonce"):
            if getattr(said, column) != getattr(transaction, column):
                yield "transactions", column, "what was signed says another"
        for column in ("max_fee", "priority_fee"):
            if getattr(said, column) != getattr(row, column):
                yield "attempts", column, "what was signed says another"
        if call not in said.data:
            yield "attempts", "raw", "it does not carry what was applied for"
        if row.state in IN_A_BLOCK or row.block_number is not None or row.block_hash is not None:
            yield from (("attempts", column, problem) for column, problem in self._block_problems(row))

    def _block_problems(self, row: Attempt) -> Iterator[tuple[str, str]]:
        receipt = self.chain.receipt(row.hash)
        if receipt is None:
            yield "state", "the chain does not have it"
            return
        if receipt.block_number != row.block_number:
            yield "block_number", "the chain has it in another block"
        if receipt.block_hash != row.block_hash:
            yield "block_hash", "the chain has it in another block"
        if row.state not in IN_A_BLOCK or receipt.succeeded is (row.state == "failed"):
            yield "state", "the chain says otherwise how it went"

    def _document_problems(self, document: StoredDocument) -> Iterator[tuple[str, str]]:
        try:
            sealed = self.documents.get(document.cid, document.size + document.size // 100 + 65_536)
        except (DocumentMissing, DocumentCorrupt, TooLarge, BadInput) as error:
            yield "", error.message
            return
        if OFFICE not in document.wraps:
            return  # erased; whether it is, the dossier says
        try:
            plain = sealing.unseal(document_key(document, self.readers.private()), sealed)
        except (DocumentCorrupt, BadInput):
            yield "wraps", "the office's key does not open the document"
            return
        if sha256(plain).digest() != document.sha256:
            yield "sha256", "the document's is another"
        if len(plain) != document.size:
            yield "size", "the document has another"


def _content_problems(register: Register, content: StoredContent) -> Iterator[tuple[str, str]]:
    if not content.fields:
        return  # erased; whether it is, the dossier says
    try:
        read = Content.from_json(content.fields)
    except BadInput:
        yield "fields", "they are no salted fields"
        return
    if read.digest != content.digest:
        yield "fields", "their digest is another"
        return
    # In a batch it is the hash of a leaf; which one a correction is of, no field tells.
    if not register.in_batches and register.record_id({f.name: f.value for f in read.fields}) != content.record_id:
        yield "record_id", "the content is of another record"


def _call(register: Register, dossier: Dossier) -> bytes:
    """What its transaction carries; empty, which is in all, while a signature that it needs is missing."""
    application = dossier.application
    if not set(register.signers(application)) <= {approval.role for approval in dossier.approvals}:
        return b""
    return register.calldata(application, dossier.approvals)
