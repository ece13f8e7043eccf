"""Copies an account: what it names first, then where its devices are, then where they have been.

The latest position of each device is evaluated, so that who is inside a geofence is known and its next
position is no ENTER. All before that is stored and not evaluated: its events were Amazon's.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final, TypeVar

from service.moving.amazon_location.account import Account, Entry
from service.moving.amazon_location.copied_until import CopiedUntil
from service.moving.amazon_location.filled_database import FilledDatabase, milliseconds
from service.moving.amazon_location.summary import Summary

AT_ONCE: Final = 100
"""Geofences or positions written in one commit; a page of Amazon's has as many."""
KEPT: Final = timedelta(days=30)
"""How long Amazon keeps positions."""
KEEP_SECONDS: Final = 5.0
"""How often it is kept up to when histories were copied."""

Progress = Callable[[str, int], object]
"""Told what is copied now, and how many more of it are."""
Item = TypeVar("Item")


class Copying:
    """One copy. `into` is None where all is only counted. Raises CannotNow, Refused."""

    def __init__(
        self,
        account: Account,
        into: FilledDatabase | None,
        summary: Summary,
        copied: CopiedUntil,
        progress: Progress = lambda what, more: None,
    ) -> None:
        self._account = account
        self._into = into
        self._summary = summary
        self._copied = copied
        self._progress = progress
        self._kept = time.monotonic()

    def copy(self, *, history: bool) -> None:
        """history: of 30 days, too; else the latest positions only."""
        try:
            for collection in self._account.collections():
                self._collection(collection)
            for tracker in self._account.trackers():
                self._tracker(tracker, history=history)
        finally:
            self._copied.keep()

    def _collection(self, said: Entry) -> None:
        name = said["CollectionName"]
        self._count("collections", 1)
        if self._into is not None:
            self._into.put_collection(said)
        for some in _batches(self._account.geofences(name)):
            self._count("geofences", len(some))
            if self._into is not None:
                self._into.put_geofences(name, some)

    def _tracker(self, said: Entry, *, history: bool) -> None:
        name = said["TrackerName"]
        self._count("trackers", 1)
        if self._into is not None:
            self._into.put_tracker(said)
        for collection in self._account.linked_collections(name):
            self._count("links", 1)
            if self._into is not None:
                self._into.link(name, collection)
        latest = self._latest(name)
        if history:
            for device, time_of_latest in latest.items():
                self._history(name, device, time_of_latest)
        if self._into is not None:
            self._into.set_filtering(said)

    def _latest(self, tracker: str) -> dict[str, int]:
        """Copies where each device is; answers since when."""
        times: dict[str, int] = {}
        for some in _batches(self._account.latest_positions(tracker)):
            self._count("latest positions", len(some))
            times.update((each["DeviceId"], milliseconds(each)) for each in some)
            if self._into is not None:
                self._summary.posted("latest positions", self._into.store_positions(tracker, some))
        return times

    def _history(self, tracker: str, device: str, until: int) -> None:
        """Copies what was measured before a time, from where an earlier copy ended."""
        start, end = _moment(until) - KEPT, _moment(until)
        before = self._copied.of(tracker, device)
        if before is not None:
            start = max(start, _moment(before))
        if start < end:
            for some in _batches(self._account.history(tracker, device, start, end)):
                self._count("positions of the past", len(some))
                if self._into is not None:
                    self._summary.posted("positions of the past", self._into.store_positions(tracker, some))
                    self._note(tracker, device, milliseconds(some[-1]))
        if self._into is not None:
            self._note(tracker, device, until)

    def _note(self, tracker: str, device: str, until: int) -> None:
        self._copied.note(tracker, device, until)
        if time.monotonic() - self._kept > KEEP_SECONDS:
            self._copied.keep()
            self._kept = time.monotonic()

    def _count(self, what: str, more: int) -> None:
        self._summary.found[what] += more
        self._progress(what, more)


def _moment(milliseconds_since_epoch: int) -> datetime:
    return datetime.fromtimestamp(milliseconds_since_epoch / 1000, UTC)


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    walk = iter(items)
    while some := list(islice(walk, AT_ONCE)):
        yield some
