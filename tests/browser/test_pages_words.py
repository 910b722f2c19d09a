"""Every text of the pages is there in both languages, and every state of a register and a verdict has its words."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from api.pages import words
from api.pages.advice import ADVICE
from api.pages.i18n import CATALOGUE, language, negotiate
from api.pages.page import TEMPLATES
from ledger.registers import REGISTERS
from ledger.verdict import CHECKS

ROOT = TEMPLATES.parent.parent
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w*\}")


def written() -> set[str]:
    """Every message in the code and in the templates."""
    found = set()
    for path in (TEMPLATES.parent / "pages").glob("*.py"):
        with path.open("rb") as file:
            found |= {str(message) for _, message, _, _ in extract("python", file, {"mark": None})}
    for path in TEMPLATES.glob("*.html"):
        with path.open("rb") as file:
            options = {"trim_blocks": "true", "lstrip_blocks": "true"}
            keywords = {"_": None, "gettext": None, "ngettext": (1, 2)}
            found |= {str(item[1]) for item in extract("jinja2.ext:babel_extract", file, keywords, options=options)}
    return found


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="id")


def test_every_message_is_in_indonesian_and_no_other_is(catalogue: Catalog) -> None:
    translated = {message.id for message in catalogue if message.id and message.string and not message.fuzzy}
    assert translated == written()
    assert len(translated) > 250


def test_a_translation_keeps_the_placeholders(catalogue: Catalog) -> None:
    for message in catalogue:
        if message.id:
            placeholders = [sorted(PLACEHOLDER.findall(str(text))) for text in (message.id, message.string)]
            assert placeholders[0] == placeholders[1], message.id


def test_no_text_of_a_template_escapes_translation() -> None:
    for path in TEMPLATES.glob("*.html"):
        text = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<pre.*?</pre>", "", _without_trans(path.read_text()), flags=re.S
        )
        outside = re.sub(r"<[^>]*>", "", re.sub(r'[\w-]+="[^"]*"', "", text))
        assert re.findall(r"[A-Za-z]{3,}", outside.replace("Khalayak", "")) == [], path.name


def _without_trans(text: str) -> str:
    return re.sub(r"\{% trans.*?endtrans %\}", "", text, flags=re.S)


def test_every_field_action_status_and_kind_has_a_label() -> None:
    for kind, register in REGISTERS.items():
        assert kind in words.REGISTERS
        assert register.schema.id in words.VALUES
        assert {field.name for field in register.schema.fields} | {"schema", "document"} <= words.FIELDS.keys()
        assert set(register.actions.values()) <= words.ACTIONS.keys()
        assert set(register.statuses.values()) <= words.STATUSES.keys()


def test_every_check_that_can_fail_or_not_tell_has_advice() -> None:
    assert words.CHECKS.keys() == CHECKS.keys()
    source = (ROOT / "ledger" / "verifier.py").read_text()
    failing = set(re.findall(r"_(?:fail|prove)\((\d+)", source))
    untold = set(re.findall(r'_note\((\d+), "unknown"', source))
    # Check 3 cannot tell when witnesses are too few, and 12 fails or cannot tell by the register's rule.
    assert {f"{n}-failed" for n in failing | {"12"}} | {f"{n}-unknown" for n in untold | {"3", "12"}} == ADVICE.keys()


def test_every_reason_of_a_register_has_plain_words() -> None:
    """The strings that the status rules of the registers answer with, read from their sources."""
    files = ("registers/land.py", "registers/identity.py", "registers/batch.py")
    found = []
    for name in files:
        source = (ROOT / "ledger" / name).read_text()
        found += re.findall(r'return "(?:valid|invalid|unknown)", f?"([^"]+)"', source)
    assert len(found) > 10
    examples = {"{liens}": "2 lien(s)", "{validity}": "2030-01-01", "{self.statuses[entry.status]}": "revoked"}
    for reason in found:
        for name, example in examples.items():
            reason = reason.replace(name, example)
        reason = re.sub(r"\{entry\.\w+\}", "3", reason)
        assert words.reason_in_words(reason, language("en")), reason


@pytest.mark.parametrize(
    "reason",
    ["frozen by a court: the title does not move", "retired for ever: the parcel was split", "active, no lien",
     "pending: a court assigns the title to the holder named; not before 2026-01-01 10:00 UTC", "never issued"],
)  # fmt: skip
def test_a_reason_is_told_in_the_readers_language(reason: str) -> None:
    english, indonesian = (words.reason_in_words(reason, language(code)) for code in ("en", "id"))
    assert english and indonesian and english != indonesian


@pytest.mark.parametrize(
    ("header", "code"),
    [("", "id"), ("en", "en"), ("en-GB,en;q=0.9", "en"), ("id-ID", "id"), ("fr, en;q=0.4, id;q=0.8", "id"),
     ("de", "id"), ("en;q=0", "id"), ("en;q=x,id", "id"), (";;,,q=", "id"), ("en" * 10_000, "id"), ("*", "id")],
)  # fmt: skip
def test_the_language_is_negotiated(header: str, code: str) -> None:
    assert negotiate(header) == code


def test_times_dates_and_numbers_are_written_as_in_the_language() -> None:
    indonesian, english = language("id"), language("en")
    assert indonesian.time(1_760_000_000) == "9 Oktober 2025, 08:53:20 UTC"
    assert english.time(1_760_000_000) == "9 October 2025, 08:53:20 UTC"
    assert (indonesian.date("1979-03-14"), english.date("1979-03-14")) == ("14 Maret 1979", "14 March 1979")
    assert (indonesian.number("1250000.50"), english.number("1250000.50")) == ("1.250.000,50", "1,250,000.50")
    assert (indonesian.age(90_000), english.age(90_000)) == ("1 hari", "1 day")
