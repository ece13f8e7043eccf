"""The evaluator's state as columns, which can be kept and taken up again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from geofence.fixes.last_fixes import LastFixes
from geofence.state.visit_records import VisitRecords


@dataclass(frozen=True, slots=True)
class StateColumns:
    """What is remembered of n devices, by slot.

    `watermark` (n) is the sample_time (ms) last evaluated, `visit_records.NEVER` where there is none.
    `inside_count` (n) says in how many geofences each device is, `inside_geofence` in which: their keys, by
    device, then ascending. `visits` are those under way of which more is remembered, in the same order.
    `last_fixes` are of the n devices, or of none if they are not remembered. Equal states have equal
    columns.
    """

    watermark: NDArray[np.int64]
    inside_count: NDArray[np.int32]
    inside_geofence: NDArray[np.int32]
    visits: VisitRecords
    last_fixes: LastFixes

    def __len__(self) -> int:
        return len(self.watermark)

    @classmethod
    def of_named(cls, columns: Mapping[str, NDArray[Any]]) -> Self:
        """What was `named`, without a look at what the columns hold. Raises KeyError."""
        visits = VisitRecords(*(columns[f"visit_{each.name}"] for each in fields(VisitRecords)))
        last_fixes = LastFixes(*(columns[f"last_{each.name}"] for each in fields(LastFixes)))
        inside = columns["inside_count"], columns["inside_geofence"]
        return cls(columns["watermark"], *inside, visits, last_fixes)

    def named(self) -> dict[str, NDArray[Any]]:
        """Each column under its name."""
        parts: tuple[tuple[str, VisitRecords | LastFixes], ...] = (
            ("visit", self.visits),
            ("last", self.last_fixes),
        )
        named = {name: getattr(self, name) for name in ("watermark", "inside_count", "inside_geofence")}
        for prefix, part in parts:
            named |= {f"{prefix}_{each.name}": getattr(part, each.name) for each in fields(part)}
        return named

    @property
    def inside_device(self) -> NDArray[np.int64]:
        """The slot of the device that is in each of `inside_geofence`."""
        return np.repeat(np.arange(len(self)), self.inside_count)

    def renumbered(self, key: NDArray[np.int32]) -> Self:
        """The same of geofences that have other keys now: `key` has the new one at the place of each old."""
        pair = self.inside_device << 32 | key[self.inside_geofence]
        pair.sort()
        visits = VisitRecords(
            self.visits.device,
            key[self.visits.geofence],
            self.visits.entered,
            self.visits.outside_since,
            self.visits.dwelled,
        )
        visits = visits.take(np.argsort(visits.pair))
        return type(self)(self.watermark, self.inside_count, pair.astype(np.int32), visits, self.last_fixes)

    def problem(self, geofences: int) -> str | None:
        """What is wrong with columns that came from elsewhere, of geofences with keys from 1 up to that many.

        None if they are a state.
        """
        return next(self._problems(geofences), None)

    def _problems(self, geofences: int) -> Iterator[str]:
        for name, column in self.named().items():
            kind = KINDS[name]
            if column.dtype != kind or column.ndim != 1:
                found = f"{column.dtype} in {column.ndim} dimensions"
                yield f"{name} holds {found}: expected {np.dtype(kind)} in one"
        if len(self.inside_count) != len(self):
            yield f"inside_count has {len(self.inside_count):,} values: expected {len(self):,}, one a device"
        if (self.inside_count < 0).any() or self.inside_count.sum(dtype=np.int64) != len(
            self.inside_geofence
        ):
            yield f"inside_count does not add up to the {len(self.inside_geofence):,} of inside_geofence"
        if ((self.inside_geofence < 1) | (self.inside_geofence > geofences)).any():
            yield f"inside_geofence has a key that is none: expected 1 to {geofences:,}"
        pair = self.inside_device << 32 | self.inside_geofence
        if (pair[1:] <= pair[:-1]).any():
            yield "inside_geofence has keys of a device that do not ascend"
        if len({len(column) for column in self.visits.columns()}) > 1:
            yield "columns of visits have different lengths"
        visits = self.visits.pair
        if (visits[1:] <= visits[:-1]).any() or not np.isin(visits, pair).all():
            yield "visits are of devices and geofences that are not inside, or do not ascend"
        if {len(column) for column in self.last_fixes.columns()} not in ({0}, {len(self)}):
            yield f"columns of last fixes: expected {len(self):,} values in each, or none"


KINDS = {
    "watermark": np.int64,
    "inside_count": np.int32,
    "inside_geofence": np.int32,
    "visit_device": np.int32,
    "visit_geofence": np.int32,
    "visit_entered": np.int64,
    "visit_outside_since": np.int64,
    "visit_dwelled": np.bool_,
    "last_longitude": np.float64,
    "last_latitude": np.float64,
    "last_altitude": np.float64,
    "last_accuracy": np.float64,
}
