"""What is remembered of visits, of those devices and geofences where it is needed."""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

NEVER: Final = int(np.iinfo(np.int64).min)
"""A time (ms) for what has not been."""


@dataclass(frozen=True, slots=True)
class VisitRecords:
    """n visits under way: of `device`, by slot, in `geofence`, by key.

    `entered` is the time (ms) of the ENTER. `outside_since` is the time (ms) at which the device went out,
    which is no EXIT yet, NEVER while it is in the area. `dwelled`: whether DWELL has been told.
    """

    device: NDArray[np.int32]
    geofence: NDArray[np.int32]
    entered: NDArray[np.int64]
    outside_since: NDArray[np.int64]
    dwelled: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.device)

    @classmethod
    def blank(cls, count: int) -> Self:
        """Room for so many, all columns zero."""
        return cls(*(np.zeros(count, kind) for kind in KINDS))

    @property
    def pair(self) -> NDArray[np.int64]:
        """device << 32 | geofence, by which they are told apart."""
        return pairs_of(self.device, self.geofence)

    def columns(self) -> list[NDArray[Any]]:
        """All of them, one after the other."""
        return [self.device, self.geofence, self.entered, self.outside_since, self.dwelled]

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Self:
        """The visits at `index`: numbers, or a mask of length n."""
        return type(self)(*(column[index] for column in self.columns()))

    def joined(self, others: Self) -> Self:
        """These, then the others."""
        return type(self)(*map(np.concatenate, zip(self.columns(), others.columns(), strict=True)))

    def put(self, index: NDArray[np.intp] | NDArray[np.bool_], others: Self) -> None:
        """Have these visits at `index`."""
        for column, values in zip(self.columns(), others.columns(), strict=True):
            column[index] = values


KINDS: tuple[Any, ...] = (np.int32, np.int32, np.int64, np.int64, np.bool_)


NO_VISITS: Final = VisitRecords.blank(0)


def pairs_of(device: NDArray[np.integer], geofence: NDArray[np.int32]) -> NDArray[np.int64]:
    """device << 32 | geofence."""
    return device.astype(np.int64) << 32 | geofence
