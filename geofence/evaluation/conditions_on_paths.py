"""What conditions leave of a path within an area: bands of altitude and schedules cut it.

Altitude and time run evenly along a path. A device is inside where it is in the area, within the band, and a
window of the schedule is open.
"""

import numpy as np
from numpy.typing import NDArray

from geofence.conditions.columns import ConditionColumns
from geofence.earth.circle_roots import SHORTEST
from geofence.earth.ellipsoid import Column
from geofence.evaluation.joined_fixes import JoinedFixes
from geofence.paths.paths import Numbers
from geofence.paths.stretches import Changed, Inside, Stretches, changes
from geofence.schedules import columns

LEAST_MILLISECONDS = 1.0
"""A visit or an absence that is shorter than a millimetre is told of if it takes as long."""


def conditioned_changes(
    joined: JoinedFixes,
    within: Inside,
    rows: ConditionColumns,
    row: NDArray[np.intp],
    *,
    unknown_altitude_inside: bool,
) -> Changed:
    """Where each of n paths comes in and goes out of its geofence, whose conditions are in the row beside it.

    `within` says where it is in the area. There is nothing of a path of which the altitude is known at one
    end only, where the geofence asks for it.
    """
    altitudes = joined.altitudes()
    in_band = _in_band(
        *altitudes, rows.low[row], rows.high[row], unknown_altitude_inside=unknown_altitude_inside
    )
    live = _live(joined, rows, row)
    begins = within.begins & in_band.begins & live.begins
    ends = within.ends & in_band.ends & live.ends
    parts = Stretches.joined([each.stretches for each in (within, in_band, live)]).within_all(3)

    def short(path: Numbers, start: Column, end: Column) -> NDArray[np.bool_]:
        with np.errstate(over="ignore"):
            climb = np.nan_to_num((altitudes[1] - altitudes[0])[path]) * (end - start)
        metres = np.hypot(joined.paths.metres(path, start, end), climb)
        milliseconds = (joined.end - joined.start)[path] * (end - start)
        return (metres < SHORTEST) & (milliseconds < LEAST_MILLISECONDS)

    found = changes(Inside(begins, ends, parts), short)
    half_known = rows.banded[row] & (np.isnan(altitudes[0]) != np.isnan(altitudes[1]))
    return found.take(~half_known[found.of])


def _in_band(
    start: Column, end: Column, low: Column, high: Column, *, unknown_altitude_inside: bool
) -> Inside:
    """Where altitude is from low to high, if it goes evenly from `start` to `end` (metres)."""
    unknown = np.isnan(start) & np.isnan(end) & unknown_altitude_inside
    unknown |= (low == -np.inf) & (high == np.inf)
    begins, ends = (((low <= each) & (each <= high)) | unknown for each in (start, end))
    climbs = end != start
    start, end, low, high = (
        each / 2 for each in (start, end, low, high)
    )  # their differences are finite then
    step = np.where(climbs, end - start, 1.0)
    with np.errstate(over="ignore"):  # far beyond 0 and 1 is beyond
        at_low, at_high = (low - start) / step, (high - start) / step
    first = np.where(begins, 0.0, np.maximum(np.minimum(at_low, at_high), 0))
    last = np.where(ends, 1.0, np.minimum(np.maximum(at_low, at_high), 1))
    path = np.flatnonzero(begins | ends | (climbs & (first < last)))
    return Inside(begins, ends, Stretches(path, first[path], last[path]))


def _live(joined: JoinedFixes, rows: ConditionColumns, row: NDArray[np.intp]) -> Inside:
    """Where a window of the schedule is open; all along where there is none."""
    begins, ends = np.ones(len(row), np.bool_), np.ones(len(row), np.bool_)
    path = np.flatnonzero(rows.scheduled[row])
    each, of = np.unique(row[path], return_inverse=True)
    schedules = rows.schedule[each].tolist()
    start, end = joined.start[path], joined.end[path]
    begins[path], ends[path] = columns.live(schedules, of, start), columns.live(schedules, of, end)
    borders = columns.changes_between(schedules, of, start, end)
    share = (borders.time - start[borders.pair]) / (end - start)[borders.pair]
    return Inside(begins, ends, Stretches.between(begins, path[borders.pair], share))
