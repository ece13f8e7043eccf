"""The conditions of many geofences as columns, and which pairs of a fix and a geofence meet them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from geofence.conditions import UNCONDITIONAL, Conditions, DeviceFilter
from geofence.fix_columns import FixColumns
from geofence.index import Containment
from geofence.poor_fixes import PoorFixes


class ConditionRows:
    """Of geofences under the keys of their index, those that have conditions.

    `unknown_altitude_inside`: whether a fix without altitude is within every band rather than within none.
    """

    def __init__(self, *, unknown_altitude_inside: bool) -> None:
        self._unknown_inside = unknown_altitude_inside
        self._rows = Rows.of([])
        self._limit()
        self._filters: WeakValueDictionary[tuple[str, ...], DeviceFilter] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._rows.geofence)

    def put(self, conditions: Mapping[int, Conditions]) -> None:
        """Conditions of geofences that are new, or in the place of those that have these keys."""
        asked = sorted(conditions.items())
        self.discard(np.array([key for key, each in asked if each == UNCONDITIONAL], np.int32))
        rows = Rows.of([self._row(key, each) for key, each in asked if each != UNCONDITIONAL])
        place, known = self._find(rows.geofence)
        columns = list(zip(self._rows.columns(), rows.columns(), strict=True))
        for column, values in columns:
            column[place[known]] = values[known]
        if not known.all():
            self._rows = Rows(*(np.insert(old, place[~known], new[~known]) for old, new in columns))
        self._limit()

    def discard(self, keys: NDArray[np.integer]) -> None:
        """Forget geofences; one that is not there is no error."""
        place, known = self._find(keys)
        if known.any():
            self._rows = Rows(*(np.delete(column, place[known]) for column in self._rows.columns()))
            self._limit()

    def met(self, fixes: FixColumns, containment: Containment) -> Containment:
        """The pairs of which the fix is within the geofence's band, and its device one of the geofence's."""
        row, known = self._find(containment.geofence)
        pair = np.flatnonzero(known)
        row, position = row[pair], containment.position[pair]
        met = self._within(row, position, fixes) & self._taken(row, position, fixes)
        if met.all():
            return containment
        kept = np.ones(len(containment.position), np.bool_)
        kept[pair] = met
        return Containment(containment.position[kept], containment.geofence[kept])

    def poor(self, accuracy: NDArray[np.float64]) -> PoorFixes | None:
        """Which of fixes of this accuracy (metres, NaN unknown) do not count for which geofences, if any."""
        if (accuracy > self._least_limit).any():
            return PoorFixes(accuracy, self._limited, self._limits)
        return None

    def _row(self, key: int, conditions: Conditions) -> tuple[object, ...]:
        return (
            key,
            conditions.min_altitude is not None or conditions.max_altitude is not None,
            -np.inf if conditions.min_altitude is None else conditions.min_altitude,
            np.inf if conditions.max_altitude is None else conditions.max_altitude,
            np.inf if conditions.max_accuracy is None else conditions.max_accuracy,
            conditions.devices is not None,
            None if conditions.devices is None else self._filter(conditions.devices),
        )

    def _filter(self, patterns: tuple[str, ...]) -> DeviceFilter:
        """One filter for all geofences with the same patterns."""
        device_filter = self._filters.get(patterns)
        if device_filter is None:
            device_filter = self._filters[patterns] = DeviceFilter(patterns)
        return device_filter

    def _find(self, keys: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The row of each key, or the one before which it would come, and whether it is there."""
        place = np.searchsorted(self._rows.geofence, keys)
        known = place < len(self)
        known[known] = self._rows.geofence[place[known]] == keys[known]
        return place, known

    def _within(
        self, row: NDArray[np.intp], position: NDArray[np.int64], fixes: FixColumns
    ) -> NDArray[np.bool_]:
        """Whether the altitude is within the band, for each pair of a row and a fix."""
        within = np.ones(len(row), np.bool_)
        banded = np.flatnonzero(self._rows.banded[row])
        if len(banded):
            number, of = np.unique(position[banded], return_inverse=True)
            altitude = fixes.altitudes(number)[of]
            rows = row[banded]
            within[banded] = (altitude >= self._rows.low[rows]) & (altitude <= self._rows.high[rows])
            if self._unknown_inside:
                within[banded] |= np.isnan(altitude)
        return within

    def _taken(
        self, row: NDArray[np.intp], position: NDArray[np.int64], fixes: FixColumns
    ) -> NDArray[np.bool_]:
        """Whether the device is one of the geofence's, for each pair of a row and a fix."""
        taken = np.ones(len(row), np.bool_)
        filtered = np.flatnonzero(self._rows.filtered[row])
        if len(filtered):
            pair = row[filtered].astype(np.int64) << 32 | fixes.device[position[filtered]]
            each, of = np.unique(pair, return_inverse=True)
            devices = zip((each >> 32).tolist(), each.astype(np.int32).tolist(), strict=True)
            answers = [self._rows.devices[at].takes(fixes.device_ids[device]) for at, device in devices]
            taken[filtered] = np.array(answers, np.bool_)[of]
        return taken

    def _limit(self) -> None:
        """Looks up anew which geofences have a greatest accuracy."""
        limited = np.flatnonzero(self._rows.accuracy != np.inf)
        self._limited, self._limits = self._rows.geofence[limited], self._rows.accuracy[limited]
        self._least_limit = self._limits.min(initial=np.inf)


class Rows(NamedTuple):
    """Conditions as columns, by key of the geofence.

    `low` and `high` in metres of altitude, infinite where not `banded`; `accuracy` in metres, infinite where
    any will do; `devices` a DeviceFilter where `filtered`.
    """

    geofence: NDArray[np.int32]
    banded: NDArray[np.bool_]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    filtered: NDArray[np.bool_]
    devices: NDArray[np.object_]

    def columns(self) -> list[NDArray[Any]]:
        """All of them, one after the other."""
        return [getattr(self, name) for name in self._fields]

    @staticmethod
    def of(rows: Sequence[tuple[object, ...]]) -> "Rows":
        """The columns of these rows, of which there may be none."""
        columns = zip(*rows, strict=True) if rows else [()] * len(KINDS)
        return Rows(*(np.array(column, kind) for column, kind in zip(columns, KINDS, strict=True)))


KINDS: Sequence[Any] = (np.int32, np.bool_, np.float64, np.float64, np.float64, np.bool_, np.object_)
