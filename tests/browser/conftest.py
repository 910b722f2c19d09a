"""A real office with its pages on a socket, and Debian's Chromium to look at them with."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.api.conftest import Applicant, Title, applicant, base_url, http, parts

__all__ = ["applicant", "base_url", "http", "parts"]

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# FAULTS 53: text that would run, or draw, where somebody takes it for more than text.
PAYLOAD = "=cmd() <script>document.title='owned'</script><svg onload=\"document.title='owned'\"> {{7*7}}"


@pytest.fixture(scope="package")
def title(applicant: Applicant) -> Title:
    """A certified title whose holder is named by a payload."""
    asked = applicant.parts.request()
    request = replace(asked, fields={**asked.fields, "holder": PAYLOAD})
    return Title(request, applicant.certified(request, "title-of-the-pages"))


@dataclass(frozen=True)
class Files:
    """What a reader has on disk: the whole certificate, one with a changed field, the document and another one."""

    valid: Path
    changed: Path
    document: Path
    other: Path


@pytest.fixture(scope="package")
def files(http: httpx.Client, title: Title, tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("files")
    token = {"Authorization": f"Bearer {title.accepted['accessToken']}"}
    valid = http.get(f"{title.url}/certificate", headers=token).content
    made = Files(*(folder / name for name in ("valid.json", "changed.json", "document.pdf", "other.pdf")))
    made.valid.write_bytes(valid)
    made.changed.write_bytes(valid.replace(b"Hak Milik", b"Hak Pakai"))
    made.document.write_bytes(title.request.document or b"")
    made.other.write_bytes(b"%PDF-1.7\nanother deed\n%%EOF\n")
    return made


@pytest.fixture(scope="module")  # Playwright keeps an event loop running in this thread, where others run theirs
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: the pages were not looked at (on Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


def visit(page: Page, path: str, *, scripts: bool = True) -> None:
    """Go there and wait until its scripts have run."""
    page.goto(path)
    if scripts and page.locator("#file-form").count():
        page.wait_for_selector("#local:not([hidden])")


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, base_url: str) -> Iterator[OpenPage]:
    """Opens a path in a browser of its own: `scripts` off or on, `width` in CSS pixels."""
    contexts = []

    def open_path(path: str, *, scripts: bool = True, width: int = 1280) -> Page:
        size = {"width": width, "height": 800}
        contexts.append(browser.new_context(viewport=size, java_script_enabled=scripts, base_url=base_url))  # type: ignore[arg-type]
        page = contexts[-1].new_page()
        visit(page, path, scripts=scripts)
        return page

    yield open_path
    for context in contexts:
        context.close()
