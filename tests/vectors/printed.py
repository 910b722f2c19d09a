"""PDFs that carry a certificate: as the office printed it, and with another file in it than on its pages."""

from __future__ import annotations

import io
from collections.abc import Mapping

from pypdf import PdfReader, PdfWriter

from ledger.printing.pdf import render
from tests.vectors.forged_blocks import roots
from tests.vectors.genuine import Vector, certificate, compact
from tests.vectors.tamper import put


def printed() -> Mapping[str, Vector]:
    """By the name of its file. The forged one prints the true area and carries another."""
    value = certificate("land-issue")
    pdf = render(compact(value), roots()["trust"], "https://kantor.example")
    put("/content/fields/area/value", "999.50")(value)
    forged = _carrying(compact(value), pdf)
    return {
        "printed/certificate.pdf": Vector("certificate", pdf),
        "printed/08-other-area.pdf": Vector("other-area", forged, ("invalid", "unknown", "unknown"), (8, "failed")),
    }


def _carrying(file: bytes, pdf: bytes) -> bytes:
    """The PDF as a tool saves it that has put this file in the place of the one attached."""
    writer, out = PdfWriter(), io.BytesIO()
    writer.clone_document_from_reader(PdfReader(io.BytesIO(pdf)))
    (attachment,) = writer.attachment_list
    attachment.content = file
    writer.write(out)
    return out.getvalue()
