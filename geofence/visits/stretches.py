"""Stretches of fixes between one step of a visit and the next: which fix is the first that will do."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from geofence.columns.ranges import ranges
from geofence.conditions.poor_fixes import PoorFixes
from geofence.fixes.fix_columns import FixColumns
from geofence.fixes.numbered_fixes import NumberedFixes
from geofence.visits.steps import Mask, Numbers, Steps

Column = NDArray[np.float64]
Distances = Callable[[NDArray[np.int32], Column, Column, Column], Column]
"""Metres from positions to geofences, 0 inside: of keys, longitudes, latitudes, and limits (metres). What is
farther than its limit may come as infinity."""


class Stretches:
    """The fixes that count, of the stretches that begin with some steps. `time` (ms) is of each number."""

    def __init__(
        self,
        steps: Steps,
        numbers: NumberedFixes,
        time: Numbers,
        fixes: FixColumns,
        poor: PoorFixes | None,
    ) -> None:
        self._geofence, self._start, self._until = steps.geofence, steps.start, steps.until
        self._fix, self.time = numbers.fix, time
        self._fixes, self._poor = fixes, poor

    def first(self, step: Numbers, time: Numbers) -> Numbers:
        """Of these steps' stretches the number of the first fix at `time` (ms) or later, else -1."""
        return self._first(step, time, lambda at, number: self._count(step[at], number))

    def first_away(self, step: Numbers, time: Numbers, metres: Column, distances: Distances) -> Numbers:
        """The same, of fixes that are so far away from the geofence, or farther."""

        def away(at: Numbers, number: Numbers) -> Mask:
            holds = self._count(step[at], number)
            fix, at = self._fix[number[holds]], at[holds]
            longitude, latitude = self._fixes.longitude[fix], self._fixes.latitude[fix]
            holds[holds] = distances(self._geofence[step[at]], longitude, latitude, metres[at]) >= metres[at]
            return holds

        return self._first(step, time, away)

    def _first(self, step: Numbers, time: Numbers, holds: Callable[[Numbers, Numbers], Mask]) -> Numbers:
        if len(step) == 0:
            return step
        until = self._until[step]
        return first_that_hold(first_not_before(self.time, self._start[step], until, time), until, holds)

    def _count(self, step: Numbers, number: Numbers) -> Mask:
        if self._poor is None:
            return np.ones(len(number), np.bool_)
        return self._poor.count(self._fix[number], self._geofence[step])


def first_that_hold(start: Numbers, until: Numbers, holds: Callable[[Numbers, Numbers], Mask]) -> Numbers:
    """Of n stretches, start <= number < until, the first number that holds, -1 where none does.

    `holds` is asked for pairs of a stretch, by its place, and a number: of each stretch for one, then for the
    next two, four and so on, so that no more are asked for in vain than there were before the first.
    """
    found = np.full(len(start), -1)
    stretch = np.flatnonzero(start < until)
    at, width = start[stretch], 1
    while len(stretch):
        count = np.minimum(width, until[stretch] - at)
        asked, number = np.repeat(stretch, count), ranges(at, count)
        held = holds(asked, number)
        which, first = np.unique(asked[held], return_index=True)
        found[which] = number[held][first]
        at, width = at + count, 2 * width
        searched_on = (found[stretch] < 0) & (at < until[stretch])
        stretch, at = stretch[searched_on], at[searched_on]
    return found


def first_not_before(time: Numbers, start: Numbers, until: Numbers, least: Numbers) -> Numbers:
    """Of n stretches, in which time ascends, the first number at `least` or later, else `until`."""
    low, high = start, np.maximum(start, until)
    while (low < high).any():
        middle = (low + high) // 2
        before = (low < high) & (time[np.minimum(middle, len(time) - 1)] < least)
        low, high = np.where(before, middle + 1, low), np.where(before, high, middle)
    return low
