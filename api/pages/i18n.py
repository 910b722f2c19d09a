"""Indonesian and English: which one a reader gets, and how texts, times, dates and numbers are written in it.

The messages in the code are English. `api/locale/id/LC_MESSAGES/messages.po` has them in Indonesian and is compiled
when this module is imported, so that nobody has to compile anything.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

CATALOGUE = Path(__file__).parent.parent / "locale" / "id" / "LC_MESSAGES" / "messages.po"
LANGUAGES = {"id": "Bahasa Indonesia", "en": "English"}
DEFAULT = "id"
_MAX_HEADER = 500


def mark(message: str) -> str:
    """Names a message for the catalogue where it is written down; it is translated where it is used."""
    return message


def negotiate(accept_language: str) -> str:
    """The language of a reader with this Accept-Language header (RFC 9110, section 12.5.4)."""
    weighed = []
    for part in accept_language[:_MAX_HEADER].split(","):
        tag, _, weight = part.partition(";")
        quality = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", weight) if weight else None
        if (number := float(quality[1]) if quality else float(not weight)) > 0:
            weighed.append((-number, tag.strip()))
    preferred = [tag for _, tag in sorted(weighed, key=lambda item: item[0])]
    return negotiate_locale(preferred, list(LANGUAGES), sep="-") or DEFAULT


class Language:
    """One language: `gettext` and `ngettext`, and the forms of times (UTC), dates and numbers."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.locale = Locale(code)
        self.messages = _indonesian() if code == "id" else NullTranslations()

    def text(self, message: str, **values: object) -> str:
        return self.messages.gettext(message) % values if values else self.messages.gettext(message)

    def time(self, seconds: int) -> str:
        moment = datetime.fromtimestamp(seconds, UTC)
        return f"{format_datetime(moment, 'd MMMM y, HH:mm:ss', tzinfo=UTC, locale=self.locale)} UTC"

    def iso(self, seconds: int) -> str:
        """For programs: RFC 3339."""
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def date(self, iso: str) -> str:
        return format_date(date.fromisoformat(iso), "d MMMM y", locale=self.locale)

    def age(self, seconds: int) -> str:
        return format_timedelta(max(seconds, 0), threshold=1, locale=self.locale)

    def number(self, value: int | str) -> str:
        """With the decimals it comes with."""
        decimals = len(str(value).partition(".")[2])
        return format_decimal(Decimal(value), f"#,##0.{'0' * decimals}" if decimals else "#,##0", locale=self.locale)


@lru_cache
def language(code: str) -> Language:
    return Language(code)


def _indonesian() -> GNUTranslations:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="id")
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
