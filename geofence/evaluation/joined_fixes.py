"""Fixes of one device that follow one another, and the paths between them."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geofence.earth.ellipsoid import WGS84, Column, earth_centred
from geofence.evaluation.watched import Joining
from geofence.fixes.fix_columns import FixColumns
from geofence.fixes.last_fixes import LastFixes
from geofence.fixes.numbered_fixes import NumberedFixes
from geofence.paths.paths import Numbers, Paths
from geofence.state.inside_state import InsideState


@dataclass(frozen=True, slots=True)
class JoinedFixes:
    """n pairs of a fix and the next of its device, whose number is `number`.

    `start` and `end` are their times (ms). The former is `before` among the fixes, or where that is -1, the
    one evaluated last of the device whose place is `place`.
    """

    number: Numbers
    before: Numbers
    place: Numbers
    start: Numbers
    end: Numbers
    paths: Paths
    fixes: FixColumns
    fix: Numbers
    past: LastFixes

    def __len__(self) -> int:
        return len(self.number)

    @classmethod
    def of(cls, numbers: NumberedFixes, fixes: FixColumns, state: InsideState) -> "JoinedFixes":
        """All pairs of which both are known."""
        time, past = numbers.time(fixes, state.watermark), state.last_fixes(numbers.devices)
        place = numbers.place()
        before = numbers.fix[:-1][np.maximum(np.arange(len(place)) - 1, 0)]
        known = (before >= 0) | ~np.isnan(past.longitude[place])
        number = np.flatnonzero((numbers.fix[:-1] >= 0) & known)
        before, place, fix = before[number], place[number], numbers.fix[number]
        of_past = before < 0
        paths = Paths(
            np.where(of_past, past.longitude[place], fixes.longitude[before]),
            np.where(of_past, past.latitude[place], fixes.latitude[before]),
            fixes.longitude[fix],
            fixes.latitude[fix],
        )
        return cls(number, before, place, time[number - 1], time[number], paths, fixes, fix, past)

    def take(self, index: Numbers | NDArray[np.bool_]) -> "JoinedFixes":
        """The pairs at `index`: numbers, or a mask of length n."""
        columns = (self.number, self.before, self.place, self.start, self.end, self.fix)
        number, before, place, start, end, fix = (column[index] for column in columns)
        paths = self.paths.take(index)
        return replace(
            self, number=number, before=before, place=place, start=start, end=end, fix=fix, paths=paths
        )

    def near_enough(self, joining: Joining) -> NDArray[np.bool_]:
        """Which pairs are near enough in time, and in space for that time."""
        gap = self.end - self.start
        near = gap <= joining.max_gap
        within = np.flatnonzero(near)
        paths, reach = self.paths.take(within), joining.max_speed / 1000 * gap[within]
        starts = earth_centred(paths.from_longitude, paths.from_latitude)
        ends = earth_centred(paths.to_longitude, paths.to_latitude)
        straight = np.sqrt(sum((b - a) ** 2 for a, b in zip(starts, ends, strict=True)))
        near[within[straight > reach + ROUNDING]] = False
        doubtful = np.flatnonzero((straight <= reach + ROUNDING) & (straight * LONGEST_WAY > reach))
        some = paths.take(doubtful)
        distance = WGS84.inv(some.from_longitude, some.from_latitude, some.to_longitude, some.to_latitude)[2]
        near[within[doubtful]] = distance <= reach[doubtful]
        return near

    def accuracies(self) -> tuple[Column, Column]:
        """Of the former fixes, and of the latter (metres, NaN unknown)."""
        accuracy = self.fixes.accuracy
        before = np.where(self.before < 0, self.past.accuracy[self.place], accuracy[self.before])
        return before, accuracy[self.fix]

    def altitudes(self) -> tuple[Column, Column]:
        """Of the former fixes, and of the latter (metres, NaN unknown)."""
        of_past = self.before < 0
        asked, at = np.unique(np.concatenate([self.before[~of_past], self.fix]), return_inverse=True)
        altitude = self.fixes.altitudes(asked)[at]
        before = self.past.altitude[self.place]
        before[~of_past] = altitude[: len(altitude) - len(self)]
        return before, altitude[len(altitude) - len(self) :]


LONGEST_WAY = 1.01 * math.pi / 2
"""How much longer the way on the surface can be than that through the Earth."""

ROUNDING = 1e-3
"""Metres."""
