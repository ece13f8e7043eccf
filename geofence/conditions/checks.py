"""Whether fixes meet conditions: of n pairs of a row of conditions and a fix by its number.

Each check is asked only about rows that have such a condition.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from geofence.conditions.columns import ConditionColumns
from geofence.conditions.property_filter import reported
from geofence.fixes.fix_columns import FixColumns
from geofence.schedules import columns

Mask: TypeAlias = NDArray[np.bool_]
Check: TypeAlias = Callable[[ConditionColumns, NDArray[np.intp], NDArray[np.int64], FixColumns], Mask]


def while_live(
    rows: ConditionColumns, row: NDArray[np.intp], position: NDArray[np.int64], fixes: FixColumns
) -> Mask:
    """Whether a window of the schedule is open at the time of the fix."""
    each, of = np.unique(row, return_inverse=True)
    return columns.live(rows.schedule[each].tolist(), of, fixes.sample_time[position])


def of_devices(
    rows: ConditionColumns, row: NDArray[np.intp], position: NDArray[np.int64], fixes: FixColumns
) -> Mask:
    """Whether the device is one of the geofence's."""
    pair = row.astype(np.int64) << 32 | fixes.device[position]
    each, of = np.unique(pair, return_inverse=True)
    devices = zip((each >> 32).tolist(), each.astype(np.int32).tolist(), strict=True)
    answers = [rows.devices[at].takes(fixes.device_ids[device]) for at, device in devices]
    return np.array(answers, np.bool_)[of]


def with_properties(
    rows: ConditionColumns, row: NDArray[np.intp], position: NDArray[np.int64], fixes: FixColumns
) -> Mask:
    """Whether what the device reports with the fix is what the geofence asks for."""
    number, of = np.unique(position, return_inverse=True)
    properties = list(map(reported, fixes.properties(number)))
    pairs = zip(rows.properties[row].tolist(), of.tolist(), strict=True)
    return np.array([asked.takes(properties[at]) for asked, at in pairs], np.bool_)


def within_band(
    rows: ConditionColumns, row: NDArray[np.intp], position: NDArray[np.int64], fixes: FixColumns
) -> Mask:
    """Whether the altitude is known and within the band."""
    altitude = _altitudes(position, fixes)
    return (altitude >= rows.low[row]) & (altitude <= rows.high[row])


def within_band_or_unknown(
    rows: ConditionColumns, row: NDArray[np.intp], position: NDArray[np.int64], fixes: FixColumns
) -> Mask:
    """Whether the altitude is within the band, or unknown."""
    altitude = _altitudes(position, fixes)
    return ~((altitude < rows.low[row]) | (altitude > rows.high[row]))


def _altitudes(position: NDArray[np.int64], fixes: FixColumns) -> NDArray[np.float64]:
    """Asked for once of each fix."""
    number, of = np.unique(position, return_inverse=True)
    return fixes.altitudes(number)[of]
