"""The pages in Chromium: with and without scripts, by keyboard alone, at 320 pixels, and read by axe-core."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request

from tests.api.conftest import Title
from tests.browser.conftest import PAYLOAD, Files, OpenPage, visit

ROOT = Path(__file__).resolve().parents[2]
AXE = (ROOT / "hardhat-local" / "node_modules" / "axe-core" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LANGUAGES = ("id", "en")
SAMPLES = ("valid", "absent", "changed", "outdated", "retired", "unwitnessed")


def paths(title: Title) -> list[str]:
    record = title.url.rsplit("/", 1)[1]
    samples = [f"sample/{name}" for name in SAMPLES]
    return ["", "v#nonsense", *samples, f"r/land/{record}", "r/land/0x" + "ab" * 32, "nothing"]


def violations(page: Page) -> list[str]:
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
    return [f"{item['id']}: {node['html'][:200]}" for item in found["violations"] for node in item["nodes"]]


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def check_file(page: Page, certificate: Path, document: Path | None = None) -> None:
    page.set_input_files("#certificate", certificate)
    if document:
        page.set_input_files("#document", document)
    page.click("#file-form button")
    page.wait_for_selector(".verdict")


def result_of(page: Page) -> str:
    """The text of a result from its headline to its checks, which both ways of making it share."""
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    words = " ".join(page.inner_text("main").split())
    # How old the file is grows while the test runs.
    return re.sub(r"(That is|Umurnya) .*?\.", "", words[words.index(page.inner_text(".verdict h1")) :])


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_page_has_a_violation_that_axe_finds(open_page: OpenPage, title: Title, code: str) -> None:
    page = open_page("/en/nothing")
    for path in paths(title):
        visit(page, f"/{code}/{path}")
        assert violations(page) == [], path


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_page_scrolls_sideways_at_320_pixels(open_page: OpenPage, title: Title, code: str) -> None:
    page = open_page("/en/nothing", width=320)
    for path in paths(title):
        visit(page, f"/{code}/{path}")
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        assert not is_too_wide(page), path


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_result_made_in_the_browser_is_accessible_and_fits(open_page: OpenPage, files: Files, code: str) -> None:
    for certificate, document in ((files.valid, files.document), (files.changed, None), (files.document, None)):
        page = open_page(f"/{code}/", width=320)
        check_file(page, certificate, document)
        assert violations(page) == []
        assert not is_too_wide(page)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_error_page_of_a_form_is_accessible_and_takes_the_focus(open_page: OpenPage, code: str) -> None:
    page = open_page(f"/{code}/", width=320)
    page.click("form[action$=find] button")
    page.locator(".error-summary:focus").wait_for()
    assert violations(page) == [] and not is_too_wide(page)
    page.click(".error-summary a")
    assert page.evaluate("document.activeElement.id") == "typed"


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize(
    ("certificate", "document"),
    [("valid", None), ("valid", "document"), ("valid", "other"), ("changed", None), ("other", None)],
)
def test_browser_and_server_show_the_same_result(
    open_page: OpenPage, files: Files, code: str, certificate: str, document: str | None
) -> None:
    shown = []
    for scripts in (True, False):
        page = open_page(f"/{code}/", scripts=scripts)
        check_file(page, getattr(files, certificate), getattr(files, document) if document else None)
        if not scripts:
            page = _with_scripts(page, open_page)
        shown.append(result_of(page))
    assert shown[0] == shown[1]


def _with_scripts(page: Page, open_page: OpenPage) -> Page:
    """The same markup where it can be read: a page without scripts answers no questions about itself."""
    other = open_page("/en/nothing")
    other.set_content(page.content())
    return other


def test_with_scripts_the_file_does_not_leave_the_browser(open_page: OpenPage, files: Files) -> None:
    page = open_page("/en/")
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    check_file(page, files.valid, files.document)
    assert [(request.method, request.url.split("/", 3)[3]) for request in sent] == [("GET", "v1/trust")]
    assert "does not leave" in page.locator("#local").text_content()  # type: ignore[operator]
    assert page.inner_text("#result .hint") == "The file was checked on this device. It did not leave it."


def test_when_the_verifier_does_not_load_the_page_sends_the_file_and_says_so(open_page: OpenPage, files: Files) -> None:
    page = open_page("/en/")
    page.route("**/khalayak-verify.js", lambda route: route.abort())
    page.reload()
    assert page.is_visible("#sent") and page.is_hidden("#local")
    check_file(page, files.valid)
    assert page.inner_text("main > .hint").startswith("Your file was sent")


def test_when_the_office_cannot_be_reached_nothing_is_claimed(open_page: OpenPage, files: Files) -> None:
    page = open_page("/en/")
    page.route("**/v1/trust", lambda route: route.abort())
    page.set_input_files("#certificate", files.valid)
    page.click("#file-form button")
    page.locator("#working", has_text="could not be done").wait_for()
    assert page.locator(".verdict:visible").count() == 0


def test_the_page_says_that_it_sends_the_file_where_scripts_are_off(open_page: OpenPage, files: Files) -> None:
    page = open_page("/en/", scripts=False)
    assert page.is_visible("#sent") and page.is_hidden("#local") and page.is_hidden("#scan")
    page.click("#file-form button")
    assert page.inner_text(".error-summary li") == "Choose the certificate's file"
    check_file(page, files.valid)
    assert page.inner_text(".verdict h1") == "Valid"


@pytest.mark.parametrize("scripts", [True, False])
def test_payloads_in_fields_are_inert(open_page: OpenPage, files: Files, scripts: bool) -> None:
    page = open_page("/en/", scripts=scripts)
    check_file(page, files.valid)
    assert page.locator("dd", has_text=PAYLOAD).count() == 1
    assert page.locator("main svg, main script:not([type='application/json'])").count() == 0
    assert "owned" not in page.title()


def test_everything_can_be_done_by_keyboard_alone(open_page: OpenPage, title: Title) -> None:
    page = open_page("/en/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        if reached[-1] == "typed":
            break
    assert reached == ["certificate", "document", "Check the file", "typed"]
    page.keyboard.type(title.request.fields["nib"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/en/r/land/0x*")
    assert title.request.fields["nib"] in page.inner_text("h1")


def test_where_the_keyboard_is_can_be_seen(open_page: OpenPage) -> None:
    page = open_page("/en/")
    count = page.evaluate(
        "[...document.querySelectorAll('a[href], button, input, summary')].filter(e => e.checkVisibility()).length"
    )
    for _ in range(count):
        page.keyboard.press("Tab")
        style = page.evaluate(
            "(({boxShadow, outlineColor}) => [boxShadow, outlineColor])(getComputedStyle(document.activeElement))"
        )
        assert "rgb(255, 221, 0)" in " ".join(style) or "rgb(11, 12, 12)" in style[0]


def test_the_result_takes_the_focus_and_another_file_can_be_checked(open_page: OpenPage, files: Files) -> None:
    page = open_page("/en/")
    check_file(page, files.changed)
    assert (
        page.evaluate("document.activeElement.textContent.trim()") == page.title().split(" \u2013 ")[0] == "Not valid"
    )
    page.click("text=Check another file")
    assert page.evaluate("document.activeElement.id") == "certificate"
    check_file(page, files.valid)
    assert page.inner_text(".verdict h1") == "Valid"


def test_a_qr_code_leads_to_its_record_and_its_fragment_is_sent_nowhere(open_page: OpenPage, title: Title) -> None:
    page = open_page("/en/")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    record = title.url.rsplit("/", 1)[1]
    page.goto(f"/v#land/{record}")
    page.wait_for_url(f"**/r/land/{record}")
    sent.clear()
    page.goto("/en/v#c2VjcmV0")
    page.wait_for_selector("#paper:not([hidden])")
    assert sent and not any("c2VjcmV0" in url for url in sent)
