"""Fixes too inaccurate for some geofences: at them, a device stays inside of these as it was before.

Pairs of a geofence and a number (see `evaluator`) that fall on such a fix are dropped; each that is left and
has such fixes behind it comes once more, at the last of them. The evaluator takes the one for the
continuation of the other, and finds the change, if there is one, at the next fix that counts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LOW = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class PoorFixes:
    """`accuracy` (n, metres, NaN unknown) is of the fixes.

    `geofence` (k keys, ascending) and `metres` (k) are the geofences with a greatest accuracy, and that.
    """

    accuracy: NDArray[np.float64]
    geofence: NDArray[np.int32]
    metres: NDArray[np.float64]

    def carried(
        self, pairs: NDArray[np.int64], fix: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The pairs, geofence << 32 | number in any order, that count, and those that continue one of them.

        `fix` gives the fix of each number, -1 for a device's past and behind the last.
        """
        accuracy = np.where(fix < 0, -np.inf, self.accuracy[fix])
        accuracy[np.isnan(accuracy)] = -np.inf
        limit = self._limits(pairs >> 32)
        counts = accuracy[pairs & LOW] <= limit
        pairs, limit = pairs[counts], limit[counts]
        held = np.flatnonzero(accuracy[(pairs & LOW) + 1] > limit)
        if len(held) == 0:
            return pairs, pairs[held]
        next_that_counts = _next_at_most(accuracy, (pairs[held] & LOW) + 1, limit[held])
        return pairs, (pairs[held] & ~LOW) + next_that_counts - 1

    def count(self, fix: NDArray[np.int64], geofence: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether the fix counts for the geofence beside it."""
        return ~(self.accuracy[fix] > self._limits(geofence))

    def _limits(self, geofence: NDArray[np.integer]) -> NDArray[np.float64]:
        """The greatest accuracy of each geofence, infinite where there is none."""
        at = np.minimum(np.searchsorted(self.geofence, geofence), len(self.geofence) - 1)
        return np.where(self.geofence[at] == geofence, self.metres[at], np.inf)


def _next_at_most(
    values: NDArray[np.float64], start: NDArray[np.int64], limit: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The first place from each `start` on where the value is not above the `limit` beside it.

    The last value must be -inf. Works with the least of 1, 2, 4, ... values from each place on, as far as
    runs above a limit are long.
    """
    least = [values]
    while least[-1].max() > limit.min():
        reach = 1 << (len(least) - 1)
        level = np.full_like(values, -np.inf)
        np.minimum(least[-1][:-reach], least[-1][reach:], out=level[:-reach])
        least.append(level)
    place = start.copy()
    for power in reversed(range(len(least))):
        place += (least[power][place] > limit).astype(np.int64) << power
    return place
