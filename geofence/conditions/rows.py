"""The conditions of many geofences, and which pairs of a fix and a geofence meet them."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofence.conditions.checks import (
    Check,
    of_devices,
    while_live,
    with_properties,
    within_band,
    within_band_or_unknown,
)
from geofence.conditions.columns import ConditionColumns
from geofence.conditions.conditions import UNCONDITIONAL, Conditions
from geofence.conditions.pattern_filter import PatternFilter
from geofence.conditions.poor_fixes import PoorFixes
from geofence.conditions.property_filter import PropertyFilter
from geofence.conditions.shared import Shared
from geofence.containment import Containment
from geofence.fixes.fix_columns import FixColumns
from geofence.schedules.schedule import Schedule

DEVICES = ("filtered", "described")
"""What is asked of the device."""


class ConditionRows:
    """Of geofences under the keys of their index, those that have conditions: `columns`.

    `unknown_altitude_inside`: whether a fix without altitude is within every band rather than within none.
    """

    def __init__(self, *, unknown_altitude_inside: bool) -> None:
        self.columns = ConditionColumns.of([])
        self.unknown_altitude_inside = unknown_altitude_inside
        self._checks: dict[str, Check] = {
            "scheduled": while_live,
            "filtered": of_devices,
            "banded": within_band_or_unknown if unknown_altitude_inside else within_band,
            "described": with_properties,
        }
        self._devices = Shared(PatternFilter)
        self._properties = Shared(PropertyFilter)
        self._schedules = Shared(Schedule)
        self._look_up()

    def __len__(self) -> int:
        return len(self.columns.geofence)

    def put(self, conditions: Mapping[int, Conditions]) -> None:
        """Conditions of geofences that are new, or in the place of those that have these keys."""
        asked = sorted(conditions.items())
        self.discard(np.array([key for key, each in asked if each == UNCONDITIONAL], np.int32))
        rows = ConditionColumns.of([self._row(key, each) for key, each in asked if each != UNCONDITIONAL])
        place, known = self.find(rows.geofence)
        columns: list[tuple[NDArray[Any], NDArray[Any]]] = list(zip(self.columns, rows, strict=True))
        for column, values in columns:
            column[place[known]] = values[known]
        if not known.all():
            self.columns = ConditionColumns(
                *(np.insert(old, place[~known], new[~known]) for old, new in columns)
            )
        self._look_up()

    def discard(self, keys: NDArray[np.integer]) -> None:
        """Forget geofences; one that is not there is no error."""
        place, known = self.find(keys)
        if known.any():
            columns: list[NDArray[Any]] = list(self.columns)
            self.columns = ConditionColumns(*(np.delete(column, place[known]) for column in columns))
            self._look_up()

    def find(self, keys: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The row of each key, or the one before which it would come, and whether it is there."""
        place = np.searchsorted(self.columns.geofence, keys)
        known = place < len(self)
        known[known] = self.columns.geofence[place[known]] == keys[known]
        return place, known

    def met(self, fixes: FixColumns, containment: Containment) -> Containment:
        """The pairs of which the fix meets all that the geofence asks for, but `max_accuracy`."""
        return self._met(self._checks, fixes, containment)

    def of_devices(self, fixes: FixColumns, containment: Containment) -> Containment:
        """The pairs whose device counts for the geofence, by its id and by what it reports with the fix."""
        return self._met(DEVICES, fixes, containment)

    def poor(self, accuracy: NDArray[np.float64]) -> PoorFixes | None:
        """Which of fixes of this accuracy (metres, NaN unknown) do not count for which geofences, if any."""
        if (accuracy > self._least_limit).any():
            return PoorFixes(accuracy, self._limited, self._limits)
        return None

    def _met(self, names: Iterable[str], fixes: FixColumns, containment: Containment) -> Containment:
        """The pairs that pass the checks of these names, the cheapest first."""
        asked = [name for name in names if name in self._asked]
        if not asked:
            return containment
        row, known = self.find(containment.geofence)
        pair = np.flatnonzero(known)
        row, position = row[pair], containment.position[pair]
        met = np.ones(len(row), np.bool_)
        for name in asked:
            asking = np.flatnonzero(getattr(self.columns, name)[row] & met)
            if len(asking):
                met[asking] = self._checks[name](self.columns, row[asking], position[asking], fixes)
        if met.all():
            return containment
        kept = np.ones(len(containment.position), np.bool_)
        kept[pair] = met
        return Containment(containment.position[kept], containment.geofence[kept])

    def _row(self, key: int, asked: Conditions) -> tuple[object, ...]:
        devices = self._devices.of(asked.devices)
        properties = self._properties.of(asked.device_properties)
        schedule = self._schedules.of(asked.schedule)
        return (
            key,
            asked.min_altitude is not None or asked.max_altitude is not None,
            -np.inf if asked.min_altitude is None else asked.min_altitude,
            np.inf if asked.max_altitude is None else asked.max_altitude,
            np.inf if asked.max_accuracy is None else asked.max_accuracy,
            *(devices is not None, devices),
            *(properties is not None, properties),
            *(schedule is not None, schedule),
        )

    def _look_up(self) -> None:
        """Looks up anew what is asked for at all, and which geofences have a greatest accuracy."""
        self._asked = {name for name in self._checks if getattr(self.columns, name).any()}
        limited = np.flatnonzero(self.columns.accuracy != np.inf)
        self._limited, self._limits = self.columns.geofence[limited], self.columns.accuracy[limited]
        self._least_limit = self._limits.min(initial=np.inf)
