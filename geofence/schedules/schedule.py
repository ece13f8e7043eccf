"""When a geofence is live: windows on the clock of a time zone, found for stretches of time when needed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofence.columns.ranges import ranges
from geofence.schedules.calendar import DAY, FIRST_DAY, LAST_DAY
from geofence.schedules.timetable import Timetable
from geofence.schedules.zones import MINUTE, utc

STRETCH_DAYS = 64
STRETCH = STRETCH_DAYS * DAY * MINUTE
"""Milliseconds whose windows are found at once."""

FIRST_STRETCH, LAST_STRETCH = FIRST_DAY // STRETCH_DAYS - 1, LAST_DAY // STRETCH_DAYS + 8
"""No window is open before or after."""

REMEMBERED = 64
"""Stretches whose windows a schedule keeps."""

AHEAD = 2
"""Days by which no clock is ahead of or behind UTC."""


class Borders(NamedTuple):
    """m borders of windows between pairs of times: the pair's number, when (ms), and whether one opens."""

    pair: NDArray[np.int64]
    time: NDArray[np.int64]
    opens: NDArray[np.bool_]


class Stretch(NamedTuple):
    """Whether a window is open just before a stretch of time, and when that changes within it (ms)."""

    open: bool
    changes: NDArray[np.int64]


class Schedule:
    """The windows of a timetable.

    Those that overlap or touch are one. Before 1900 and after 2199 none begins.
    """

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable
        self._stretches: dict[int, Stretch] = {}

    def live(self, times: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a window is open at each of these times (ms since the epoch)."""
        live: NDArray[np.bool_]
        numbers = _stretches(times)
        if len(numbers) and numbers.min() == numbers.max():  # as nearly always, and several times as fast
            opened, changes = self._stretch(int(numbers[0]))
            live = (opened + np.searchsorted(changes, times, side="right")) % 2 == 1
            return live
        each, of = np.unique(numbers, return_inverse=True)
        opens, first, changes = self._joined(each)
        passed = np.searchsorted(changes, times, side="right") - first[of]
        live = (opens[of] + passed) % 2 == 1
        return live

    def changes_between(self, start: NDArray[np.int64], end: NDArray[np.int64]) -> Borders:
        """When windows open and close after `start` and up to `end` (ms, n pairs), by pair and time."""
        opened, first, changes = self._joined(_between(_stretches(start), _stretches(end)))
        place = np.arange(len(changes)) - np.repeat(first, np.diff(first, append=len(changes)))
        opens = (np.repeat(opened, np.diff(first, append=len(changes))) + place) % 2 == 0
        after = np.searchsorted(changes, start, side="right")
        count = np.maximum(np.searchsorted(changes, end, side="right") - after, 0)
        at = ranges(after, count)
        return Borders(np.repeat(np.arange(len(start)), count), changes[at], opens[at])

    def _joined(
        self, numbers: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Of stretches (ascending) whether each begins open, which change is its first, and all changes."""
        stretches = [self._stretch(number) for number in numbers.tolist()]
        counts = np.array([len(stretch.changes) for stretch in stretches], np.int64)
        opened = np.array([stretch.open for stretch in stretches], np.int64)
        changes = np.concatenate([np.empty(0, np.int64), *(stretch.changes for stretch in stretches)])
        return opened, np.cumsum(counts) - counts, changes

    def _stretch(self, number: int) -> Stretch:
        stretch = self._stretches.get(number)
        if stretch is None:
            stretch = self._found(number)
            if len(self._stretches) >= REMEMBERED:
                self._stretches.clear()
            self._stretches[number] = stretch
        return stretch

    def _found(self, number: int) -> Stretch:
        borders = self._borders(number * STRETCH_DAYS)
        first, last = np.searchsorted(borders, [number * STRETCH, (number + 1) * STRETCH])
        return Stretch(bool(first % 2), borders[first:last].copy())

    def _borders(self, day: int) -> NDArray[np.int64]:
        """Begin and end, in turn, of the windows that touch the stretch from this day on, and of others."""
        zone, hours = self._timetable.zone, self._timetable.hours
        first, last = day - AHEAD - hours.reach, day + STRETCH_DAYS + AHEAD
        if last < FIRST_DAY or first > LAST_DAY:
            return np.empty(0, np.int64)
        begin, end = hours.windows(first, last)
        kept = ~np.isin(begin // DAY, self._timetable.except_days)
        kept &= ~np.isin(begin, self._timetable.except_minutes)
        begin, end = utc(zone, begin[kept]), utc(zone, end[kept]) + hours.minutes * MINUTE
        kept = begin < end
        if hours.until is not None:
            kept &= begin <= hours.until
        return _merged(begin[kept], end[kept])


def _merged(begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Begin and end, in turn, of these windows; those that overlap or touch are one."""
    order = np.argsort(begin)
    begin, end = begin[order], np.maximum.accumulate(end[order])
    apart = begin[1:] > end[:-1]
    ends = np.concatenate([apart, np.ones(min(len(begin), 1), np.bool_)])
    return np.column_stack([begin[np.roll(ends, 1)], end[ends]]).ravel()


def _stretches(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of the stretch in which each of these times (ms) is."""
    return np.minimum(np.maximum(times // STRETCH, FIRST_STRETCH), LAST_STRETCH)


def _between(first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """All stretches from a `first` to the `last` beside it, each once, ascending."""
    begun = np.zeros(LAST_STRETCH - FIRST_STRETCH + 2, np.int64)
    np.add.at(begun, first - FIRST_STRETCH, 1)
    np.subtract.at(begun, last - FIRST_STRETCH + 1, 1)
    return np.flatnonzero(np.cumsum(begun) > 0) + FIRST_STRETCH
