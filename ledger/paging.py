"""The cursor of a list of entries: an opaque text that stays good when entries are added."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from struct import Struct

from ledger.errors import BadInput
from ledger.model import Place, RecordedEntry

_PLACE = Struct(">QQ")
_LIMIT = 1 << 63  # what a database's integers hold


def cursor_of(place: Place) -> str:
    """22 characters of base64url."""
    return base64.urlsafe_b64encode(_PLACE.pack(*place)).rstrip(b"=").decode()


def parse_cursor(text: str) -> Place:
    """Raises BadInput for what no `cursor_of` has made."""
    if re.fullmatch("[A-Za-z0-9_-]{22}", text):
        place = Place(*_PLACE.unpack(base64.urlsafe_b64decode(text + "==")))
        if max(place) < _LIMIT and cursor_of(place) == text:
            return place
    raise BadInput("This is no cursor.", "Use the `next` link of the page before, or leave it out.", "/cursor")


def page_of(found: Sequence[RecordedEntry], limit: int) -> tuple[Sequence[RecordedEntry], str | None]:
    """The page out of what was found with one more than `limit`, and the cursor of the next page, None if it is the
    last."""
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], cursor_of(Place(last.block_number, last.log_index))
