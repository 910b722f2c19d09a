"""Entries as the database keeps them come back byte for byte, and what is no entry is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.adapters.sql_words import packed, words_in
from ledger.batch_entry import BatchEntry
from ledger.entries import Entry, Layout, check_words, layout_of, widths
from ledger.errors import StoreUnavailable
from ledger.identity_entry import IdentityEntry
from ledger.land_entry import LandEntry

LAYOUTS = [layout_of(entry) for entry in (LandEntry, IdentityEntry, BatchEntry, Entry)]


def words_of(layout: Layout) -> st.SearchStrategy[bytes]:
    """Any in their ranges, with zeros often, also at the end."""
    members = [st.just(bytes(n)) | st.binary(min_size=n, max_size=n) for n in widths(layout)]
    return st.tuples(*members).map(lambda parts: b"".join(part.rjust(32, b"\0") for part in parts))


@given(st.sampled_from(LAYOUTS).flatmap(lambda layout: st.tuples(st.just(layout), words_of(layout))))
def test_words_come_back_as_they_were(item: tuple[Layout, bytes]) -> None:
    layout, words = item
    check_words(layout, words)
    kept = packed(layout, words)
    assert words_in(layout, kept) == words
    assert len(kept) <= sum(widths(layout)) and kept[-1:] != b"\0"


@given(st.sampled_from(LAYOUTS), st.binary(max_size=400))
def test_whatever_a_row_holds_is_words_in_their_ranges_or_no_entry(layout: Layout, kept: bytes) -> None:
    if len(kept) > sum(widths(layout)):
        with pytest.raises(StoreUnavailable, match="no entry"):
            words_in(layout, kept)
    else:
        check_words(layout, words_in(layout, kept))
