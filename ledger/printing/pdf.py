"""The PDF of a certificate: PDF/A-3 with the certificate attached, a function of its arguments alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import segno
import typst

from ledger.certificate import Certificate, parse
from ledger.encoding import to_hex
from ledger.errors import BadInput
from ledger.registers import register_of_kind
from ledger.trust import TrustRoot
from ledger.verdict import Verdict
from ledger.verifier import verify

_STATES = {"valid": ("BERLAKU", "VALID"), "invalid": ("TIDAK BERLAKU", "NOT VALID")}
_NOT_KNOWN = ("TIDAK DAPAT DIPASTIKAN", "CANNOT TELL")


def render(data: bytes, trust: TrustRoot, site: str, paper: str = "") -> bytes:
    """The PDF of a certificate's file, which it carries unchanged. `site` is the address where people look records up,
    `paper` the text of the offline code (ledger/paper.py). The same arguments give the same bytes. Raises BadInput for
    what is no certificate, or one that this trust root does not verify; a status that is not valid is printed."""
    verdict = verify(data, trust)
    if any(verdict.axes[name].state != "valid" for name in ("integrity", "issuer")):
        refusal = verdict.refusal
        why = f"check {refusal.number}, {refusal.detail}" if refusal else ""
        raise BadInput(f"The certificate does not verify: {why}.", "Only what verifies is printed.")
    certificate = parse(data)
    if not isinstance(certificate, Certificate):
        raise BadInput("This is a proof of absence; only a certificate is printed.", "Pass the file on as it is.")
    page = _page(certificate, verdict, trust, site)
    inputs = {
        "labels": files("ledger.printing").joinpath("labels.json").read_text("utf-8"),
        "certificate": data.decode(),
        "link": _qr(page["link"]),
        "paper": _qr(paper) if paper else "",
    }
    try:
        return _compile({**inputs, "page": json.dumps(page)})
    except typst.TypstError as error:
        if "could not be displayed" not in str(error):
            raise
        fields = [(name, _escaped(value)) for name, value in page["fields"]]
        escaped = {**page, "fields": fields, "title": _escaped(page["title"]), "escaped": True}
        return _compile({**inputs, "page": json.dumps(escaped)})


def record_link(site: str, kind: str, record: bytes, sequence: int, head: bytes) -> str:
    """Where a record's latest status is looked up. The edition that was printed stands in the fragment, which a browser
    sends to nobody."""
    return f"{site.rstrip('/')}/r/{kind}/{to_hex(record)}#edition={sequence}&head={to_hex(head)}"


def _page(certificate: Certificate, verdict: Verdict, trust: TrustRoot, site: str) -> dict[str, Any]:
    register, entries = register_of_kind(certificate.kind), certificate.entries
    (newest, _), values = certificate.newest, certificate.content.values
    record = certificate.evidence.heads(certificate.record_id, entries).get("leaf", certificate.record_id)
    trusted = trust.register_named(str(certificate.register))
    assert verdict.block_time is not None, "what verifies has a block"
    moment = datetime.fromtimestamp(verdict.block_time, UTC)
    _, approvers = list(certificate.approved)[-1]
    status = verdict.axes["status"]
    return {
        "title": " · ".join(str(values[name]) for name in register.subject_fields),
        "authority": trusted.authority_name,
        "kind": certificate.kind,
        "state": status.state,
        "state-words": _STATES.get(status.state, _NOT_KNOWN),
        "reason": status.reason,
        "block": verdict.block_number,
        "time": f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        "moment": {unit: getattr(moment, unit) for unit in ("year", "month", "day", "hour", "minute", "second")},
        "fields": [(field.name, _text(values[field.name])) for field in register.schema.fields if field.name in values]
        + [(name, _text(values[name])) for name in ("document", "schema") if name in values],
        "withheld": certificate.content.size > len(values),
        "escaped": False,
        "approvers": approvers,
        "edition": str(newest.sequence),
        "head": to_hex(newest.head),
        "register": str(certificate.register),
        "record": to_hex(record),
        "link": record_link(site, certificate.kind, record, newest.sequence, newest.head),
    }


def _text(value: Any) -> str:
    """A field in words; of a document, its hash."""
    return str(value.get("sha256", "")) if isinstance(value, Mapping) else str(value)


def _escaped(text: str) -> str:
    """With every character outside of Latin-1 by its number: all that is left is in the font."""
    return "".join(c if c.isascii() or "\u00a1" <= c <= "\u00ff" else f"U+{ord(c):04X} " for c in text)


def _qr(text: str) -> str:
    code = segno.make(text, error="m", micro=False)
    return str(code.svg_inline(border=4, dark="#000", light="#fff"))


def _compile(inputs: Mapping[str, str]) -> bytes:
    template = files("ledger.printing").joinpath("certificate.typ").read_bytes()
    # Only the compiler's own fonts are used: a machine's would change the bytes.
    return bytes(
        typst.compile(template, format="pdf", ignore_system_fonts=True, pdf_standards="a-3b", sys_inputs=dict(inputs))
    )
