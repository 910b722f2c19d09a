"""`python -m scripts.samples.build`: compile deed.typ into deed.pdf, the same bytes on every machine."""

from __future__ import annotations

from pathlib import Path

import typst

HERE = Path(__file__).parent
PDF = HERE / "deed.pdf"


def compile_deed() -> bytes:
    """The deed as a PDF/A-2b. Only the compiler's own fonts are used: a machine's would change the bytes."""
    return typst.compile(HERE / "deed.typ", format="pdf", ignore_system_fonts=True, pdf_standards="a-2b")


if __name__ == "__main__":
    PDF.write_bytes(compile_deed())
    print(f"{PDF}: {PDF.stat().st_size:,} bytes")
