"""Verifies the offline code of a paper: a pure function of its text and what is trusted."""

from __future__ import annotations

from ledger import merkle
from ledger.errors import BadInput, InvalidProof
from ledger.paper import IN_BATCH, Paper
from ledger.paper_message import owner, signed_digest
from ledger.registers import register_of_kind
from ledger.trust import TrustedRegister, TrustRoot
from ledger.verdict import Axis, CheckResult, Outcome, Verdict
from wallet.errors import BadSignature
from wallet.keys import recover

UNDECIDED = "not decided: an earlier check failed"


def verify_paper(text: str, trust: TrustRoot | None) -> Verdict:
    """The verdict on the text of a code, by the checks of docs/protocol.md section 7 that paper allows (1, 2, 8, 10 and
    12). The status is never known, so neither is the whole valid. Never raises for what is in the text."""
    try:
        paper = Paper.parse(text)
    except BadInput as error:
        return _verdict([CheckResult(1, "failed", error.message)], Axis("invalid", error.message), None)
    checks = [CheckResult(1, "passed", f"{len(text):,} characters")]
    trusted = trust.register(paper.register) if trust else None
    if trust and (trusted is None or trusted.kind != paper.kind):
        reason = f"the trust root {trust.name} does not list {paper.register} as {paper.kind}"
        checks.append(CheckResult(2, "failed", reason))
        return _verdict(checks, Axis("unknown", UNDECIDED), paper, Axis("invalid", reason))
    authority = trusted.authority_name if trusted else "no trust root was given, so nothing says whose register it is"
    checks.append(CheckResult(2, "passed" if trusted else "unknown", authority))
    try:
        _check_fields(paper)
    except (BadInput, InvalidProof, BadSignature) as error:
        checks.append(CheckResult(8, "failed", error.message))
        return _verdict(checks, Axis("invalid", error.message), paper)
    reason = f"the {len(paper.values)} mandatory fields are those that {len(paper.signatures)} signed"
    checks.append(CheckResult(8, "passed", reason))
    issuer = _issuer(paper, trusted)
    outcomes: dict[str, Outcome] = {"valid": "passed", "invalid": "failed", "unknown": "unknown"}
    checks.append(CheckResult(10, outcomes[issuer.state], issuer.reason))
    return _verdict(checks, Axis("valid", reason), paper, issuer)


def _check_fields(paper: Paper) -> None:
    register, values = register_of_kind(paper.kind), paper.values
    names = [leaf.name for leaf in paper.leaves if not isinstance(leaf, bytes)]
    if names != sorted(set(names)):
        raise BadInput("a field stands there twice, or out of its order")
    if set(names) != register.schema.mandatory or values["schema"] != register.schema.id:
        raise BadInput(f"the fields are not the mandatory ones of {register.schema.id}")
    register.schema.validate_disclosed({name: value for name, value in values.items() if name != "schema"})
    _check_subject(paper, register.record_id(values))
    signed = signed_digest(
        register.contract, paper.register.chain_id, paper.register.address, paper.primary, paper.message, paper.digest
    )
    signers = [signer for signer, _ in paper.signatures]
    if len(set(signers)) < len(signers):
        raise BadInput("a signer stands there twice")
    for signer, signature in paper.signatures:
        if recover(signed, signature) != signer:
            raise BadInput(f"this is not what {signer} signed")


def _check_subject(paper: Paper, record_id: bytes) -> None:
    """Check that what was signed is about the record that the fields name. Raises BadInput, InvalidProof."""
    members = owner(paper.primary, paper.message)
    if members is None:
        # A batch: its struct holds the root, to which the content's place leads.
        if paper.primary not in IN_BATCH or paper.place is None or paper.message[0] != record_id:
            raise BadInput("what was signed is not about this content")
        root, count = paper.message[2:4]
        merkle.verify_inclusion(merkle.leaf_hash(paper.digest), paper.place[0], count, paper.place[1], root)
        return
    where = "replacement" if paper.primary == "AmendLeaf" else "digest"
    if members.get(where, b"") is not None or [*members.values()].count(None) != 1:
        raise BadInput("what was signed is not about this content")
    if "recordId" in members and members["recordId"] != record_id:
        raise BadInput("what was signed is about another record")


def _issuer(paper: Paper, trusted: TrustedRegister | None) -> Axis:
    signers = [signer for signer, _ in paper.signatures]
    if trusted is None:
        return Axis("unknown", "no trust root was given, so the authority is not known")
    if len(signers) < trusted.threshold:
        return Axis("invalid", f"{len(signers)} signed, {trusted.threshold} must")
    if not trusted.registrars:
        return Axis("unknown", f"the trust root lists no registrars, so nothing says whether {signers[0]} is one")
    listed = [signer for signer in signers if signer in trusted.registrars]
    if len(listed) < trusted.threshold:
        return Axis("invalid", f"{len(listed)} of the signers are registrars, {trusted.threshold} must be")
    return Axis("valid", f"{len(listed)} registrars of {trusted.authority_name} signed")


def _verdict(checks: list[CheckResult], integrity: Axis, paper: Paper | None, issuer: Axis | None = None) -> Verdict:
    status = Axis("unknown", "not known since printing; nor does paper show that it was recorded")
    if checks[-1].outcome != "failed":
        checks.append(CheckResult(12, "unknown", status.reason))
    axes = {"integrity": integrity, "status": status, "issuer": issuer or Axis("unknown", UNDECIDED)}
    block, time = (paper.block, paper.time) if paper else (None, None)
    return Verdict("paper", axes, tuple(checks), block, time)  # type: ignore[arg-type]
