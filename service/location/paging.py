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
        page = self._listing.page_of(rows, self.limit, place)
        return page.rows, {} if page.next_cursor is None else {"NextToken": page.next_cursor}


def paging(request: Mapping[str, Any], of: tuple[str, ...], start: Place) -> Paging:
    """`of`: the list's name and whose it is; `start`: before its first row. Raises ValidationException."""
    listing = Listing(("location", *of), start, request.get("NextToken"))
    try:
        after = listing.after()
    except Refused:
        fault = Field("NextToken", "expected a NextToken of this list, unchanged")
        raise ValidationException(INVALID, FIELD_VALIDATION_FAILED, [fault]) from None
    return Paging(after, request.get("MaxResults", MOST), listing)
