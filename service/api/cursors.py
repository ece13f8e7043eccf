"""Cursors: places in a list, as text that callers hand back unchanged.

A cursor is base64url of a JSON array, [of, after, check]: the list's name and whose it is, what the last row
was ordered by, and a check that finds out what was not made here. It is no secret and no permission.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Generic, TypeVar

import msgspec

from service.errors import Refused

Row = TypeVar("Row")
Place = tuple[int, ...]
"""What a row is ordered by: int64 each."""
BEFORE_ALL: Final = -(2**63)

_Int64 = Annotated[int, msgspec.Meta(ge=BEFORE_ALL, le=2**63 - 1)]
_Decoded = tuple[list[str], list[_Int64], str]
_decoder = msgspec.json.Decoder(_Decoded)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows of a list, where it goes on while there is more now, and where it goes on later."""

    rows: Sequence[Row]
    next_cursor: str | None
    resume_cursor: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that is asked for: `of` is its name and whose it is, `start` the place before its first row."""

    of: tuple[str, ...]
    start: Place
    cursor: str | None

    def after(self) -> Place:
        """The place from which to go on. Raises Refused for a cursor of another list, or of nobody's."""
        if self.cursor is None:
            return self.start
        of, after = decoded(self.cursor)
        if of != self.of or len(after) != len(self.start):
            raise Refused(
                f"cursor: it belongs to another list ({' of '.join(of)}), not to {' of '.join(self.of)}"
            )
        return after

    def page(self, rows: Sequence[Row], more: bool, place: Callable[[Row], Place]) -> Page[Row]:
        """The page of these rows, which may be none; the next one begins after the last of them."""
        resume = encoded(self.of, place(rows[-1]) if rows else self.after())
        return Page(rows, resume if more else None, resume)

    def page_of(self, rows: Sequence[Row], limit: int, place: Callable[[Row], Place]) -> Page[Row]:
        """The page of rows of which one more than `limit` was asked for, to know whether there is more."""
        return self.page(rows[:limit], len(rows) > limit, place)


def encoded(of: tuple[str, ...], after: Place) -> str:
    content = msgspec.json.encode([of, after, _check(of, after)])
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decoded(cursor: str) -> tuple[tuple[str, ...], Place]:
    """The list that a cursor belongs to, and its place there. Raises Refused for what was not made here."""
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        of, after, check = _decoder.decode(content)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise Refused("cursor: expected a nextCursor or resumeCursor of this list, unchanged") from None
    if check != _check(tuple(of), tuple(after)):
        raise Refused("cursor: expected a nextCursor or resumeCursor of this list, unchanged")
    return tuple(of), tuple(after)


def _check(of: tuple[str, ...], after: Place) -> str:
    return hashlib.blake2b(
        msgspec.json.encode([of, after]), digest_size=4, person=b"overfly cursor"
    ).hexdigest()
