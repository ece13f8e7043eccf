"""The last fixes of devices, at which the paths to their next ones begin."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofence.fixes.fix_columns import FixColumns


@dataclass(frozen=True, slots=True)
class LastFixes:
    """n fixes: degrees (longitude NaN where there is none), metres (NaN where unknown)."""

    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    altitude: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.longitude)

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

    def take(self, index: NDArray[np.integer]) -> Self:
        """The fixes at `index`."""
        return type(self)(*(column[index] for column in self.columns()))

    def joined(self, others: Self) -> Self:
        """These, then the others."""
        return type(self)(*map(np.concatenate, zip(self.columns(), others.columns(), strict=True)))

    def put(self, index: NDArray[np.integer], others: Self) -> None:
        """Have these fixes at `index`."""
        for column, values in zip(self.columns(), others.columns(), strict=True):
            column[index] = values

    def columns(self) -> list[NDArray[np.float64]]:
        """All of them, one after the other."""
        return [getattr(self, column.name) for column in fields(self)]
