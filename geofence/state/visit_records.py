"""What is remembered of visits, of those devices and geofences where it is needed."""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from geofence.columns.table import Table

NEVER: Final = int(np.iinfo(np.int64).min)
"""A time (ms) for what has not been."""


@dataclass(frozen=True, slots=True)
class VisitRecords(Table):
    """n visits under way: of `device`, by slot, in `geofence`, by key.

    `entered` is the time (ms) of the ENTER. `outside_since` is the time (ms) at which the device went out,
    which is no EXIT yet, NEVER while it is in the area. `dwelled`: whether DWELL has been told.
    """

    device: NDArray[np.int32]
    geofence: NDArray[np.int32]
    entered: NDArray[np.int64]
    outside_since: NDArray[np.int64]
    dwelled: NDArray[np.bool_]

    @classmethod
    def blank(cls, count: int) -> Self:
        """Room for so many, all columns zero."""
        return cls(*(np.zeros(count, kind) for kind in KINDS))

    @property
    def pair(self) -> NDArray[np.int64]:
        """device << 32 | geofence, by which they are told apart."""
        return pairs_of(self.device, self.geofence)


KINDS: tuple[Any, ...] = (np.int32, np.int32, np.int64, np.int64, np.bool_)


NO_VISITS: Final = VisitRecords.blank(0)


def pairs_of(device: NDArray[np.integer], geofence: NDArray[np.int32]) -> NDArray[np.int64]:
    """device << 32 | geofence."""
    return device.astype(np.int64) << 32 | geofence
