"""The evaluator's state as columns, which can be kept and taken up again."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class StateColumns:
    """What is remembered of n devices, by slot.

    `watermark` (n) is the sample_time (ms) last evaluated, `state.NEVER` where there is none. `inside_count`
    (n) says in how many geofences each device is, `inside_geofence` in which: their keys, by device, then
    ascending. Equal states have equal columns.
    """

    watermark: NDArray[np.int64]
    inside_count: NDArray[np.int32]
    inside_geofence: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.watermark)

    def named(self) -> dict[str, NDArray[Any]]:
        """Each column under its name."""
        return {column.name: getattr(self, column.name) for column in fields(self)}

    @property
    def inside_device(self) -> NDArray[np.int64]:
        """The slot of the device that is in each of `inside_geofence`."""
        return np.repeat(np.arange(len(self)), self.inside_count)

    def renumbered(self, key: NDArray[np.int32]) -> Self:
        """The same of geofences that have other keys now: `key` has the new one at the place of each old."""
        pair = self.inside_device << 32 | key[self.inside_geofence]
        pair.sort()
        return type(self)(self.watermark, self.inside_count, pair.astype(np.int32))

    def problem(self, geofences: int) -> str | None:
        """What is wrong with columns that came from elsewhere, of geofences with keys from 1 up to that many.

        None if they are a state.
        """
        for name, kind in KINDS.items():
            column = getattr(self, name)
            if column.dtype != kind or column.ndim != 1:
                found = f"{column.dtype} in {column.ndim} dimensions"
                return f"{name} holds {found}: expected {np.dtype(kind)} in one"
        if len(self.inside_count) != len(self):
            return f"inside_count has {len(self.inside_count):,} values: expected {len(self):,}, one a device"
        if (self.inside_count < 0).any() or self.inside_count.sum(dtype=np.int64) != len(
            self.inside_geofence
        ):
            return f"inside_count does not add up to the {len(self.inside_geofence):,} of inside_geofence"
        if ((self.inside_geofence < 1) | (self.inside_geofence > geofences)).any():
            return f"inside_geofence has a key that is none: expected 1 to {geofences:,}"
        pair = self.inside_device << 32 | self.inside_geofence
        if (pair[1:] <= pair[:-1]).any():
            return "inside_geofence has keys of a device that do not ascend"
        return None


KINDS = {"watermark": np.int64, "inside_count": np.int32, "inside_geofence": np.int32}
