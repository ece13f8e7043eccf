"""Cursors are opaque, belong to one list, and are not to be made by hand."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.cursors import Listing, decoded, encoded
from service.errors import Refused

INT64 = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.text(), max_size=3).map(tuple), st.lists(INT64, max_size=3).map(tuple))
def test_a_cursor_gives_back_its_list_and_place(of: tuple[str, ...], after: tuple[int, ...]) -> None:
    cursor = encoded(of, after)
    assert decoded(cursor) == (of, after)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?#% ")


@given(st.text() | st.binary().map(lambda content: base64.urlsafe_b64encode(content).decode()))
def test_what_was_not_made_here_is_refused(cursor: str) -> None:
    with pytest.raises(Refused):
        decoded(cursor)


@given(st.data())
def test_a_cursor_that_was_changed_is_refused_or_means_the_same(data: st.DataObject) -> None:
    cursor = encoded(("events", "default"), (17,))
    at = data.draw(st.integers(0, len(cursor) - 1))
    changed = cursor[:at] + data.draw(st.characters(codec="ascii")) + cursor[at + 1 :]
    try:
        assert decoded(changed) == (("events", "default"), (17,))
    except Refused:
        assert changed != cursor


def test_a_place_of_another_width_is_refused() -> None:
    with pytest.raises(Refused):
        Listing(("devices", "default"), (0, 0), encoded(("devices", "default"), (1,))).after()


@given(st.lists(st.integers(1, 50), unique=True).map(sorted), st.integers(1, 7))
def test_walking_the_pages_of_a_list_gives_each_row_once(numbers: list[int], limit: int) -> None:
    walked: list[int] = []
    cursor = None
    for _ in range(len(numbers) + 1):
        listing = Listing(("numbers",), (0,), cursor)
        (after,) = listing.after()
        rows = [number for number in numbers if number > after][: limit + 1]
        page = listing.page_of(rows, limit, lambda number: (number,))
        walked += page.rows
        cursor = page.resume_cursor
        if page.next_cursor is None:
            break
    assert walked == numbers
