"""History as a data folder keeps it, page by page, in the form in which the API gives it."""

from collections.abc import Callable, Iterator

import msgspec

from service.api.histories import ChangePage, EvaluatedPositionPage, change_page, evaluated_position_page
from service.store.database import Database
from service.store.reading.trackers import peoples_tracker_names

PAGE = 1000
"""Rows read in one transaction."""


class KeptHistory:
    """The history in a database; each page is what the API would answer, its items as JSON."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def trackers(self) -> Iterator[str]:
        """The names of all trackers."""
        with self._database.read() as connection:
            yield from peoples_tracker_names(connection).values()

    def positions(self, tracker: str) -> Iterator[list[msgspec.Raw]]:
        """Evaluated and late positions, device by device. Raises NotFound where there is no such tracker."""
        return _pages(lambda cursor: evaluated_position_page(self._database.read, tracker, cursor, PAGE))

    def revisions(self) -> Iterator[list[msgspec.Raw]]:
        """All changes of geofences and links."""
        return _pages(lambda cursor: change_page(self._database.read, cursor, PAGE))


def _pages(
    page_at: Callable[[str | None], EvaluatedPositionPage | ChangePage],
) -> Iterator[list[msgspec.Raw]]:
    cursor = None
    while True:
        page = page_at(cursor)
        yield [msgspec.Raw(msgspec.json.encode(item)) for item in page.items]
        if (cursor := page.next_cursor) is None:
            return
