"""What is remembered of visits, of those devices and geofences where it is needed."""

from dataclasses import dataclass, fields
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
    def none(cls) -> Self:
        """No visits."""
        empty = np.empty(0, np.int32)
        return cls(empty, empty, np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_))

    @property
    def pair(self) -> NDArray[np.int64]:
        """device << 32 | geofence, by which they are told apart."""
        return pairs_of(self.device, self.geofence)

    def columns(self) -> list[NDArray[Any]]:
        """All of them, one after the other."""
        return [getattr(self, column.name) for column in fields(self)]

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Self:
        """The visits at `index`: numbers, or a mask of length n."""
        return type(self)(*(column[index] for column in self.columns()))

    def joined(self, other: Self) -> Self:
        """These, then the others."""
        return type(self)(*map(np.concatenate, zip(self.columns(), other.columns(), strict=True)))


def pairs_of(device: NDArray[np.integer], geofence: NDArray[np.int32]) -> NDArray[np.int64]:
    """device << 32 | geofence."""
    return device.astype(np.int64) << 32 | geofence


class RememberedVisits:
    """Records by pair of device and geofence."""

    def __init__(self) -> None:
        self._records, self._pair = VisitRecords.none(), np.empty(0, np.int64)

    def __len__(self) -> int:
        return len(self._records)

    @property
    def all(self) -> VisitRecords:
        """By device, then geofence."""
        return self._records

    def of(self, pair: NDArray[np.int64]) -> tuple[VisitRecords, NDArray[np.bool_]]:
        """The records of these pairs, and which have one: what stands for the others means nothing."""
        if not len(self):
            nothing = VisitRecords(*(np.zeros(len(pair), each.dtype) for each in self._records.columns()))
            return nothing, np.zeros(len(pair), np.bool_)
        at = np.minimum(np.searchsorted(self._pair, pair), len(self) - 1)
        return self._records.take(at), self._pair[at] == pair

    def put(self, records: VisitRecords) -> None:
        """Records that are new, or in the place of those of the same pairs."""
        if len(records):
            pair = records.pair
            kept = self._records.take(~np.isin(self._pair, pair))
            self._keep(kept.joined(records))

    def discard(self, pair: NDArray[np.int64]) -> None:
        """Forget pairs; one that is not there is no error."""
        if len(self) and len(pair):
            self._keep(self._records.take(~np.isin(self._pair, pair)))

    def discard_geofences(self, keys: NDArray[np.integer]) -> None:
        """Forget the visits in these."""
        if len(self):
            self._keep(self._records.take(~np.isin(self._records.geofence, keys)))

    def clear_device(self, slot: int) -> None:
        """Forget the visits of a device."""
        if len(self):
            self._keep(self._records.take(self._records.device != slot))

    def _keep(self, records: VisitRecords) -> None:
        order = np.argsort(records.pair)
        self._records = records.take(order)
        self._pair = self._records.pair
