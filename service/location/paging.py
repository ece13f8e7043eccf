"""Pages of lists: NextToken is a cursor of ours, which only the same list takes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from service.api.cursors import Listing, Place
from service.errors import Refused
from service.location.errors import FIELD_VALIDATION_FAILED, INVALID, Field, ValidationException

MOST: Final = 100
"""Entries of a page where MaxResults says nothing."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of a list is asked for: after which place, and how many rows at most."""

    after: Place
    limit: int
    _listing: Listing

    @property
    def look(self) -> int:
        """One row more than the page has, to know whether there is more."""
        return self.limit + 1

    def page(
        self, rows: Sequence[Row], place: Callable[[Row], Place]
    ) -> tuple[Sequence[Row], dict[str, str]]:
        """The rows of the page, and NextToken where there is more."""
        shown = rows[: self.limit]
        return shown, self.next_token(shown, len(rows) > self.limit, place)

    def next_token(self, rows: Sequence[Row], more: bool, place: Callable[[Row], Place]) -> dict[str, str]:
        """NextToken behind the rows of a page, where there is more."""
        cursor = self._listing.page(rows, more, place).next_cursor
        return {} if cursor is None else {"NextToken": cursor}


def paging(request: Mapping[str, Any], of: tuple[str, ...], start: Place) -> Paging:
    """`of`: the list's name and whose it is; `start`: before its first row. Raises ValidationException."""
    listing = Listing(("location", *of), start, request.get("NextToken"))
    try:
        after = listing.after()
    except Refused:
        fault = Field("NextToken", "no token of this list: hand back one that a page ended with, unchanged")
        raise ValidationException(INVALID, FIELD_VALIDATION_FAILED, [fault]) from None
    return Paging(after, request.get("MaxResults", MOST), listing)
