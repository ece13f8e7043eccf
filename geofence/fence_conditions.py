"""The conditions of many geofences, and evaluation under them; without conditions it costs nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from geofence.conditions import UNCONDITIONAL, Conditions, DeviceFilter
from geofence.evaluator import Evaluation, evaluate
from geofence.geofence import Geofence
from geofence.index import Containment
from geofence.poor_fixes import PoorFixes
from geofence.state import InsideState


@dataclass(frozen=True, slots=True)
class FixColumns:
    """What is evaluated of n fixes, in any order.

    `device` is the slot in `device_ids` and in the state, `sample_time` in ms, `accuracy` in metres (NaN
    unknown). `altitudes` answers the altitudes (metres, NaN unknown) of fixes by number, and is asked only
    for those within the area of a volume.
    """

    device: NDArray[np.int32]
    device_ids: Sequence[str]
    sample_time: NDArray[np.int64]
    accuracy: NDArray[np.float64]
    altitudes: Callable[[NDArray[np.int64]], NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.device)


class FenceConditions:
    """Of geofences under the keys of their index, those that have conditions.

    `unknown_altitude_inside`: whether a fix without altitude is within every band rather than within none.
    """

    def __init__(self, *, unknown_altitude_inside: bool = False) -> None:
        self._unknown_inside = unknown_altitude_inside
        self._settle(np.empty(0, ROW))
        self._filters: WeakValueDictionary[tuple[str, ...], DeviceFilter] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, geofences: Mapping[int, Geofence]) -> None:
        """Geofences that are new, or in the place of those that have these keys."""
        self.discard(np.fromiter(geofences, np.int32, len(geofences)))
        rows = [
            self._row(key, geofence.conditions)
            for key, geofence in geofences.items()
            if geofence.conditions != UNCONDITIONAL
        ]
        if rows:
            together = np.concatenate([self._rows, np.array(rows, ROW)])
            self._settle(together[np.argsort(together["geofence"], kind="stable")])

    def discard(self, keys: NDArray[np.integer]) -> None:
        """Forget geofences; one that is not there is no error."""
        if len(self._rows):
            self._settle(self._rows[~np.isin(self._rows["geofence"], keys)])

    def evaluate(self, fixes: FixColumns, containment: Containment, state: InsideState) -> Evaluation:
        """As `evaluator.evaluate`, where `containment` is by place alone."""
        if not len(self._rows):
            return evaluate(fixes.device, fixes.sample_time, containment, state)
        met = self._met(fixes, containment)
        return evaluate(fixes.device, fixes.sample_time, met, state, self._poor(fixes.accuracy))

    def _row(self, key: int, conditions: Conditions) -> tuple[object, ...]:
        return (
            key,
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

    def _met(self, fixes: FixColumns, containment: Containment) -> Containment:
        """The pairs of which the fix is within the geofence's band, and its device one of the geofence's."""
        row = np.minimum(np.searchsorted(self._key, containment.geofence), len(self._key) - 1)
        pair = np.flatnonzero(self._key[row] == containment.geofence)
        row, position = row[pair], containment.position[pair]
        met = self._within(row, position, fixes) & self._taken(row, position, fixes)
        if met.all():
            return containment
        kept = np.ones(len(containment.position), np.bool_)
        kept[pair] = met
        return Containment(containment.position[kept], containment.geofence[kept])

    def _within(
        self, row: NDArray[np.intp], position: NDArray[np.int64], fixes: FixColumns
    ) -> NDArray[np.bool_]:
        """Whether the altitude is within the band, for each pair of a row and a fix."""
        within = np.ones(len(row), np.bool_)
        banded = np.flatnonzero(self._banded[row])
        if len(banded):
            number, of = np.unique(position[banded], return_inverse=True)
            altitude = fixes.altitudes(number)[of]
            rows = row[banded]
            within[banded] = (altitude >= self._low[rows]) & (altitude <= self._high[rows])
            if self._unknown_inside:
                within[banded] |= np.isnan(altitude)
        return within

    def _taken(
        self, row: NDArray[np.intp], position: NDArray[np.int64], fixes: FixColumns
    ) -> NDArray[np.bool_]:
        """Whether the device is one of the geofence's, for each pair of a row and a fix."""
        taken = np.ones(len(row), np.bool_)
        filtered = np.flatnonzero(self._filtered[row])
        if len(filtered):
            pair = row[filtered].astype(np.int64) << 32 | fixes.device[position[filtered]]
            each, of = np.unique(pair, return_inverse=True)
            devices = zip((each >> 32).tolist(), each.astype(np.int32).tolist(), strict=True)
            answers = [self._filter_of[at].takes(fixes.device_ids[device]) for at, device in devices]
            taken[filtered] = np.array(answers, np.bool_)[of]
        return taken

    def _poor(self, accuracy: NDArray[np.float64]) -> PoorFixes | None:
        if (accuracy > self._least_limit).any():
            return PoorFixes(accuracy, self._limited, self._limit)
        return None

    def _settle(self, rows: NDArray[np.void]) -> None:
        """These rows from now on, by key, as the columns that evaluation reads."""
        self._rows = rows
        self._key, self._low, self._high = (rows[name].copy() for name in ("geofence", "low", "high"))
        self._banded = (self._low != -np.inf) | (self._high != np.inf)
        self._filtered, self._filter_of = rows["filtered"].copy(), rows["devices"]
        limited = np.flatnonzero(rows["accuracy"] != np.inf)
        self._limited, self._limit = self._key[limited], rows["accuracy"][limited]
        self._least_limit = self._limit.min(initial=np.inf)


ROW = np.dtype(
    [
        ("geofence", np.int32),
        ("low", np.float64),  # metres of altitude, -inf where there is no bound
        ("high", np.float64),
        ("accuracy", np.float64),  # metres, inf where any will do
        ("filtered", np.bool_),
        ("devices", np.object_),  # a DeviceFilter where filtered
    ]
)
