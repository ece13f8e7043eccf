"""The last fixes of devices, at which the paths to their next ones begin."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofence.columns.table import Table
from geofence.fixes.fix_columns import FixColumns


@dataclass(frozen=True, slots=True)
class LastFixes(Table):
    """n fixes: degrees (longitude NaN where there is none), metres (NaN where unknown)."""

    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    altitude: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @classmethod
    def none(cls, count: int) -> Self:
        """So many times that there is none."""
        return cls(*(np.full(count, np.nan) for _ in fields(cls)))

    @classmethod
    def of(cls, fixes: FixColumns, numbers: NDArray[np.int64]) -> Self:
        """The fixes of these numbers."""
        return cls(
            fixes.longitude[numbers],
            fixes.latitude[numbers],
            fixes.altitudes(numbers),
            fixes.accuracy[numbers],
        )
